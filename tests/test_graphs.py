"""The recorded step. The recording itself needs CUDA; everything around it is tested with a stand-in that plays the work again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

from mulligan.build import build_game
from mulligan.game import Game, Moment
from mulligan.graphs import WARM_UP, Recorded
from mulligan.losses import NonSaturating
from mulligan.penalties import R1, R2
from mulligan.recipe import Adam
from mulligan.recipes import named
from mulligan.schedules import Cosine, Linear
from mulligan.state import game_tensors
from mulligan.step import Step, deal, play
from mulligan.views import Points

CPU = torch.device("cpu")


@dataclass
class StandIn:
    """Does on a replay what a graph does: the same work on the same tensors, with the results where they were."""

    recorded: int = 0
    played: int = 0
    broken: bool = False
    results: list[Step] = field(default_factory=list)

    def aside(self, work: Callable[[], Step]) -> Step:
        return work()

    def record(self, work: Callable[[], Step]) -> tuple[Callable[[], Any], Step]:
        if self.broken:
            raise RuntimeError("operation not permitted when stream is capturing")
        self.recorded += 1
        place: dict[str, Tensor] = {}
        result = Step(place, {}, torch.tensor(True))

        def again() -> None:
            self.played += 1
            step = work()
            place.update(step.terms)
            result.vitals.update(step.vitals)

        return again, result


def game(**changes: Any) -> Game:
    small: dict[str, Any] = {
        "view": Points(),
        "loss": NonSaturating(),
        "batch": 16,
        "discriminator_penalties": (R1(Cosine(1.0, 0.1)), R2(Linear(0.5, 0.1), every=3)),
        "generator_optimizer": Adam(Linear(1e-2, 0.0), 0.0, 0.9),
    }
    return build_game(named("grid").with_(**(small | changes)), (2,), CPU)


def batches() -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(0)
    while True:
        yield torch.randn(16, 2, generator=generator)


def play_on(playing: Game, one_step: Callable[..., Step], steps: range) -> list[dict[str, float]]:
    real, terms = batches(), []
    for number in steps:
        moment = Moment(0, number * 16, number / 50, number)
        step = one_step(deal(playing, real, moment), moment)
        terms.append({name: float(value) for name, value in step.terms.items()})
    return terms


def test_recorded_steps_are_the_steps() -> None:
    """Fresh batches and latents, schedules and lazy penalties reach the recording: the same numbers as played one by one."""
    plain, recorded = game(), game()
    recorder = StandIn()
    wanted = play_on(plain, lambda hand, moment: play(plain, hand, moment), range(20))
    found = play_on(recorded, Recorded(recorded, recorder, print), range(20))
    for one, other in zip(wanted, found, strict=True):
        assert other == pytest.approx(one, rel=1e-4)
    tensors = game_tensors(recorded, recorded.generator.net)
    for name, value in game_tensors(plain, plain.generator.net).items():
        assert torch.allclose(tensors[name], value, atol=1e-5), name
    assert recorder.recorded == 2  # with the lazy penalty, and without
    assert recorder.played == 20 - 2 * WARM_UP


def test_inputs_are_copied_to_one_place() -> None:
    playing = game()
    recorded = Recorded(playing, StandIn(), print)
    moments = [Moment(0, 0, 0.0, 0), Moment(0, 16, 0.5, 1)]
    hands = [deal(playing, batches(), moment) for moment in moments]
    places = [recorded.put_in_place(hand, moment) for hand, moment in zip(hands, moments, strict=True)]
    assert places[0][0].real[0] is places[1][0].real[0]
    assert torch.equal(places[1][0].for_generator[0], hands[1].for_generator[0])
    assert places[1][1] == 0.5


def test_a_changed_game_is_recorded_anew() -> None:
    playing, recorder = game(discriminator_penalties=()), StandIn()
    recorded = Recorded(playing, recorder, print)
    play_on(playing, recorded, range(6))
    recorded.forget()
    play_on(playing, recorded, range(6, 12))
    assert recorder.recorded == 2
    playing.discriminator.rate_factor = 0.5
    play_on(playing, recorded, range(12, 18))
    assert recorder.recorded == 3


def test_what_cannot_be_recorded_is_played_as_it_comes_and_said_once() -> None:
    plain, playing, told = game(), game(), []
    wanted = play_on(plain, lambda hand, moment: play(plain, hand, moment), range(10))
    found = play_on(playing, Recorded(playing, StandIn(broken=True), told.append), range(10))
    for one, other in zip(wanted, found, strict=True):
        assert other == pytest.approx(one, rel=1e-4)
    assert len(told) == 1
    assert told[0].startswith("the step cannot be recorded as a CUDA graph (operation not permitted")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="recording needs CUDA")
def test_a_recording_on_cuda_is_the_step() -> None:
    from mulligan.graphs import CudaRecorder

    results = []
    for way in ("plain", "recorded"):
        playing = build_game(game().recipe, (2,), torch.device("cuda"))
        one_step = Recorded(playing, CudaRecorder(), print) if way == "recorded" else None
        real = (batch.cuda() for batch in batches())
        for number in range(20):
            moment = Moment(0, number * 16, number / 50, number)
            hand = deal(playing, real, moment)
            one_step(hand, moment) if one_step else play(playing, hand, moment)
        results.append(game_tensors(playing, playing.generator.net))
    for name, value in results[0].items():
        assert torch.allclose(results[1][name], value, atol=1e-4), name
