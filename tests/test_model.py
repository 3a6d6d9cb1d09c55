"""A trained generator as people use it."""

from typing import Any

import pytest
import torch

from mulligan.errors import RecipeError, RunFolderError
from mulligan.latents import Normal, NormalMixture, Uniform
from mulligan.model import Model, model_facts, rebuild_model
from mulligan.networks import DcganGenerator, MlpGenerator
from mulligan.views import Pixels, Points

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


@pytest.mark.parametrize("latents", [Normal(6), Uniform(6), NormalMixture(6)], ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("count", [1, 7, 64, 130])
def test_a_point_is_the_same_to_the_last_bit_whatever_is_asked_for_beside_it(count: int, latents: Any) -> None:
    torch.manual_seed(0)
    made = Model(MlpGenerator((16,), output="linear").build(6, (2,)), latents, Points(2.0), (2,))
    assert torch.equal(made.sample(count, seed=3), made.sample(200, seed=3)[:count])


def test_points_come_in_the_units_of_the_data() -> None:
    torch.manual_seed(0)
    net = MlpGenerator((16,), output="linear").build(6, (2,))
    narrow, wide = (Model(net, LATENTS, Points(scale), (2,)).sample(5) for scale in (1.0, 10.0))
    assert torch.allclose(wide, 10 * narrow)


def test_what_a_network_makes_beyond_its_range_is_cut_off() -> None:
    torch.manual_seed(0)
    net = MlpGenerator((16,), output="linear").build(6, (1, 4, 4))
    for parameter in net.parameters():
        parameter.data.mul_(50)
    samples = Model(net, LATENTS, Pixels(0.0, 1.0), (1, 4, 4)).sample(64)
    assert (samples.min().item(), samples.max().item()) == (-1.0, 1.0)


def test_samples_come_in_chunks_of_sixty_four() -> None:
    chunks = list(model().sample_chunks(130, seed=5))
    assert [len(chunk) for chunk in chunks] == [64, 64, 2]
    assert torch.equal(torch.cat(chunks), model().sample(130, seed=5))


def test_the_centre_is_what_zero_latents_make() -> None:
    made = model()
    made.net.eval()
    with torch.no_grad():
        assert torch.equal(made.sample(1, truncation=0.0)[0], made(torch.zeros(64, 6))[0])


def test_a_generator_of_unknown_type_is_named() -> None:
    with pytest.raises(RecipeError, match=r"^generator=os:system is not one of mlp-generator, switch-generator, "):
        rebuild_model({}, model_facts(SPEC, LATENTS, VIEW, SHAPE) | {"generator": {"type": "os:system"}})


@pytest.mark.parametrize("damage", ["missing", "extra", "shape"])
def test_weights_that_do_not_fit_are_refused(damage: str) -> None:
    weights = dict(model().net.state_dict())
    name = next(iter(weights))
    if damage == "missing":
        del weights[name]
    elif damage == "extra":
        weights["another"] = torch.zeros(1)
    else:
        weights[name] = torch.zeros(1, 2, 3)
    with pytest.raises(RunFolderError, match=r"^the weights do not fit the generator: "):
        rebuild_model(weights, model_facts(SPEC, LATENTS, VIEW, SHAPE))


def test_a_generator_of_the_users_own_takes_the_place_of_its_name() -> None:
    made = model()
    facts = model_facts(SPEC, LATENTS, VIEW, SHAPE) | {"generator": {"type": "my-generator"}}
    assert torch.equal(rebuild_model(made.net.state_dict(), facts, own_generator=SPEC).sample(3), made.sample(3))
