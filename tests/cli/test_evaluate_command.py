"""`mulligan evaluate` as a person meets it."""

from pathlib import Path

import pytest

import mulligan
from mulligan.cli import main
from mulligan.cli.evaluate import Told, features_from
from mulligan.errors import FeaturesError
from mulligan.features import Inception, Pixels, Script


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mulligan.train("ring", images=2_560, run=tmp_path_factory.mktemp("runs") / "run", device="cpu").path


def test_scores_stand_beside_what_real_samples_get(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(run), "--n", "200", "--device", "cpu"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["score", "value", "95", "%", "interval", "real", "against", "real", "better"]
    names = [line.split()[0] for line in out[1:-1]]
    assert {"modes", "high_quality", "FD", "KID", "precision", "recall", "density", "coverage"} <= set(names)
    assert out[-1].startswith("passport: n_real 200, n_fake 200, split ring test, reference_sha256 ")
    assert "FID" not in "".join(out)
    assert len(list((run / "evaluations").glob("*.json"))) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--metrics", "fid"], "--metrics=fid is none of fd"),
        (["--features", "clasifier"], "did you mean classifier?"),
        (["--n", "3"], "n=3 is too small"),
        (["--raw", "--best"], "choose one"),
        (["--reference", "nowhere"], "data=nowhere does not exist"),
        (["--features", "pixels"], "use identity"),
    ],
)
def test_a_mistake_is_one_line(run: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(run), *words]) == 2
    error = capsys.readouterr().err.strip()
    assert said in error
    assert "\n" not in error


def test_features_are_named_in_words(tmp_path: Path) -> None:
    (tmp_path / "mine.pt").touch()
    assert features_from(None) is None
    assert features_from("pixels:side=16") == Pixels(16)
    assert features_from("inception:resize=clean") == Inception(resize="clean")
    assert features_from(str(tmp_path / "mine.pt")) == Script(str(tmp_path / "mine.pt"))
    with pytest.raises(FeaturesError, match="TorchScript file is named by its path"):
        features_from("resnet")


def test_slow_features_say_how_far_they_are(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1_000, 4))
    monkeypatch.setattr("mulligan.cli.evaluate.time.monotonic", lambda: float(next(clock)))
    told = Told()
    for done in range(10, 110, 10):
        told(done, 100)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "features of 20 of 100 samples, 32 s left"
    assert len(lines) >= 3
