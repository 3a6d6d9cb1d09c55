"""A loss of your own, in one class: nothing to register, it trains, logs and resumes from Python.

Run it: python examples/own_loss.py
"""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

import mulligan
from mulligan.parts import AdversarialLoss


@dataclass(frozen=True)
class Exponential(AdversarialLoss):
    """Exponential margins: a real sample costs exp(-logit), a fake one exp(logit), both capped at a logit of `cap`."""

    cap: float = 5.0

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:  # (N,), (N,) -> (N,)
        return (-real_logits).clamp(max=self.cap).exp() + fake_logits.clamp(max=self.cap).exp()

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return (-fake_logits).clamp(max=self.cap).exp()


def main(folder: Path, images: int = 500_000) -> mulligan.Run:
    """Train the ring of eight Gaussians with it; the recipe's penalties stay."""
    return mulligan.train("ring", loss=Exponential(), images=images, run=folder, listener=print)


if __name__ == "__main__":
    main(Path("runs/own-loss"))
