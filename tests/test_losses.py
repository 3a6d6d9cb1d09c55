"""Every loss against its formula, and what all of them promise."""

import math
from dataclasses import dataclass
from typing import get_args

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from mulligan.losses import (
    Hinge,
    LeastSquares,
    Loss,
    Minimax,
    NonSaturating,
    RelativisticPairing,
    SoftmaxCrossEntropy,
    Wasserstein,
)
from mulligan.parts import AdversarialLoss, Look
from mulligan.penalties import R1

LOSSES: list[AdversarialLoss] = [loss() for loss in get_args(Loss)]
VARIANTS = [*LOSSES, LeastSquares(of="sigmoid"), NonSaturating(real_label=0.9), Minimax(log_of_sum=True)]


def logits_of(loss: AdversarialLoss, margins: Tensor) -> Tensor:
    """Logits in the loss's shape whose margins rise with `margins` (N,)."""
    return margins if loss.logits == 1 else torch.stack([-margins / 2, margins / 2], 1)


def close(values: Tensor, expected: list[float]) -> bool:
    return torch.allclose(values, torch.tensor(expected), atol=1e-6)


REAL, FAKE = torch.tensor([0.0, 2.0]), torch.tensor([0.0, -1.0])


def log_sigmoid(x: float) -> float:
    return -math.log(1 + math.exp(-x))


def test_minimax_is_the_game_of_the_first_paper() -> None:
    expected = [-log_sigmoid(0) - log_sigmoid(0), -log_sigmoid(2) - log_sigmoid(1)]
    assert close(Minimax().discriminator(REAL, FAKE), expected)
    assert close(Minimax().generator(None, FAKE), [log_sigmoid(0), log_sigmoid(1)])


def test_minimax_of_the_sum_takes_the_log_of_the_batch_sum() -> None:
    loss = Minimax(log_of_sum=True)
    real_sum = torch.sigmoid(REAL).sum().item()
    fake_sum = (1 - torch.sigmoid(FAKE)).sum().item()
    assert close(loss.discriminator(REAL, FAKE), [-math.log(real_sum) - math.log(fake_sum)] * 2)
    assert close(loss.generator(None, FAKE), [math.log(fake_sum)] * 2)


def test_non_saturating_is_sigmoid_cross_entropy() -> None:
    expected = [-log_sigmoid(0) - log_sigmoid(0), -log_sigmoid(2) - log_sigmoid(1)]
    assert close(NonSaturating().discriminator(REAL, FAKE), expected)
    assert close(NonSaturating().generator(None, FAKE), [-log_sigmoid(0), -log_sigmoid(-1)])


def test_label_smoothing_is_one_sided_cross_entropy_with_a_soft_label() -> None:
    soft = [-0.9 * log_sigmoid(x) - 0.1 * log_sigmoid(-x) - log_sigmoid(-y) for x, y in ((0.0, 0.0), (2.0, -1.0))]
    assert close(NonSaturating(real_label=0.9).discriminator(REAL, FAKE), soft)


def test_the_offset_is_what_the_generator_prints_and_no_gradient() -> None:
    fake = FAKE.clone().requires_grad_()
    shifted = NonSaturating(generator_offset=1.0).generator(None, fake)
    plain = NonSaturating().generator(None, fake)
    assert close(shifted - plain, [1.0, 1.0])
    assert torch.equal(*(torch.autograd.grad(pays.sum(), fake)[0] for pays in (shifted, plain)))


def test_least_squares_on_the_output_and_on_its_sigmoid() -> None:
    assert close(LeastSquares().discriminator(REAL, FAKE), [1.0, 1.0 + 1.0])
    assert close(LeastSquares().generator(None, FAKE), [1.0, 4.0])
    squashed = torch.sigmoid(torch.tensor([0.0, 2.0, -1.0])).tolist()
    assert close(LeastSquares(of="sigmoid").discriminator(REAL, FAKE), [0.25 + 0.25, (squashed[1] - 1) ** 2 + squashed[2] ** 2])
    assert close(LeastSquares(of="sigmoid").generator(None, FAKE), [0.25, (squashed[2] - 1) ** 2])


def test_hinge_costs_nothing_beyond_the_margin() -> None:
    assert close(Hinge().discriminator(REAL, FAKE), [2.0, 0.0])
    assert close(Hinge().generator(None, FAKE), [0.0, 1.0])


def test_wasserstein_is_the_difference_of_the_critics_values() -> None:
    assert close(Wasserstein().discriminator(REAL, FAKE), [0.0, -3.0])
    assert close(Wasserstein().generator(None, FAKE), [0.0, 1.0])


def test_two_logits_equal_pytorchs_cross_entropy() -> None:
    real, fake = torch.randn(2, 5, 2, generator=torch.Generator().manual_seed(0))
    ones, zeros = torch.ones(5, dtype=torch.long), torch.zeros(5, dtype=torch.long)
    expected = cross_entropy(real, ones, reduction="none") + cross_entropy(fake, zeros, reduction="none")
    assert torch.allclose(SoftmaxCrossEntropy().discriminator(real, fake), expected, atol=1e-6)
    assert torch.allclose(SoftmaxCrossEntropy().generator(None, fake), cross_entropy(fake, ones, reduction="none"), atol=1e-6)


def test_relativistic_pairing_judges_each_fake_against_its_real() -> None:
    assert close(RelativisticPairing().discriminator(REAL, FAKE), [-log_sigmoid(0), -log_sigmoid(3)])
    assert close(RelativisticPairing().generator(REAL, FAKE), [-log_sigmoid(0), -log_sigmoid(-3)])


