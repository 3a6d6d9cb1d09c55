"""The game: who moves, who does not, and how often."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mulligan.build import build_game
from mulligan.data import Grid
from mulligan.errors import RecipeError
from mulligan.game import Game, Moment, discriminator_terms, generator_terms
from mulligan.latents import Normal
from mulligan.losses import Hinge, NonSaturating
from mulligan.networks import MlpDiscriminator, MlpGenerator, SpectralNorm
from mulligan.networks.batch_memory import held_still
from mulligan.parts import AdversarialLoss, Look, Shape, Terms
from mulligan.penalties import R1, R2
from mulligan.player import Share, settle
from mulligan.recipe import Adam, Recipe
from mulligan.recipes import named
from mulligan.state import game_tensors
from mulligan.step import generator_shares, train_step
from mulligan.views import Points

MOMENT = Moment(seed=0, images_seen=0, progress=0.0, update=0)
CPU = torch.device("cpu")


@dataclass(frozen=True)
class NormedGenerator:
    """A generator that records the latents it was given."""

    heard: list[Tensor] = field(default_factory=list)

    def build(self, latents: int, shape: Shape) -> nn.Module:
        net = nn.Sequential(nn.Linear(latents, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, shape[0]))
        net.register_forward_pre_hook(lambda module, inputs: self.heard.append(inputs[0].clone()))
        return net


@dataclass(frozen=True)
class NormedDiscriminator:
    def build(self, shape: Shape, logits: int) -> nn.Module:
        return nn.Sequential(nn.Linear(shape[0], 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, logits))


def recipe(**changes: Any) -> Recipe:
    small: dict[str, Any] = {
        "data": Grid(count=64),
        "view": Points(),
        "latents": Normal(2),
        "generator": NormedGenerator(),
        "discriminator": NormedDiscriminator(),
        "loss": NonSaturating(),
        "discriminator_penalties": (),
        "batch": 16,
    }
    return named("grid").with_(**(small | changes))


def game(**changes: Any) -> Game:
    return build_game(recipe(**changes), (2,), CPU)


def real_batches() -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(0)
    while True:
        yield torch.randn(16, 2, generator=generator) + 3


def see(playing: Game, real: Tensor, latents: Tensor, moment: Moment) -> tuple[Terms, Look]:
    with torch.no_grad(), held_still(playing.generator.net):
        fake = playing.generate(latents)
    return discriminator_terms(playing, real, fake, moment)


def state(net: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in net.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("constraints", [(), (SpectralNorm(),)], ids=["plain", "spectral norm"])
def test_moving_one_player_never_moves_the_other(constraints: tuple[Any, ...]) -> None:
    """Neither parameters nor buffers: running statistics and spectral vectors are a player's own."""
    playing = game(discriminator_constraints=constraints)
    latents, real = torch.randn(16, 2), next(real_batches())
    generator, discriminator = state(playing.generator.net), state(playing.discriminator.net)
    terms, _ = see(playing, real, latents, MOMENT)
    playing.discriminator.move([Share(terms)], 0.0)
    assert same(generator, state(playing.generator.net))
    assert not same(discriminator, state(playing.discriminator.net))
    discriminator = state(playing.discriminator.net)
    playing.generator.move(generator_shares(playing, real, latents), 0.0)
    assert same(discriminator, state(playing.discriminator.net))
    assert not same(generator, state(playing.generator.net))


def test_no_gradient_is_left_with_the_player_that_does_not_move() -> None:
    playing = game()
    playing.generator.move(generator_shares(playing, next(real_batches()), torch.randn(16, 2)), 0.0)
    assert all(parameter.grad is None for parameter in playing.discriminator.parameters)
    assert all(parameter.grad is not None for parameter in playing.generator.parameters)


def test_players_move_as_often_as_the_recipe_says() -> None:
    playing = game(discriminator_updates=3, generator_updates=2)
    moves: list[str] = []
    for role in ("discriminator", "generator"):
        optimizer = getattr(playing, role).optimizer
        optimizer.register_step_post_hook(lambda *_, role=role: moves.append(role))
    train_step(playing, real_batches(), MOMENT)
    assert moves == ["discriminator"] * 3 + ["generator"] * 2


