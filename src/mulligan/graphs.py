"""The step as a CUDA graph: recorded once, played with one launch. Small GANs spend most of a step on launching kernels.

What a step is dealt and how far the run has come are copied into tensors that stay in place; the recording reads them there.
Penalties that are due only now and then make for one recording each, of the steps with them and of those without.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from mulligan.game import Game, Moment, due_at
from mulligan.step import Hand, Step, play

WARM_UP = 3  # steps of each kind that are played as they come, before they are recorded: real ones, like all others


class Recorder(Protocol):
    """What records device work and plays it again: CUDA's graphs, or a stand-in for them in the tests."""

    def aside(self, work: Callable[[], Step]) -> Step:
        """Do the work as it comes, where a recording may follow it."""
        ...

    def record(self, work: Callable[[], Step]) -> tuple[Callable[[], Any], Step]:
        """What plays the work, and the tensors it leaves its results in. Recording does not do the work."""
        ...


class CudaRecorder:
    """`torch.cuda.CUDAGraph`."""

    def aside(self, work: Callable[[], Step]) -> Step:
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            result = work()
        torch.cuda.current_stream().wait_stream(stream)
        return result

    def record(self, work: Callable[[], Step]) -> tuple[Callable[[], Any], Step]:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            result = work()
        return graph.replay, result


@dataclass
class Recorded:
    """The steps of one game, played from recordings; the values are those of `play`."""

    game: Game
    recorder: Recorder
    tell: Callable[[str], None]
    _inputs: tuple[Hand, Tensor] | None = None
    _played: dict[Hashable, int] = field(default_factory=dict)
    _recordings: dict[Hashable, tuple[Callable[[], Any], Step]] = field(default_factory=dict)
    _given_up: bool = False

    def __call__(self, hand: Hand, moment: Moment) -> Step:
        if self._given_up:
            return play(self.game, hand, moment)
        kind = self.kind(moment)
        here, progress = self.put_in_place(hand, moment)

        def step() -> Step:
            return play(self.game, here, replace(moment, progress=progress))

        if kind in self._recordings:
            again, result = self._recordings[kind]
            again()
            return result
        if self._played.get(kind, 0) < WARM_UP:
            self._played[kind] = self._played.get(kind, 0) + 1
            return self.recorder.aside(step)
        try:
            self._recordings[kind] = self.recorder.record(step)
        except RuntimeError as error:
            self.forget()
            self._given_up = True
            self.tell(f"the step cannot be recorded as a CUDA graph ({error}); it is played as it comes")
            return play(self.game, hand, moment)
        return self(hand, moment)

    def kind(self, moment: Moment) -> Hashable:
        """What makes one step's work differ from another's."""
        updates = range(moment.update, moment.update + self.game.recipe.discriminator_updates)
        due = tuple(tuple(penalty.name for penalty in due_at(self.game, update)) for update in updates)
        return due, self.game.micro_batch, self.game.generator.rate_factor, self.game.discriminator.rate_factor

    def put_in_place(self, hand: Hand, moment: Moment) -> tuple[Hand, Tensor]:
        """Copy what the step is dealt to where the recordings look for it."""
        if self._inputs is None:
            place = Hand(*([torch.empty_like(tensor) for tensor in side] for side in sides_of(hand)))
            self._inputs = place, torch.zeros((), device=self.game.device)
        place, progress = self._inputs
        for targets, sources in zip(sides_of(place), sides_of(hand), strict=True):
            torch._foreach_copy_(targets, sources)  # pyright: ignore[reportPrivateImportUsage]
        progress.fill_(moment.progress)
        return place, progress

    def forget(self) -> None:
        """The game's tensors are others now: record anew."""
        self._recordings.clear()
        self._played.clear()


def sides_of(hand: Hand) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    return hand.real, hand.for_discriminator, hand.for_generator
