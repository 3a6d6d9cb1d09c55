"""The number of threads: tried cheaply, never worse than one, kept by whoever resumes."""

from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest
import torch

import mulligan
from mulligan import api, threads
from mulligan.build import build_game
from mulligan.recipe import Recipe
from mulligan.recipes import named
from mulligan.state import game_tensors
from mulligan.threads import Pace, Trial, candidates, cores, find_threads, try_threads


class Machine:
    """A clock that moves as a machine with so many seconds a step, by the number of threads, would let it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float]):
        self.now, self.threads, self.seconds, self.steps = 0.0, 0, seconds, 0
        monkeypatch.setattr(threads.time, "perf_counter", lambda: self.now)

    def set_threads(self, number: int) -> None:
        self.threads = number

    def step(self) -> None:
        self.now += self.seconds[self.threads]
        self.steps += 1


@pytest.fixture(autouse=True)
def one_thread_afterwards() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("seconds", "best"),
    [({1: 0.05, 2: 0.03}, 2), ({1: 0.05, 2: 0.4}, 1), ({1: 0.05, 2: 0.048}, 1), ({1: 0.08, 2: 0.05, 4: 0.03, 6: 0.5}, 4)],
    ids=["idle", "busy: many times slower", "not worth it", "some of many"],
)
def test_the_fastest_number_is_found(monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float], best: int) -> None:
    machine = Machine(monkeypatch, seconds)
    trial = try_threads(machine.step, machine.set_threads, max(seconds), steps=10_000)
    assert trial is not None
    assert trial.best == best
    assert trial.seconds == pytest.approx(seconds)


@pytest.mark.parametrize("seconds", [{1: 0.001, 2: 0.0006}, {1: 0.05, 2: 0.4}, {1: 1.0, 2: 0.7}])
def test_a_trial_costs_two_seconds_or_a_hundredth_of_the_run(monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float]) -> None:
    machine, steps = Machine(monkeypatch, seconds), 1_000_000
    try_threads(machine.step, machine.set_threads, 2, steps)
    assert machine.now <= max(2.0, 0.01 * seconds[1] * steps)


def test_a_short_run_is_not_worth_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, {1: 0.01, 2: 0.001})
    assert try_threads(machine.step, machine.set_threads, 2, steps=5_000) is None
    assert machine.steps == 2


def test_one_core_leaves_nothing_to_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores", lambda: 1)
    monkeypatch.setattr(threads, "train_step", lambda *arguments: pytest.fail("a step is taken for nothing"))
    assert find_threads(build_game(points(), (2,), torch.device("cpu")), lambda: repeat(torch.zeros(256, 2))) is None


def test_where_a_trial_is_not_worth_it_the_threads_stay_what_the_run_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores", lambda: 2)
    game = build_game(points(), (2,), torch.device("cpu"))
    for held in (2, 1):
        assert find_threads(game, lambda: repeat(torch.zeros(256, 2)), 512, held) is None
        assert torch.get_num_threads() == held


def test_candidates_double_up_to_all_cores() -> None:
    assert [candidates(most) for most in (1, 2, 6, 8)] == [[1], [1, 2], [1, 2, 4, 6], [1, 2, 4, 8]]


def test_the_environment_bounds_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    free = cores()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert cores() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", str(free + 5))
    assert cores() == free


def test_a_trial_leaves_the_game_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = named("mnist").with_(batch=4)
    game, real = build_game(recipe, (1, 28, 28), torch.device("cpu")), torch.zeros(4, 1, 28, 28)
    before = {name: value.clone() for name, value in game_tensors(game, game.generator.net).items()}
    monkeypatch.setattr(threads, "cores", lambda: 2)
    monkeypatch.setattr(threads, "try_threads", lambda step, set_threads, most, steps: step() and None)
    find_threads(game, lambda: repeat(real))
    after = game_tensors(game, game.generator.net)
    assert before.keys() == after.keys()
    assert [name for name in before if not torch.equal(before[name], after[name])] == []


def test_a_pace_is_tried_again_only_when_it_is_slow_for_long() -> None:
    pace = Pace()
    assert not any(pace.note(rate) for rate in (100, 90, 110, 20, 100, 50, 50, 100))
    assert [pace.note(50) for _ in range(3)] == [False, False, True]
    assert not any(pace.note(50) for _ in range(10)), "what came of the trial is the new measure"


def points(**changes: object) -> Recipe:
    return named("grid").with_(
        images=2_048, report_every_images=256, sample_every_images=10**6, checkpoint_every_images=10**6, threads=None, **changes
    )


def test_a_run_records_what_was_found_and_a_resumed_one_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def found(game: object, batches: object, images_seen: int = 0, otherwise: int = 1) -> Trial:
        torch.set_num_threads(2)
        return Trial({1: 0.02, 2: 0.01})

    monkeypatch.setattr(api, "find_threads", found)
    run = mulligan.train(
        points(exact=True), run=tmp_path / "run", listener=lambda event: told.append(event.get("notice", "")), device="cpu"
    )
    assert "threads=2, found by trying (1: 20 ms, 2: 10 ms a step)" in told
    assert run.folder.read_recipe()["machine"]["threads"] == 2
    assert {event["threads"] for event in run.events} == {2}
    torch.set_num_threads(1)
    mulligan.resume(tmp_path / "run")
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("changes", "tries"), [({}, 1), ({"exact": True}, 0), ({"threads": 1}, 0)], ids=["free", "exact", "set"])
def test_a_run_that_got_slow_is_tried_again_unless_it_asked_for_exactness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], tries: int
) -> None:
    from mulligan import training

    calls: list[int] = []

    def found(game: object, batches: object, images_seen: int = 0, otherwise: int = 1) -> Trial:
        calls.append(images_seen)
        torch.set_num_threads(2)
        return Trial({1: 0.02, 2: 0.01})

    torch.set_num_threads(1)
    monkeypatch.setattr(training, "find_threads", found)
    monkeypatch.setattr(threads.Pace, "note", lambda self, rate: len(calls) == 0)
    monkeypatch.setattr(api, "find_threads", lambda *arguments: None)
    run = mulligan.train(points().with_(**changes), run=tmp_path / "run", device="cpu")
    assert len(calls) == tries
    if tries:
        _, facts, _ = run.folder.newest_checkpoint(until=calls[0])
        assert (facts["images_seen"], facts["steps_since_report"]) == (calls[0], 0), (
            "whoever resumes starts there, with no step counted twice"
        )


def test_a_trial_ends_when_it_has_seen_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, {1: 0.05, 2: 0.4})
    try_threads(machine.step, machine.set_threads, 2, steps=10**9)
    assert machine.steps < 40