def test_the_gradient_at_a_logit_of_minus_thirty_is_alive_where_it_should_be() -> None:
    fake = torch.tensor([-30.0], requires_grad=True)
    (alive,) = torch.autograd.grad(NonSaturating().generator(None, fake).sum(), fake)
    (vanished,) = torch.autograd.grad(Minimax().generator(None, fake).sum(), fake)
    assert alive.item() == pytest.approx(-1.0)
    assert abs(vanished.item()) < 1e-12


@pytest.mark.parametrize("loss", VARIANTS, ids=repr)
def test_a_loss_gives_one_value_per_sample(loss: AdversarialLoss) -> None:
    real, fake = logits_of(loss, torch.linspace(-2, 2, 6)), logits_of(loss, torch.linspace(3, -1, 6))
    assert loss.discriminator(real, fake).shape == (6,)
    assert loss.generator(real, fake).shape == (6,)
    assert loss.margin(real).shape == (6,)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_samples_value_depends_on_that_sample_only(loss: AdversarialLoss) -> None:
    margins = torch.linspace(-2, 2, 6)
    real, fake = logits_of(loss, margins), logits_of(loss, -margins)
    other = torch.arange(6) == 3
    other_real, other_fake = (logits_of(loss, torch.where(other, x - 0.5, x)) for x in (margins, -margins))
    for player in (loss.discriminator, loss.generator):
        assert (player(real, fake) != player(real, other_fake)).tolist() == other.tolist()
    assert (loss.discriminator(real, fake) != loss.discriminator(other_real, fake)).tolist() == other.tolist()
    sees_real = (loss.generator(real, fake) != loss.generator(other_real, fake)).tolist()
    assert sees_real == (other & loss.generator_sees_real).tolist()


@pytest.mark.parametrize("loss", VARIANTS, ids=repr)
@pytest.mark.parametrize("margin", [-30.0, -1.0, 0.0, 1.0, 30.0])
def test_values_and_gradients_are_finite_and_have_the_right_sign(loss: AdversarialLoss, margin: float) -> None:
    real = torch.full((4,), margin, requires_grad=True)
    fake = torch.full((4,), -margin, requires_grad=True)
    costs = loss.discriminator(logits_of(loss, real), logits_of(loss, fake))
    pays = loss.generator(logits_of(loss, real), logits_of(loss, fake))
    assert torch.isfinite(costs).all()
    assert torch.isfinite(pays).all()
    real_slope, fake_slope = torch.autograd.grad(costs.sum(), [real, fake])
    (generator_slope,) = torch.autograd.grad(pays.sum(), fake)
    slopes = torch.cat([real_slope, fake_slope, generator_slope])
    assert torch.isfinite(slopes).all()
    pulls_to_a_label = loss in (LeastSquares(), NonSaturating(real_label=0.9))  # beyond which they pull back: the next test
    if not pulls_to_a_label:
        # more evidence for real never costs the discriminator on real samples, nor the generator on fakes
        assert (real_slope <= 0).all()
        assert (fake_slope >= 0).all()
    assert (generator_slope <= 0).all() or (isinstance(loss, LeastSquares) and loss.of == "output")


def test_least_squares_and_smoothing_pull_towards_their_labels() -> None:
    real = torch.tensor([0.5, 1.5], requires_grad=True)
    (slope,) = torch.autograd.grad(LeastSquares().discriminator(real, torch.zeros(2)).sum(), real)
    assert slope.sign().tolist() == [-1, 1]
    best = math.log(0.9 / 0.1)  # the logit at which sigmoid is 0.9
    real = torch.tensor([best - 0.1, best, best + 0.1], requires_grad=True)
    (slope,) = torch.autograd.grad(NonSaturating(real_label=0.9).discriminator(real, torch.zeros(3)).sum(), real)
    assert slope[0] < 0 < slope[2]
    assert slope[1].abs() < 1e-6


@pytest.mark.parametrize("loss", VARIANTS, ids=repr)
def test_near_the_middle_both_players_pay_less_for_what_they_want(loss: AdversarialLoss) -> None:
    real = torch.full((4,), 0.3, requires_grad=True)
    fake = torch.full((4,), 0.2, requires_grad=True)
    costs = loss.discriminator(logits_of(loss, real), logits_of(loss, fake))
    pays = loss.generator(logits_of(loss, real), logits_of(loss, fake))
    real_slope, fake_slope = torch.autograd.grad(costs.sum(), [real, fake])
    (generator_slope,) = torch.autograd.grad(pays.sum(), fake)
    assert (real_slope < 0).all()
    assert (fake_slope > 0).all()
    assert (generator_slope < 0).all()


@pytest.mark.parametrize("loss", VARIANTS, ids=repr)
def test_the_margin_rises_with_the_evidence_for_real(loss: AdversarialLoss) -> None:
    assert (loss.margin(logits_of(loss, torch.linspace(-3, 3, 7))).diff() > 0).all()


def test_the_margin_of_least_squares_is_zero_between_its_labels() -> None:
    assert close(LeastSquares().margin(torch.tensor([0.0, 0.5, 1.0])), [-0.5, 0.0, 0.5])
    assert close(LeastSquares(of="sigmoid").margin(REAL), REAL.tolist())


@dataclass(frozen=True)
class Exponential(AdversarialLoss):
    """A user's own loss, in no union."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return torch.exp(-real_logits) + torch.exp(fake_logits)

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return torch.exp(-fake_logits)


def test_a_users_own_loss_works_through_a_look_and_its_penalties() -> None:
    slope = torch.tensor([1.0, 2.0])
    real, fake = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.zeros(2, 2)
    look = Look(lambda samples: samples @ slope, Exponential(), real, fake, steep=True)
    costs = look.loss.discriminator(look.real_logits, look.fake_logits)
    assert close(costs, [math.exp(-1) + 1, math.exp(-2) + 1])
    assert close(R1(2.0)(look), [5.0, 5.0])
