"""What a run does when it falls ill: nothing sick is kept, it goes back, and the run with its answers is still exact."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import mulligan
from mulligan.data import ArrayFile, Ring
from mulligan.ema import Ema
from mulligan.errors import Collapsed, Diverged, Outplayed, Sick, Stopped
from mulligan.losses import Minimax, NonSaturating
from mulligan.networks import DcganDiscriminator, DcganGenerator, MlpDiscriminator, MlpGenerator
from mulligan.packed import unpack
from mulligan.recipe import Adam, Recipe
from mulligan.recipes import named
from mulligan.rundir import RunFolder
from mulligan.training import Training
from mulligan.watch import Watch


@pytest.fixture
def tiny(tmp_path: Path) -> Recipe:
    """Convolutions with batch norm on 8 x 8 pictures, so that running statistics are at stake too."""
    np.save(tmp_path / "x.npy", np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8))
    return named("mnist").with_(
        data=ArrayFile(str(tmp_path / "x.npy")),
        generator=DcganGenerator(4),
        discriminator=DcganDiscriminator(4),
        loss=NonSaturating(),
        discriminator_penalties=(),
        precision="float32",
        ema=Ema(64),
        batch=4,
        images=800,
        report_every_images=40,
        sample_every_images=10_000,
        checkpoint_every_images=32,
        watch=Watch(most_answers=1_000),
    )


def inject(training: Training, kind: str, patch: pytest.MonkeyPatch, number: int) -> None:
    """One number that is none, somewhere in the step that follows."""
    bad = [float("nan"), float("inf"), -float("inf")][number % 3]
    player = [training.game.generator, training.game.discriminator][number % 2]
    parameter = player.parameters[number % len(player.parameters)]
    if kind == "weight":
        torch.as_strided(parameter.data, (parameter.numel(),), (1,))[number % parameter.numel()] = bad
    if kind == "gradient":
        handle = parameter.register_hook(lambda gradient: gradient * 0 + bad)
        patch.setattr(training, "after_step", handle.remove, raising=False)
    if kind == "loss":
        original = NonSaturating.discriminator
        patch.setattr(NonSaturating, "discriminator", lambda self, real, fake: original(self, real, fake) * bad)
    if kind == "data":
        original_batches = training.batches

        def spoilt() -> Iterator[Tensor]:
            for batch in original_batches():
                yield torch.where(torch.arange(batch.numel()).view_as(batch) == number, bad, batch)

        patch.setattr(training, "batches", spoilt)


def finite(tensors: dict[str, Tensor]) -> bool:
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values())


@pytest.mark.parametrize("kind", ["loss", "gradient", "weight", "data"])
def test_of_twenty_five_injections_none_reaches_weights_average_or_checkpoint(
    kind: str, tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, injected, step = itertools.count(), [], Training.step
    moments = set(np.random.default_rng(0).choice(np.arange(2, 180), 25, replace=False).tolist())

    def watched(training: Training) -> None:
        number = next(count)
        with monkeypatch.context() as patch:
            if number in moments:
                inject(training, kind, patch, len(injected))
                injected.append(number)
            step(training)
            getattr(training, "after_step", lambda: None)()
        assert finite(dict(training.average.state_dict()))
        if kind != "weight":
            assert finite(dict(training.game.generator.net.state_dict()))
            assert finite(dict(training.game.discriminator.net.state_dict()))

    monkeypatch.setattr(Training, "step", watched)
    run = mulligan.train(tiny, run=tmp_path / "run", device="cpu")
    assert len(injected) == 25
    assert all(finite(unpack(path)[0]) for path in run.folder.checkpoints())
    went_back = [event["alarm"] for event in run.events if "alarm" in event]
    assert bool(went_back) is (kind == "weight")  # a network that is spoilt itself is taken from its last checkpoint
    assert sum(event["vitals"]["refused"] for event in run.events) >= 25 - len(went_back)


def test_a_refused_move_changes_nothing(tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spoilt data spoil the discriminator's move; not a bit of it, of its moments, its statistics or the average moves."""
    states: list[dict[str, Tensor]] = []
    own = ("average.", "discriminator.", "optimizer.discriminator.")
    step, count = Training.step, itertools.count()

    def watched(training: Training) -> None:
        before = training.snapshot().tensors
        with monkeypatch.context() as patch:
            spoilt = next(count) == 3
            if spoilt:
                inject(training, "data", patch, 0)
            step(training)
        if spoilt:
            for side in (before, training.snapshot().tensors):
                states.append({name: value for name, value in side.items() if name.startswith(own)})

    monkeypatch.setattr(Training, "step", watched)
    mulligan.train(tiny.with_(images=40), run=tmp_path / "run", device="cpu")
    before, after = states
    assert any(name.endswith("running_var") for name in before)
    assert before.keys() == after.keys()
    assert [name for name in before if not torch.equal(before[name], after[name])] == []


def points(**changes: Any) -> Recipe:
    small: dict[str, Any] = {
        "data": Ring(count=2_000),
        "batch": 64,
        "images": 64_000,
        "report_every_images": 640,
        "sample_every_images": 10**9,
        "checkpoint_every_images": 2_560,
        "discriminator_penalties": (),
        "watch": Watch(most_answers=1, patience=0.2),
    }
    return named("ring").with_(**(small | changes))


