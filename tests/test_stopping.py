"""Stopping: on a signal, by the clock, in the middle of a long step; and only one process in a run folder."""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import mulligan
from mulligan import training
from mulligan.data import Grid
from mulligan.errors import ArgumentError, HungUp, RunFolderError, Stopped, Terminated, TimeUp
from mulligan.recipe import Recipe
from mulligan.recipes import named
from mulligan.rundir import RunFolder
from mulligan.step import play
from mulligan.stopping import stop_on_signals
from mulligan.training import Training


def recipe(**changes: Any) -> Recipe:
    small: dict[str, Any] = {"data": Grid(count=100), "batch": 16, "images": 320, "report_every_images": 64, "best": None}
    return named("grid").with_(**(small | {"sample_every_images": 10**9, "checkpoint_every_images": 10**9} | changes))


def before_step(monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[Training], object]) -> None:
    count, step = itertools.count(1), Training.step

    def counted(training: Training) -> None:
        if next(count) == number:
            act(training)
        step(training)

    monkeypatch.setattr(Training, "step", counted)


SIGNALS = [(signal.SIGINT, Stopped, 130), (signal.SIGTERM, Terminated, 143)]
if hasattr(signal, "SIGHUP"):
    SIGNALS.append((signal.SIGHUP, HungUp, 129))


@pytest.fixture
def heard_hangups() -> Iterator[None]:
    """Also where the tests themselves run under `nohup`, which passes a deaf ear on."""
    before = {number: signal.getsignal(number) for number, _, _ in SIGNALS}
    for number, handler in before.items():
        if handler is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("heard_hangups")
@pytest.mark.parametrize(("number", "error", "status"), SIGNALS, ids=lambda value: getattr(value, "name", None))
def test_a_signal_saves_the_step_under_way_and_the_run_goes_on_exactly(
    number: signal.Signals, error: type[Stopped], status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = mulligan.train(recipe(), run=tmp_path / "straight", device="cpu")
    with monkeypatch.context() as patch, pytest.raises(error) as caught:
        before_step(patch, 7, lambda training: os.kill(os.getpid(), number))
        mulligan.train(recipe(), run=tmp_path / "run", device="cpu")
    assert caught.value.exit_status == status
    folder = RunFolder.open(tmp_path / "run")
    assert folder.newest_checkpoint()[1]["images_seen"] == 7 * 16  # the step that was under way is not lost
    mulligan.resume(tmp_path / "run")
    one, two = (place.newest_checkpoint()[0] for place in (straight.folder, folder))
    assert [name for name in one if not torch.equal(one[name], two[name])] == []


def test_handlers_are_put_back_for_a_second_signal_and_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT)
    asked: list[type[Stopped]] = []
    with stop_on_signals(asked.append):
        os.kill(os.getpid(), signal.SIGINT)
        assert asked == [Stopped]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no SIGHUP here")
def test_a_hangup_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signals(lambda reason: pytest.fail("asked to stop")):
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_long_step_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked to stop within a step that takes long, the state before it is on the disk before the step ends; then the step's own."""
    monkeypatch.setattr(training, "SLOW_STEP", -1.0)  # every step counts as a long one
    found: list[int] = []
    runs: list[Training] = []
    init = Training.__init__

    def kept(self: Training, *arguments: Any) -> None:
        init(self, *arguments)
        runs.append(self)

    def long_step(*arguments: Any) -> Any:
        result = play(*arguments)
        if runs[0].images_seen == 5 * 16:
            os.kill(os.getpid(), signal.SIGTERM)
            deadline = time.monotonic() + 30
            while RunFolder(tmp_path / "run").newest_checkpoint()[1]["images_seen"] != 5 * 16 and time.monotonic() < deadline:
                time.sleep(0.01)
            found.append(RunFolder(tmp_path / "run").newest_checkpoint()[1]["images_seen"])
        return result

    monkeypatch.setattr(Training, "__init__", kept)
    monkeypatch.setattr(training, "play", long_step)
    with pytest.raises(Terminated):
        mulligan.train(recipe(), run=tmp_path / "run", device="cpu")
    assert found == [5 * 16]
    assert RunFolder(tmp_path / "run").newest_checkpoint()[1]["images_seen"] == 6 * 16


def test_after_max_hours_the_run_is_saved_and_goes_on_exactly(tmp_path: Path) -> None:
    straight = mulligan.train(recipe(), run=tmp_path / "straight", device="cpu")
    with pytest.raises(TimeUp, match=r"stopped at 0 of 320 images, saved; go on with `mulligan resume ") as caught:
        mulligan.train(recipe(), run=tmp_path / "run", device="cpu", max_hours=1e-9)
    assert caught.value.exit_status == 0
    with pytest.raises(TimeUp):
        mulligan.resume(tmp_path / "run", max_hours=1e-9)
    resumed = mulligan.resume(tmp_path / "run", max_hours=1.0)
    one, two = (run.folder.newest_checkpoint()[0] for run in (straight, resumed))
    assert [name for name in one if not torch.equal(one[name], two[name])] == []
    with pytest.raises(ArgumentError, match=r"max_hours=-1 is not positive"):
        mulligan.resume(tmp_path / "run", max_hours=-1)


def test_a_run_belongs_to_one_process_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def second(training: Training) -> None:
        with pytest.raises(RunFolderError) as caught:
            mulligan.resume(tmp_path / "run")
        seen.append(str(caught.value))

    before_step(monkeypatch, 3, second)
    mulligan.train(recipe(), run=tmp_path / "run", device="cpu")
    assert seen == [f"run={tmp_path}/run is being trained by another process; wait for it, stop it, or choose another --run"]
    mulligan.resume(tmp_path / "run")  # it has let go


def test_a_dead_process_holds_no_lock_and_its_rubbish_is_swept(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run")
    code = (
        "import sys; from pathlib import Path; from mulligan.rundir import RunFolder\n"
        "with RunFolder(Path(sys.argv[1])).claim():\n    print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(folder.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdin and holder.stdout
    with holder.stdin, holder.stdout:
        assert holder.stdout.readline() == "held\n"
        (folder.path / "checkpoints" / ".000000064.safetensors.1.tmp").write_bytes(b"half")
        with pytest.raises(RunFolderError, match="is being trained by another process"), folder.claim():
            pass
        holder.kill()
        holder.wait()
    with folder.claim():
        assert list((folder.path / "checkpoints").iterdir()) == []


def test_two_trainings_that_begin_at_once_get_two_folders(tmp_path: Path) -> None:
    paths = {RunFolder.create_next(tmp_path, "mnist").path.name for _ in range(3)}
    assert paths == {"mnist-0001", "mnist-0002", "mnist-0003"}


def test_a_folder_that_became_a_run_meanwhile_is_refused(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run")
    folder.begin("{}")
    with pytest.raises(RunFolderError, match="already holds a run"):
        folder.begin("{}")
