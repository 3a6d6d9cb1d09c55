"""The command line as a person meets it: what it does, and one line for every mistake."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mulligan.cli import COMMANDS, main
from mulligan.recipes import RECIPES
from mulligan.rundir import RunFolder

GAUSSIAN = ["train", "gaussian", "--images", "40", "--device", "cpu"]


def complaint(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The exit status and what stood on the error stream."""
    capsys.readouterr()
    status = main(list(words))
    return status, capsys.readouterr().err.rstrip("\n")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main([*GAUSSIAN, "--run", str(tmp_path / "run")]) == 0
    return tmp_path / "run"


def test_help_and_recipes_list_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    overview = capsys.readouterr().out
    assert all(f"mulligan {name}" in overview for name in COMMANDS)


def test_recipes_prints_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    main(["recipes"])
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(RECIPES)


def test_train_shows_progress_and_says_where_the_run_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*GAUSSIAN, "--run", str(tmp_path / "run")]) == 0
    out = capsys.readouterr().out
    assert f"training gaussian into {tmp_path}/run: 1,000 samples of 2, generator 6 and discriminator 41 parameters" in out.replace(
        "\n", " "
    ).replace("  ", " ")
    assert re.search(r"40/40 images  [\d,]+/s  0:00 left  discriminator 1\.\d+  generator 0\.\d+  mean_error ", out)
    assert "balanced" in out


def test_parts_and_nested_fields_change_from_the_command_line(tmp_path: Path) -> None:
    words = ["--loss", "minimax:log-of-sum=true", "--discriminator-penalties", "r1:gamma=0.5", "r2:gamma=cosine"]
    assert main([*GAUSSIAN, "--run", str(tmp_path / "a"), *words[:-1]]) == 0
    recipe = RunFolder.open(tmp_path / "a").read_recipe()["recipe"]
    assert recipe["loss"] == {"type": "minimax", "log_of_sum": True}
    assert recipe["discriminator_penalties"] == [{"type": "r1", "gamma": 0.5, "every": 1}]
    nested = ["--generator-optimizer.rate", "linear:start=0.02,end=0.001", "--discriminator.hidden", "7", "--seed=3"]
    assert main([*GAUSSIAN, "--run", str(tmp_path / "b"), *nested]) == 0
    recipe = RunFolder.open(tmp_path / "b").read_recipe()["recipe"]
    assert recipe["generator_optimizer"]["rate"] == {"type": "linear", "start": 0.02, "end": 0.001, "begins": 0.0, "ends": 1.0}
    assert recipe["discriminator"]["hidden"] == [7]
    assert recipe["seed"] == 3
    off = ["--discriminator-penalties", "--ema", "none"]
    assert main(["train", "grid", "--images", "512", "--device", "cpu", "--run", str(tmp_path / "c"), *off]) == 0
    recipe = RunFolder.open(tmp_path / "c").read_recipe()["recipe"]
    assert (recipe["discriminator_penalties"], recipe["ema"]) == ([], None)