@pytest.mark.parametrize("shared", [True, False])
def test_latents_are_fresh_for_each_update_unless_shared(shared: bool) -> None:
    generator = NormedGenerator()
    playing = game(generator=generator, generator_updates=2, generator_updates_share_latents=shared)
    generator.heard.clear()
    train_step(playing, real_batches(), MOMENT)
    for_discriminator, first, second = generator.heard
    assert not torch.equal(for_discriminator, first)
    assert torch.equal(first, second) is shared


def test_a_lazy_penalty_is_due_every_so_often_and_that_many_times_as_strong() -> None:
    always, lazily = game(discriminator_penalties=(R1(2.0),)), game(discriminator_penalties=(R1(2.0, every=4),))
    real, latents = next(real_batches()), torch.randn(16, 2)
    plain, _ = see(always, real, latents, MOMENT)
    due, _ = see(lazily, real, latents, MOMENT)
    not_due, _ = see(lazily, real, latents, Moment(0, 0, 0.0, update=3))
    assert torch.allclose(due["r1"], 4 * plain["r1"])
    assert set(not_due) == {"adversarial"}


def test_a_step_is_a_function_of_its_moment() -> None:
    results = []
    for _ in range(2):
        playing = game(discriminator_penalties=(R1(1.0), R2(1.0)))
        terms = train_step(playing, real_batches(), Moment(5, 320, 0.2, 20)).terms
        results.append((terms, state(playing.generator.net), state(playing.discriminator.net)))
    assert results[0][0] == results[1][0]
    assert same(results[0][1], results[1][1])
    assert same(results[0][2], results[1][2])
    other = train_step(game(discriminator_penalties=(R1(1.0), R2(1.0))), real_batches(), Moment(5, 336, 0.2, 21)).terms
    assert other != results[0][0]


def test_one_pass_serves_both_only_without_batch_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    for discriminator, passes in ((NormedDiscriminator(), [16, 16]), (MlpDiscriminator((4,)), [32])):
        playing, sizes = game(discriminator=discriminator), []
        playing.discriminator.net.register_forward_hook(lambda module, inputs, result, sizes=sizes: sizes.append(len(inputs[0])))
        see(playing, next(real_batches()), torch.randn(16, 2), MOMENT)
        assert sizes == passes


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_terms_are_float32_one_per_sample_whatever_the_precision(precision: str) -> None:
    playing = game(precision=precision, discriminator_penalties=(R1(1.0),), loss=Hinge(), discriminator=MlpDiscriminator((8,)))
    terms, look = see(playing, next(real_batches()), torch.randn(16, 2), MOMENT)
    assert {name: (tuple(term.shape), term.dtype) for name, term in terms.items()} == {
        "adversarial": ((16,), torch.float32),
        "r1": ((16,), torch.float32),
    }
    assert isinstance(look, Look)


def test_bfloat16_gives_the_same_penalties_to_its_rounding() -> None:
    prices = []
    for precision in ("float32", "bfloat16"):
        playing = game(precision=precision, discriminator_penalties=(R1(1.0),), discriminator=MlpDiscriminator((64, 64)))
        terms, _ = see(playing, next(real_batches()), torch.zeros(16, 2), MOMENT)
        prices.append(terms["r1"].detach())
    assert prices[0].mean().item() == pytest.approx(prices[1].mean().item(), rel=0.15)
    assert not torch.equal(*prices)


def test_schedules_reach_the_optimiser() -> None:
    from mulligan.schedules import Linear

    playing = game(generator_optimizer=Adam(Linear(1e-2, 0.0)))
    train_step(playing, real_batches(), Moment(0, 0, 0.75, 0))
    assert playing.generator.optimizer.param_groups[0]["lr"] == pytest.approx(2.5e-3)


def test_networks_that_do_not_fit_are_refused_before_the_first_step() -> None:
    @dataclass(frozen=True)
    class Wide:
        def build(self, latents: int, shape: Shape) -> nn.Module:
            return nn.Linear(latents, 5)

    with pytest.raises(RecipeError) as caught:
        game(generator=Wide())
    assert str(caught.value) == "the generator makes samples of shape (5,) and the data has (2,); choose a generator that fits"


def test_checking_shapes_leaves_no_trace() -> None:
    playing = game()
    assert playing.generator.net.state_dict()["1.num_batches_tracked"] == 0


