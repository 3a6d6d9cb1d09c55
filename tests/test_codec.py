"""Values to JSON and back, and from words; nothing runs because a file names it."""

import importlib
import json
import os
import sys
from typing import Any, get_args

import pytest

from mulligan import codec
from mulligan.data import Folder, Source
from mulligan.ema import Ema
from mulligan.errors import RecipeError
from mulligan.latents import LatentsSpec
from mulligan.losses import Loss, NonSaturating
from mulligan.networks import Constraint, Discriminator, Generator, Init, MlpGenerator
from mulligan.penalties import R1, Penalty
from mulligan.pictures import Picture
from mulligan.recipe import Adam
from mulligan.schedules import Cosine, Linear, Schedule
from mulligan.views import View

UNIONS: list[Any] = [Loss, Penalty, Constraint, Generator, Discriminator, Init, LatentsSpec, Picture, View]
PARTS = [(union, part()) for union in UNIONS for part in get_args(union)]


@pytest.mark.parametrize(
    ("union", "part"), PARTS, ids=lambda value: codec.part_name(type(value)) if hasattr(value, "__dict__") else ""
)
def test_every_part_survives_json(union: Any, part: Any) -> None:
    text = json.dumps(codec.encode(part))
    assert codec.decode(union, json.loads(text), "part") == part


def test_every_source_survives_json() -> None:
    for source in get_args(Source):
        fields = {name: "somewhere" for name in codec.field_hints(source) if name == "path"}
        made = source(**fields)
        assert codec.decode(Source, json.loads(json.dumps(codec.encode(made))), "data") == made


def test_names_are_spoken_words() -> None:
    assert list(codec.part_types(Loss)) == [
        "minimax",
        "non-saturating",
        "least-squares",
        "hinge",
        "wasserstein",
        "softmax-cross-entropy",
        "relativistic-pairing",
    ]
    assert list(codec.part_types(Penalty)) == ["r1", "r2", "gradient-penalty"]


