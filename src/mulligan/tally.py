"""What the steps since the last report gave, summed on the device, so that a step never waits for its own numbers."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mulligan.step import Step


@dataclass
class Tally:
    """Sums over the steps that were taken, and counts of those that were not."""

    device: torch.device
    sums: dict[str, Tensor] = field(default_factory=dict)  # by name; float64 where the device has it

    def __post_init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin a new report; the streak of refused steps goes on."""
        streak = self.sums.get("streak", torch.zeros((), device=self.device))
        self.sums = {"taken": torch.zeros_like(streak), "refused": torch.zeros_like(streak), "streak": streak}

    def add(self, step: Step) -> None:
        taken = step.sound.float()
        for name, value in (step.terms | step.vitals).items():
            value = torch.where(step.sound, value, 0.0)
            self.sums[name] = self.sums[name] + value if name in self.sums else value
        self.sums["taken"] = self.sums["taken"] + taken
        self.sums["refused"] = self.sums["refused"] + (1 - taken)
        self.sums["streak"] = (self.sums["streak"] + 1) * (1 - taken)

    def read(self) -> tuple[dict[str, float], dict[str, int]]:
        """The mean of every name over the steps taken (not a number when none was), and the counts. Waits for the device."""
        values = {name: float(value) for name, value in self.sums.items()}
        counts = {name: int(values.pop(name)) for name in ("taken", "refused", "streak")}
        return {name: value / counts["taken"] if counts["taken"] else math.nan for name, value in values.items()}, counts