def test_a_game_learns() -> None:
    """A linear generator finds the mean of its data, 3 away from where it starts."""
    playing = game(
        generator=MlpGenerator((), output="linear"),
        discriminator=MlpDiscriminator((32,)),
        discriminator_penalties=(R1(0.1), R2(0.1)),
        generator_optimizer=Adam(1e-2, 0.0, 0.9),
        discriminator_optimizer=Adam(1e-2, 0.0, 0.9),
    )
    before = playing.generate(playing.draw(500, np.random.default_rng(0))).mean(0)
    batches = real_batches()
    for step in range(300):
        train_step(playing, batches, Moment(0, step * 16, 0.0, step))
    after = playing.generate(playing.draw(500, np.random.default_rng(0))).mean(0)
    assert (before - 3).abs().max() > 2
    assert (after - 3).abs().max() < 0.5


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_whole_step_moves_both_players_in_either_precision(precision: str) -> None:
    playing = game(precision=precision, discriminator_penalties=(R1(1.0), R2(1.0)))
    before = state(playing.generator.net), state(playing.discriminator.net)
    terms = train_step(playing, real_batches(), MOMENT).terms
    assert all(torch.isfinite(term) for term in terms.values())
    for player, start in zip((playing.generator, playing.discriminator), before, strict=True):
        assert not same(start, state(player.net))
        assert all(value.isfinite().all() for value in player.net.state_dict().values())


@dataclass(frozen=True)
class Linearised(AdversarialLoss):
    """A user's own loss, in no union."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return 3 * fake_logits - 2 * real_logits

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return -5 * fake_logits


def test_a_users_own_loss_plays() -> None:
    playing = game(loss=Linearised(), discriminator=MlpDiscriminator((4,)))
    real, latents = next(real_batches()), torch.randn(16, 2, generator=torch.Generator().manual_seed(0))
    terms, look = see(playing, real, latents, MOMENT)
    assert torch.equal(terms["adversarial"], 3 * look.fake_logits - 2 * look.real_logits)
    pays = generator_terms(playing, real, playing.generate(latents))["adversarial"]
    assert torch.allclose(pays, -5 * look.fake_logits, atol=1e-5)


def test_a_move_tells_the_norm_of_its_gradient() -> None:
    playing = game(discriminator=MlpDiscriminator((8,)))
    terms, _ = see(playing, next(real_batches()), torch.randn(16, 2), MOMENT)
    move = playing.discriminator.move([Share(terms)], 0.0)
    gradients = torch.cat(
        [parameter.grad.flatten() for parameter in playing.discriminator.parameters if parameter.grad is not None]
    )
    assert torch.allclose(move.gradient, gradients.norm())
    assert move.sound


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_move_with_terms_that_are_no_numbers_is_refused_whole(bad: float) -> None:
    """Weights, moments, step counts and running statistics stay as they were; the next sound move goes on from there."""
    playing = game()
    train_step(playing, real_batches(), MOMENT)
    before = {name: value.clone() for name, value in game_tensors(playing, playing.generator.net).items()}
    real = next(real_batches())
    real[3, 1] = bad
    terms, _ = see(playing, real, torch.randn(16, 2), MOMENT)
    assert not playing.discriminator.move([Share(terms)], 0.0).sound
    after = game_tensors(playing, playing.generator.net)
    assert [name for name in before if not torch.equal(before[name], after[name])] == []
    assert train_step(playing, real_batches(), MOMENT).sound


@pytest.mark.parametrize("look", [True, False])
def test_buffers_are_kept_or_put_back_with_or_without_looking(look: bool) -> None:
    for sound, expected in ((True, 2.0), (False, 1.0)):
        new, kept = [torch.tensor([2.0, 2.0]), torch.tensor(2)], [torch.tensor([1.0, 1.0]), torch.tensor(1)]
        if not sound:
            new[0].fill_(float("nan"))
        settle(torch.tensor(sound), new, kept, look=look)
        assert [value.float().mean().item() for value in (*new, *kept)] == [expected] * 4


def test_a_penalty_alone_can_spoil_a_step_and_the_step_says_so() -> None:
    step = train_step(game(discriminator_penalties=(R1(float("inf")),)), real_batches(), MOMENT)
    assert not step.sound
    assert torch.isfinite(step.terms["generator.adversarial"])
