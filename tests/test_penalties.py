"""Every penalty against its formula, and what all of them promise."""

from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from mulligan.losses import NonSaturating, SoftmaxCrossEntropy
from mulligan.parts import Look
from mulligan.parts import Penalty as PenaltyContract
from mulligan.penalties import R1, R2, GradientPenalty, Penalty
from mulligan.schedules import Linear

PENALTIES: list[PenaltyContract] = [penalty() for penalty in get_args(Penalty)]


def look_at(score: object, real: Tensor, fake: Tensor, **options: bool | float) -> Look:
    return Look(score, NonSaturating(), real, fake, steep=True, **options)  # pyright: ignore[reportArgumentType]


def small_net(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))


def samples() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(5, 3, generator=generator), torch.randn(5, 3, generator=generator)


def test_r1_and_r2_of_a_linear_discriminator_are_half_gamma_times_its_squared_slope() -> None:
    slope = torch.tensor([1.0, -2.0, 2.0])
    look = look_at(lambda x: x @ slope, *samples())
    assert torch.allclose(R1(3.0)(look), torch.full((5,), 3.0 / 2 * 9))
    assert torch.allclose(R2(4.0)(look), torch.full((5,), 4.0 / 2 * 9))


def test_r1_looks_at_real_and_r2_at_fake_samples() -> None:
    real, fake = samples()
    look = look_at(lambda x: x.square().sum(1) / 2, real, fake)  # whose gradient is x itself
    assert torch.allclose(R1(2.0)(look), real.square().sum(1))
    assert torch.allclose(R2(2.0)(look), fake.square().sum(1))


def test_gamma_follows_its_schedule() -> None:
    look = look_at(lambda x: x.sum(1), *samples(), progress=0.25)
    assert torch.allclose(R1(Linear(4.0, 0.0))(look), torch.full((5,), 3.0 / 2 * 3))


def test_the_gradient_penalty_wants_a_slope_of_one() -> None:
    unit = torch.tensor([0.6, 0.8, 0.0])
    assert torch.allclose(GradientPenalty(10.0)(look_at(lambda x: x @ unit, *samples())), torch.zeros(5), atol=1e-10)
    steep = GradientPenalty(10.0)(look_at(lambda x: x @ (3 * unit), *samples()))
    assert torch.allclose(steep, torch.full((5,), 10.0 * 4), rtol=1e-5)


def test_the_gradient_penalty_of_a_flat_discriminator_is_finite_and_so_are_its_gradients() -> None:
    net = nn.Linear(3, 1)
    nn.init.zeros_(net.weight)
    penalty = GradientPenalty(10.0)(look_at(lambda x: net(x).squeeze(1), *samples()))
    penalty.mean().backward()
    assert torch.allclose(penalty, torch.full((5,), 10.0), rtol=1e-4)
    assert net.weight.grad is not None
    assert torch.isfinite(net.weight.grad).all()


def test_one_pass_over_both_equals_two_passes() -> None:
    gradients, prices = [], []
    for together in (True, False):
        net = small_net()
        look = look_at(net, *samples(), together=together)
        terms = [R1(2.0)(look), R2(0.5)(look), NonSaturating().discriminator(look.real_logits, look.fake_logits)]
        prices.append(torch.stack(terms).detach())
        torch.stack(terms).sum(0).mean().backward()
        gradients.append([parameter.grad for parameter in net.parameters() if parameter.grad is not None])
    assert torch.allclose(*prices, atol=1e-6)
    assert len(gradients[0]) == 4
    for joint, separate in zip(*gradients, strict=True):
        assert torch.allclose(joint, separate, atol=1e-6)


def test_two_logits_are_penalised_through_their_margin() -> None:
    weights = torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    look = Look(lambda x: x @ weights, SoftmaxCrossEntropy(), *samples(), steep=True)
    assert torch.allclose(R1(2.0)(look), torch.full((5,), 1.0 + 4.0))


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
def test_a_penalty_is_one_price_per_sample_that_the_discriminator_can_lower(penalty: PenaltyContract) -> None:
    net = small_net()
    look = look_at(net, *samples())
    price = penalty(look)
    assert price.shape == (5,)
    assert (price >= 0).all()
    gradient = torch.autograd.grad(price.mean(), [next(net.parameters())])[0]
    assert gradient.abs().sum() > 0
    assert penalty.name.isidentifier()
    assert penalty.every == 1


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
def test_every_penalty_sees_two_logits_as_one_margin(penalty: PenaltyContract) -> None:
    weights = torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.5, 0.5]])
    prices = []
    for score, loss in ((lambda x: x @ weights, SoftmaxCrossEntropy()), (lambda x: x @ weights.diff().squeeze(1), NonSaturating())):
        prices.append(penalty(Look(score, loss, *samples(), steep=True)))
    assert torch.allclose(*prices, rtol=1e-5)
    assert (prices[0] > 0).all()


def test_the_gradient_penalty_looks_between_each_real_sample_and_its_fake() -> None:
    real, fake = samples()
    seen: list[Tensor] = []

    def score(x: Tensor) -> Tensor:
        seen.append(x.detach())
        return x.sum(1)

    torch.manual_seed(0)
    GradientPenalty()(look_at(score, real, fake))
    shares = (seen[-1] - real) / (fake - real)
    assert torch.allclose(shares, shares[:, :1].expand_as(shares), atol=1e-4)  # one share for a whole sample
    assert ((shares > 0) & (shares < 1)).all()
    assert shares[:, 0].std() > 0.05  # and another for each


def test_weight_of_the_gradient_penalty_follows_its_schedule() -> None:
    look = look_at(lambda x: 2 * x[:, 0], *samples(), progress=0.5)
    assert torch.allclose(GradientPenalty(Linear(10.0, 0.0))(look), torch.full((5,), 5.0))


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
def test_the_price_of_an_image_sums_over_all_its_pixels(penalty: PenaltyContract) -> None:
    images = torch.randn(2, 4, 2, 3, 3, generator=torch.Generator().manual_seed(2))
    price = penalty(look_at(lambda x: 2 * x.flatten(1).sum(1), images[0], images[1]))
    squared = 4.0 * 18
    expected = 10 * (squared**0.5 - 1) ** 2 if isinstance(penalty, GradientPenalty) else squared / 2
    assert torch.allclose(price, torch.full((4,), expected), rtol=1e-5)
