"""A trained generator as people use it."""

from typing import Any

import pytest
import torch

from mulligan.errors import RecipeError, RunFolderError
from mulligan.latents import Normal
from mulligan.model import Model, model_facts, rebuild_model
from mulligan.networks import DcganGenerator
from mulligan.views import Pixels

SPEC, LATENTS, VIEW, SHAPE = DcganGenerator(4), Normal(6), Pixels(), (1, 8, 8)


def model() -> Model:
    torch.manual_seed(0)
    net = SPEC.build(6, SHAPE)
    net(torch.randn(64, 6))  # running statistics that are not the start's
    return Model(net, LATENTS, VIEW, SHAPE)


@pytest.mark.parametrize("count", [1, 7, 64, 130])
def test_a_sample_is_the_same_to_the_last_bit_whatever_is_asked_for_beside_it(count: int) -> None:
    whole = model().sample(200, seed=5)
    assert torch.equal(model().sample(count, seed=5), whole[:count])


def test_seeds_differ_and_values_lie_between_minus_one_and_one() -> None:
    one, other = model().sample(8, seed=0), model().sample(8, seed=1)
    assert not torch.equal(one, other)
    assert one.shape == (8, 1, 8, 8)
    assert one.abs().max() <= 1


def test_truncation_pulls_every_sample_to_the_same_centre() -> None:
    centre = model().sample(5, truncation=0.0)
    assert all(torch.equal(image, centre[0]) for image in centre)
    spread = [model().sample(64, truncation=share).std(0).mean().item() for share in (0.0, 0.5, 1.0)]
    assert spread == sorted(spread)


def test_sampling_leaves_the_network_as_it_was() -> None:
    made = model()
    made.net.train()
    before = {name: value.clone() for name, value in made.net.state_dict().items()}
    made.sample(5)
    assert made.net.training
    assert all(torch.equal(before[name], value) for name, value in made.net.state_dict().items())


def test_a_model_is_rebuilt_from_its_weights_and_facts() -> None:
    made = model()
    again = rebuild_model(made.net.state_dict(), model_facts(SPEC, LATENTS, VIEW, SHAPE))
    assert torch.equal(again.sample(5), made.sample(5))
    assert not any(parameter.requires_grad for parameter in again.parameters())


@pytest.mark.parametrize(
    ("change", "error"),
    [({"generator": {"type": "os:system"}}, RecipeError), ({"generator": {"type": "dcgan-generator", "width": 8}}, RunFolderError)],
)
def test_facts_that_do_not_fit_are_refused(change: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        rebuild_model(model().net.state_dict(), model_facts(SPEC, LATENTS, VIEW, SHAPE) | change)
