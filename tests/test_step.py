"""One step in shares: what goes through the networks at a time changes nothing but the memory it takes."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

import mulligan
from mulligan import step as step_module
from mulligan.build import build_game
from mulligan.data import Grid
from mulligan.errors import RecipeError
from mulligan.game import Game, Moment
from mulligan.latents import Normal
from mulligan.losses import Hinge, NonSaturating, RelativisticPairing
from mulligan.memory import out_of_memory
from mulligan.networks import DcganDiscriminator, DcganGenerator, MlpDiscriminator, MlpGenerator, SpectralNorm
from mulligan.penalties import R1, R2
from mulligan.recipe import Recipe
from mulligan.recipes import named
from mulligan.state import game_tensors
from mulligan.step import Step, train_step
from mulligan.views import Points

CPU = torch.device("cpu")
IMAGES = (1, 8, 8)


def images(**changes: Any) -> Recipe:
    small: dict[str, Any] = {
        "latents": Normal(4),
        "generator": DcganGenerator(4, 8),
        "discriminator": DcganDiscriminator(4),
        "precision": "float32",
        "batch": 12,
    }
    return named("mnist").with_(**(small | changes))


def points(**changes: Any) -> Recipe:
    small: dict[str, Any] = {
        "data": Grid(count=64),
        "view": Points(),
        "latents": Normal(4),
        "generator": MlpGenerator((8,), output="linear"),
        "discriminator": MlpDiscriminator((8,)),
        "batch": 12,
    }
    return named("grid").with_(**(small | changes))


GAMES = {
    "a generator with batch norm": (images(), IMAGES),
    "no batch norm": (points(loss=NonSaturating()), (2,)),
    "spectral norm": (points(loss=Hinge(), discriminator_penalties=(), discriminator_constraints=(SpectralNorm(),)), (2,)),
    "one penalty, several updates": (
        points(loss=RelativisticPairing(), discriminator_penalties=(R1(0.5),), discriminator_updates=2, generator_updates=2),
        (2,),
    ),
}


def batches(shape: tuple[int, ...]) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(0)
    while True:
        yield torch.randn(12, *shape, generator=generator).clamp(-1, 1)


def played(recipe: Recipe, shape: tuple[int, ...], steps: int = 1) -> tuple[Game, Step]:
    game, real = build_game(recipe, shape, CPU), batches(shape)
    for number in range(steps):
        last = train_step(game, real, Moment(0, number * 12, 0.0, number))
    return game, last


def gradients(game: Game) -> dict[str, Tensor]:
    players = {"generator": game.generator, "discriminator": game.discriminator}
    return {
        f"{role}.{name}": parameter.grad
        for role, player in players.items()
        for name, parameter in player.net.named_parameters()
        if parameter.grad is not None
    }


@pytest.mark.parametrize("name", GAMES)
@pytest.mark.parametrize("micro_batch", [1, 4, 5])
def test_a_batch_in_shares_is_the_batch(name: str, micro_batch: int) -> None:
    """Gradients, terms and running statistics, to rounding; 5 does not divide the 12 of the batch."""
    recipe, shape = GAMES[name]
    if name == "one penalty, several updates":  # each update follows from the one before: only the first is compared to rounding
        recipe = recipe.with_(discriminator_updates=1, generator_updates=1)
    (whole, step), (shared, shared_step) = (played(changed, shape) for changed in (recipe, recipe.with_(micro_batch=micro_batch)))
    scale = max(gradient.abs().max().item() for gradient in gradients(whole).values())
    for key, gradient in gradients(whole).items():
        # the generator's move follows the discriminator's, where Adam turns rounding in tiny gradients into a part of its step
        assert torch.allclose(
            gradients(shared)[key], gradient, rtol=0, atol=(1e-2 if key.startswith("generator") else 1e-4) * scale
        )
    for term, value in step.terms.items():
        relative = 1e-2 if term.startswith("generator") else 1e-5
        assert shared_step.terms[term].item() == pytest.approx(value.item(), rel=relative, abs=1e-6)
    for (key, one), other in zip(whole.generator.net.named_buffers(), shared.generator.net.buffers(), strict=True):
        assert torch.allclose(one, other, atol=1e-6), key
    for (key, one), other in zip(whole.discriminator.net.named_buffers(), shared.discriminator.net.buffers(), strict=True):
        assert torch.allclose(one, other, atol=1e-6), key


def test_no_pass_takes_more_than_a_share() -> None:
    recipe, shape = GAMES["no batch norm"]
    game = build_game(recipe.with_(micro_batch=5), shape, CPU)
    seen: list[int] = []
    for net in (game.generator.net, game.discriminator.net):
        net.register_forward_hook(lambda module, inputs, result: seen.append(len(inputs[0])))
    train_step(game, batches(shape), Moment(0, 0, 0.0, 0))
    assert max(seen) == 10  # real and fake together
    assert sum(seen) == 12 + 24 + 12 + 12


def test_a_discriminator_that_mixes_its_batch_is_not_shared_out() -> None:
    mixing = named("mnist-dcgan-pooled").discriminator
    with pytest.raises(RecipeError, match="micro_batch=4 would change what the discriminator's batch norm computes"):
        build_game(named("mnist-dcgan-pooled").with_(discriminator=mixing, micro_batch=4), (1, 28, 28), CPU)


class Scarce:
    """Memory for so many samples at a time: more raise what PyTorch raises."""

    def __init__(self, game: Game, most: int, net: str = "discriminator"):
        self.most = most
        getattr(game, net).net.register_forward_pre_hook(self.look)

    def look(self, module: torch.nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if len(inputs[0]) > self.most:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] data. DefaultCPUAllocator: can't allocate memory: you tried")


@pytest.mark.parametrize("name", ["a generator with batch norm", "no batch norm", "spectral norm"])
def test_without_memory_the_batch_is_halved_until_it_fits_and_the_step_is_the_same(name: str) -> None:
    recipe, shape = GAMES[name]
    plenty, _ = played(recipe.with_(micro_batch=3), shape)
    game = build_game(recipe, shape, CPU)
    Scarce(game, 6)
    step = train_step(game, batches(shape), Moment(0, 0, 0.0, 0))
    assert game.micro_batch == 3
    assert step.sound
    mine, wanted = game_tensors(game, game.generator.net), game_tensors(plenty, plenty.generator.net)
    assert [key for key in wanted if not torch.equal(mine[key], wanted[key])] == []


def test_memory_that_ends_in_the_generators_move_does_not_move_the_discriminator_twice() -> None:
    recipe, shape = GAMES["no batch norm"]
    game = build_game(recipe, shape, CPU)
    moves: list[str] = []
    game.discriminator.optimizer.register_step_post_hook(lambda *_: moves.append("discriminator"))
    game.generator.optimizer.register_step_post_hook(lambda *_: moves.append("generator"))
    Scarce(game, 24)
    game.generator.net.register_forward_pre_hook(
        lambda module, inputs: (
            (_ for _ in ()).throw(torch.OutOfMemoryError("CUDA out of memory"))
            if torch.is_grad_enabled() and len(inputs[0]) > 6
            else None
        )
    )
    train_step(game, batches(shape), Moment(0, 0, 0.0, 0))
    assert moves == ["discriminator", "generator"]
    assert game.micro_batch == 6


def test_where_halving_cannot_help_the_error_is_raised() -> None:
    recipe, shape = GAMES["no batch norm"]
    game = build_game(recipe, shape, CPU)
    Scarce(game, 0)
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        train_step(game, batches(shape), Moment(0, 0, 0.0, 0))
    assert game.micro_batch == 1


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (MemoryError(), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_out_of_memory_is_told_from_other_errors(error: Exception, is_one: bool) -> None:
    assert out_of_memory(error) is is_one


def test_a_run_that_has_little_memory_says_so_once_and_remembers(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = named("grid").with_(images=1_024, report_every_images=256, sample_every_images=10**6, checkpoint_every_images=10**6)
    before, told = step_module.with_less_memory, []

    def scarce(game: Game, player: Any, move: Any) -> Any:
        def tight() -> Any:
            if game.micro_batch > 128:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
            return move()

        return before(game, player, tight)

    monkeypatch.setattr(step_module, "with_less_memory", scarce)
    run = mulligan.train(recipe, run=tmp_path / "run", device="cpu", listener=lambda event: told.append(event.get("notice", "")))
    assert [line for line in told if "memory" in line] == [
        "out of memory: from here on 128 samples at a time, with the whole batch's result"
    ]
    assert run.folder.newest_checkpoint()[1]["micro_batch"] == 128


@pytest.mark.parametrize(("penalties", "passes"), [((R1(1.0),), [12, 12]), ((R1(1.0), R2(1.0)), [24]), ((), [24])])
def test_only_the_gradients_that_are_asked_for_are_taken(penalties: tuple[Any, ...], passes: list[int]) -> None:
    recipe, shape = GAMES["no batch norm"]
    game = build_game(recipe.with_(discriminator_penalties=penalties), shape, CPU)
    sizes: list[int] = []
    hook = game.discriminator.net.register_forward_hook(lambda module, inputs, result: sizes.append(len(inputs[0])))
    fake = torch.zeros(12, 2)
    _, look = step_module.discriminator_terms(game, next(batches(shape)), fake, Moment(0, 0, 0.0, 0))
    hook.remove()
    assert sizes == passes
    assert look.fake.requires_grad is (len(penalties) == 2)


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # dynamo looks at it, by itself
def test_compiled_networks_play_the_same_game(monkeypatch: pytest.MonkeyPatch) -> None:
    """With dynamo's own backend, which needs no compiler; the passes that are differentiated twice stay as they are."""
    compiled: list[torch.nn.Module] = []
    compile_with = torch.compile

    def watched(net: torch.nn.Module) -> Any:
        compiled.append(net)
        return compile_with(net, backend="eager")

    monkeypatch.setattr(torch, "compile", watched)
    recipe, shape = GAMES["a generator with batch norm"]
    (plain, step), (quick, quick_step) = (played(changed, shape, 3) for changed in (recipe, recipe.with_(compile=True)))
    assert compiled == [quick.generator.net, quick.discriminator.net]
    for term, value in step.terms.items():
        assert quick_step.terms[term].item() == pytest.approx(value.item(), rel=1e-3)
    mine, wanted = game_tensors(quick, quick.generator.net), game_tensors(plain, plain.generator.net)
    assert mine.keys() == wanted.keys()


def test_running_statistics_of_a_move_that_was_begun_and_not_finished_are_put_back() -> None:
    """The memory ends when the generator's fakes are scored: its batch norm has seen them by then, and sees them again."""
    recipe, shape = GAMES["a generator with batch norm"]
    whole, _ = played(recipe, shape)
    game, with_gradient = build_game(recipe, shape, CPU), []
    game.generator.net.register_forward_hook(lambda module, inputs, result: with_gradient.append(torch.is_grad_enabled()))

    def scarce(module: torch.nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if with_gradient[-1] and with_gradient.count(True) == 1:  # the generator's first try
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    game.discriminator.net.register_forward_pre_hook(scarce)
    train_step(game, batches(shape), Moment(0, 0, 0.0, 0))
    assert game.micro_batch == 6
    for (key, one), other in zip(whole.generator.net.named_buffers(), game.generator.net.buffers(), strict=True):
        assert torch.allclose(one, other, atol=1e-6), key