@pytest.mark.parametrize(
    ("hint", "data", "message"),
    [
        (Loss, {"type": "os:system"}, "loss=os:system is not one of minimax, non-saturating, least-squares, hinge, wasserstein, "),
        (Loss, {"type": "hinge", "x": 1}, "loss has no field x; hinge has no fields"),
        (Loss, {"type": "minimax", "log_of_sum": 1}, "loss.log_of_sum=1 is not possible; give true or false"),
        (Loss, "hinge", "loss='hinge' is not possible; give minimax, non-saturating, "),
        (Generator, {"type": "mlp-generator", "hidden": 3}, "loss.hidden=3 is not possible; give a list"),
        (
            Generator,
            {"type": "mlp-generator", "output": "cosh"},
            "loss.output='cosh' is not possible; choose one of tanh, hard-tanh, sigmoid, linear",
        ),
        (Ema | None, {"type": "ema", "ramp": "fast"}, "loss.ramp='fast' is not possible; give a number"),
        (Schedule, True, "loss=True is not possible; give a number, linear, cosine"),
        (Source, {"type": "folder"}, "loss is not a whole folder: "),
        (int, 1.5, "loss=1.5 is not possible; give a whole number"),
        (int, True, "loss=True is not possible; give a whole number"),
        (str, 3, "loss=3 is not possible; give a text"),
        (tuple[int, ...], [1, 2, "x"], "loss.2='x' is not possible; give a whole number"),
        (tuple[int, int], [1], "loss=[1] is not possible; give a list of 2"),
        (Penalty, None, "loss=None is not possible; give r1, r2, gradient-penalty"),
        (Adam, "adam", "loss='adam' is not possible; give adam with its fields"),
        (Adam, {"rate": {"type": "cosine", "start": "x", "end": 1}}, "loss.rate.start='x' is not possible; give a number"),
        (Adam, {"rate": {"type": "cosine", "start": 1}}, "loss.rate is not a whole cosine: "),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(hint: Any, data: Any, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        codec.decode(hint, data, "loss")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("hint", "words", "value"),
    [
        (Loss, "cross-entropy", NonSaturating()),
        (Loss, "non-saturating:real-label=0.9", NonSaturating(real_label=0.9)),
        (Penalty, "r1:gamma=2,every=4", R1(2.0, 4)),
        (Schedule, "2e-4", 2e-4),
        (Schedule, "cosine:start=1,end=0.1", Cosine(1.0, 0.1)),
        (Schedule, "linear:start=1,end=0,begins=0.5", Linear(1.0, 0.0, 0.5)),
        (Generator, "mlp-generator:hidden=256/512,output=sigmoid", MlpGenerator((256, 512), output="sigmoid")),
        (Ema | None, "none", None),
        (Ema | None, "ema:half-life-images=5", Ema(5)),
    ],
)
def test_words_become_parts(hint: Any, words: str, value: Any) -> None:
    assert codec.from_words(hint, words, "--part") == value


@pytest.mark.parametrize(
    ("hint", "words", "message"),
    [
        (Loss, "hing", "did you mean hinge?"),
        (Penalty, "r1:gamma", "--part=r1:gamma is not understood at 'gamma'; write r1:field=value,field=value"),
        (Schedule, "fast", "--part='fast' is not possible; give a number, linear, cosine"),
    ],
)
def test_words_that_make_no_sense_say_why(hint: Any, words: str, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        codec.from_words(hint, words, "--part")
    assert str(caught.value).endswith(message)


@pytest.mark.parametrize("part", [Cosine(1.0, 0.1), Linear(1.0, 0.0, 0.5), Adam(Linear(1e-3, 0.0)), 2e-4], ids=str)
def test_every_schedule_survives_json(part: Any) -> None:
    hint = Adam if isinstance(part, Adam) else Schedule
    assert codec.decode(hint, json.loads(json.dumps(codec.encode(part))), "rate") == part


@pytest.mark.parametrize("union", [*UNIONS, Source, Schedule])
def test_a_type_that_no_union_names_runs_nothing(union: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(os, "system", calls.append)
    monkeypatch.setattr(importlib, "import_module", calls.append)
    modules, refused = set(sys.modules), 0
    for name in ("os:system", "os.system", "antigravity", "mulligan.losses.Hinge", "Hinge", "", "__class__"):
        try:
            codec.decode(union, {"type": name, "command": "true"}, "part")
        except RecipeError:
            refused += 1
    assert refused == 7
    assert calls == []
    assert set(sys.modules) == modules


def test_a_type_that_is_no_text_is_refused() -> None:
    for name in (None, 7, ["r1"], {"type": "r1"}):
        with pytest.raises(RecipeError):
            codec.decode(Penalty, {"type": name}, "part")


def test_the_alias_of_cross_entropy_stands_in_json_too() -> None:
    assert codec.decode(Loss, {"type": "cross-entropy", "real_label": 0.9}, "loss") == NonSaturating(real_label=0.9)


def test_a_name_nearly_right_is_put_right() -> None:
    with pytest.raises(RecipeError) as caught:
        codec.decode(Penalty, {"type": "gradient-penality"}, "penalty")
    assert str(caught.value) == "penalty=gradient-penality is not one of r1, r2, gradient-penalty; did you mean gradient-penalty?"


def test_a_name_like_no_other_points_to_python() -> None:
    with pytest.raises(RecipeError) as caught:
        codec.from_words(Penalty, "zzz", "--penalty")
    assert str(caught.value) == "--penalty=zzz is not one of r1, r2, gradient-penalty; a class of your own is used from Python"


def test_a_class_of_the_users_own_is_named_and_never_rebuilt() -> None:
    class MyLoss:
        pass

    assert codec.encode(MyLoss()) == {"type": "my-loss"}
    with pytest.raises(RecipeError):
        codec.decode(Loss, codec.encode(MyLoss()), "loss")


def test_whole_numbers_become_floats_where_a_float_is_meant() -> None:
    made = codec.decode(Schedule, 1, "rate")
    assert made == 1.0
    assert type(made) is float


def test_another_type_than_the_only_one_is_refused() -> None:
    with pytest.raises(RecipeError):
        codec.decode(Adam, {"type": "sgd", "rate": 0.1}, "generator_optimizer")


def test_a_number_too_large_for_a_float_is_an_error_of_ours() -> None:
    with pytest.raises(RecipeError):
        codec.decode(float, 10**400, "rate")


def test_a_path_in_words_stays_a_path() -> None:
    assert codec.from_words(Source, "folder:path=/my/pictures", "--data") == Folder("/my/pictures")