ILL: dict[type[Sick], Recipe] = {
    Diverged: points(generator_optimizer=Adam(0.5), discriminator_optimizer=Adam(0.5)),
    Outplayed: points(
        loss=Minimax(),
        generator=MlpGenerator((), output="linear"),
        discriminator_updates=5,
        generator_optimizer=Adam(1e-6, 0.0),
        discriminator_optimizer=Adam(3e-3, 0.9),
        images=192_000,
        report_every_images=3_200,
        watch=Watch(most_answers=1, patience=0.1, vanishing_gradient=0.1, rate_factor=0.9),
    ),
    Collapsed: points(
        loss=NonSaturating(),
        generator=MlpGenerator((128, 128), output="tanh"),
        discriminator=MlpDiscriminator((8,)),
        generator_updates=3,
        generator_optimizer=Adam(1e-2, 0.5),
        discriminator_optimizer=Adam(1e-3, 0.5),
    ),
}


@pytest.mark.parametrize("error", ILL)
def test_a_run_made_to_be_sick_is_recognised_answered_and_given_up(error: type[Sick], tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(error) as caught:
        mulligan.train(ILL[error], run=tmp_path / "run", device="cpu", listener=lambda event: said.append(event.get("notice", "")))
    assert caught.value.exit_status == 1
    kind = error.__name__.lower()
    run = mulligan.Run(tmp_path / "run")
    alarms = [event["alarm"] for event in run.events if "alarm" in event]
    assert [(alarm["kind"], alarm["action"]) for alarm in alarms] == [(kind, "go-back"), (kind, "give-up")]
    assert alarms[0]["rate_factors"]["discriminator"] == (0.9 if error is Outplayed else 0.3)
    assert alarms[0]["rate_factors"]["generator"] == (1.0 if error is Outplayed else 0.3)
    assert any(text.startswith(f"{kind} at ") and "going back to " in text for text in said)
    _, facts, _ = run.folder.newest_checkpoint()
    assert facts["images_seen"] == alarms[-1]["back_to"]  # what is left is the last healthy state
    assert run.sample(4).isfinite().all()


def test_a_run_with_its_answers_resumes_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = ILL[Diverged].with_(images=6_400, watch=Watch(most_answers=3, rate_factor=0.01))
    straight = mulligan.train(recipe, run=tmp_path / "straight", device="cpu")
    assert sum("alarm" in event for event in straight.events) == 1
    for stop_after in (12, 25, 60):
        broken = tmp_path / f"broken-{stop_after}"
        with monkeypatch.context() as patch:
            count, step = itertools.count(1), Training.step

            def counted(training: Training, count: Any = count, stop_after: int = stop_after, step: Any = step) -> None:
                step(training)
                if next(count) == stop_after:
                    training.ask_to_stop()

            patch.setattr(Training, "step", counted)
            with pytest.raises(Stopped):
                mulligan.train(recipe, run=broken, device="cpu")
        mulligan.resume(broken)
        assert without_clock(straight) == without_clock(mulligan.Run(broken))
        one, two = (RunFolder.open(path).newest_checkpoint()[0] for path in (straight.path, broken))
        assert [name for name in one if not torch.equal(one[name], two[name])] == []


def without_clock(run: mulligan.Run) -> list[dict[str, Any]]:
    events = run.events
    for event in events:
        del event["seconds"], event["rates"]["images_per_second"]
    return events


@pytest.mark.parametrize("place", ["before the new checkpoint", "before the sick ones are gone"])
def test_a_kill_while_going_back_does_no_harm(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = ILL[Diverged].with_(images=6_400, checkpoint_every_images=320, watch=Watch(most_answers=3, rate_factor=0.01))
    straight = mulligan.train(recipe, run=tmp_path / "straight", device="cpu")
    method = "drop_checkpoints_after"
    if place == "before the new checkpoint":
        method = "save_now"

    def killed(*arguments: Any, **options: Any) -> None:
        raise SystemExit("as if killed")

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(f"mulligan.keeper.Keeper.{method}" if method == "save_now" else f"mulligan.rundir.RunFolder.{method}", killed)
        mulligan.train(recipe, run=tmp_path / "killed", device="cpu")
    mulligan.resume(tmp_path / "killed")
    assert without_clock(straight) == without_clock(mulligan.Run(tmp_path / "killed"))
    one, two = (RunFolder.open(tmp_path / name).newest_checkpoint()[0] for name in ("straight", "killed"))
    assert [name for name in one if not torch.equal(one[name], two[name])] == []


def test_the_watch_can_only_tell_or_stop_at_once(tmp_path: Path) -> None:
    recipe = ILL[Diverged].with_(images=3_200)
    run = mulligan.train(recipe, watch=Watch("tell"), run=tmp_path / "tell", device="cpu")
    assert {event["alarm"]["action"] for event in run.events if "alarm" in event} == {"tell"}
    assert run.events[-1]["images"] == 3_200
    assert run.events[-1]["health"] == "diverged"
    with pytest.raises(Diverged):
        mulligan.train(recipe, watch=Watch("stop"), run=tmp_path / "stop", device="cpu")
    unwatched = mulligan.train(recipe, watch=None, run=tmp_path / "none", device="cpu")
    assert not any("alarm" in event for event in unwatched.events)


def test_without_a_watch_numbers_that_are_none_still_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NonSaturating, "discriminator", lambda self, real, fake: real * float("nan"))
    with pytest.raises(Diverged, match="the last 10 steps gave numbers that are not finite, and were not taken"):
        mulligan.train(points(loss=NonSaturating(), watch=None), run=tmp_path / "run", device="cpu")