def test_train_help_names_the_parts_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["train", "--help"])
    out = capsys.readouterr().out
    assert caught.value.code == 0
    assert "--images" in out
    assert "relativistic-pairing" in out
    assert "gradient-penalty" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian"], "mulligan: trian is no command; did you mean train?"),
        (["train", "mnst"], "mulligan: recipe=mnst is not known; did you mean mnist?"),
        (["train", "zzz"], "mulligan: recipe=zzz is not known; `mulligan recipes` lists them"),
        (["train", "--imgaes", "5"], "mulligan: mulligan train has no --imgaes; did you mean --images?"),
        (
            ["train", "--images", "many"],
            "mulligan: --images=many is not possible: a whole number is needed; `mulligan train --help` shows what it takes",
        ),
        (["train", "--images", "0"], "mulligan: images=0 is too small or no whole number; use 1 or more"),
        (["train", "--precision", "float8"], "mulligan: --precision=float8 is not possible; choose one of float32, bfloat16, auto"),
        (
            ["train", "--loss", "hing"],
            "mulligan: --loss=hing is not one of minimax, non-saturating, least-squares, hinge, wasserstein, "
            "softmax-cross-entropy, relativistic-pairing; did you mean hinge?",
        ),
        (
            ["train", "--discriminator-penalties", "r1:gama=2"],
            "mulligan: --discriminator-penalties has no field gama; r1 has gamma, every",
        ),
        (["train", "--data", "mnits"], "mulligan: data=mnits does not exist and is no known name; did you mean mnist?"),
        (
            ["train", "ring", "--data", "mnist"],
            "mulligan: recipe=ring is for points and the data holds images of shape (1, 28, 28); "
            "choose a recipe for images, such as mnist",
        ),
        (
            ["train", "gaussian", "--batch", "2000"],
            "mulligan: batch=2000 is larger than the data, which has 1000 samples; use --batch 1000 or less",
        ),
        (
            ["train", "--image-size", "27"],
            "mulligan: generator=dcgan-generator cannot work at 27 x 27 pixels: the sides must halve evenly down to 4, 5, 6 or 7; "
            "use --image-size 28",
        ),
        (
            ["sample", "nowhere"],
            "mulligan: run=nowhere does not exist, so it is not a run; start one with `mulligan train --run nowhere`",
        ),
        (["sample", "nowhere", "--n", "0"], "mulligan: --n=0 is too small; ask for 1 or more"),
        (["resume"], "mulligan: there is no run in runs/ to go on with; name its folder: `mulligan resume RUN`"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_status_2(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert complaint(capsys, *words) == (2, message)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_images_and_a_folder_that_is_no_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert complaint(capsys, "train", "--data", str(tmp_path)) == (
        2,
        f"mulligan: data={tmp_path} holds no images; put .bmp, .gif, .jpeg, .jpg, .png, .tif, .tiff, .webp files there "
        "or in sub-folders",
    )
    assert complaint(capsys, "resume", str(tmp_path)) == (
        2,
        f"mulligan: run={tmp_path} has no recipe.json, so it is not a run; start one with `mulligan train --run {tmp_path}`",
    )


def test_training_into_a_run_refuses_and_names_resume(capsys: pytest.CaptureFixture[str], run: Path) -> None:
    message = f"mulligan: run={run} already holds a run; go on with `mulligan resume {run}` or choose another --run"
    assert complaint(capsys, *GAUSSIAN, "--run", str(run)) == (2, message)


def test_a_full_disk_ends_the_run_with_exit_status_1(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mulligan.storage.shutil.disk_usage", lambda path: type("Usage", (), {"free": 1 << 20}))
    status, message = complaint(capsys, *GAUSSIAN, "--run", str(tmp_path / "run"))
    assert status == 1
    assert message == (
        f"mulligan: {tmp_path}/run/recipe.json cannot be written: the disk is full (1 MiB free, 8 needed); free some space"
    )


def test_traceback_shows_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    status, text = complaint(capsys, "train", "mnst", "--traceback")
    assert status == 2
    assert "Traceback (most recent call last)" in text
    assert text.splitlines()[-1] == "mulligan: recipe=mnst is not known; did you mean mnist?"


def test_sample_writes_a_grid_an_array_or_a_folder(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", str(run), "--n", "5", "--out", str(tmp_path / "a.npz")]) == 0
    assert main(["sample", str(run), "--n", "9", "--out", str(tmp_path / "b.npz")]) == 0
    few, more = (np.load(tmp_path / name)["samples"] for name in ("a.npz", "b.npz"))
    assert few.shape == (5, 2)
    assert np.array_equal(few, more[:5])
    assert main(["sample", str(run), "--out", str(tmp_path / "plot.png")]) == 0
    with Image.open(tmp_path / "plot.png") as plot:
        assert plot.size[0] > 100
    assert complaint(capsys, "sample", str(run), "--out", str(tmp_path / "x.bmp")) == (
        2,
        f"mulligan: --out={tmp_path}/x.bmp is not possible; use a path ending in .png or .npz",
    )


def test_resume_without_a_name_takes_the_newest_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(GAUSSIAN) == 0
    assert main(["resume"]) == 0
    assert "the newest run is runs/gaussian-0001" in capsys.readouterr().out


def test_doctor_finds_the_digits(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert "10,000 test images, checksums right" in capsys.readouterr().out


def test_ctrl_c_saves_names_the_command_to_go_on_and_exits_130(tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-c", "import sys; from mulligan.cli import main; sys.exit(main())"]
    words = ["train", "grid", "--run", str(run), "--device", "cpu", "--report-every-images", "2560"]
    process = subprocess.Popen(
        [*command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    deadline = time.monotonic() + 120
    while not (run / "events.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.startswith("mulligan: stopped at ")
    assert errors.endswith(f"images, saved; go on with `mulligan resume {run}`\n")
    _, facts, _ = RunFolder.open(run).newest_checkpoint()
    assert f"{facts['images_seen']:,}" in errors
