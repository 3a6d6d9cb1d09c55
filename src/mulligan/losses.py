"""The adversarial losses: what each player pays, one value per sample, always in logits.

`softplus(-x)` is `-log(sigmoid(x))` without its rounding: at a logit of -30 its gradient is -1, where `-log(sigmoid(x) + 1e-8)`
has -9e-6. To add a loss, write one class here and put it in the union at the end (CONTRIBUTING.md walks through it).
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from mulligan.parts import AdversarialLoss


@dataclass(frozen=True)
class Minimax(AdversarialLoss):
    """The game as first written down (arXiv:1406.2661, equation 1): the generator minimises log(1 - D(G(z))).

    Its gradient vanishes while the discriminator wins. With `log_of_sum` the logarithm is taken of the sum over the batch, as the
    faces tutorial's code did; every sample then carries the batch's value.
    """

    log_of_sum: bool = False

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return -self._log(real_logits) - self._log(-fake_logits)

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return self._log(-fake_logits)

    def _log(self, logits: Tensor) -> Tensor:
        """log sigmoid of each logit, or the log of their sigmoids' sum."""
        each = logsigmoid(logits)
        return torch.logsumexp(each, 0).expand_as(each) if self.log_of_sum else each


@dataclass(frozen=True)
class NonSaturating(AdversarialLoss):
    """Sigmoid cross entropy; the generator maximises log D(G(z)) (arXiv:1406.2661, section 3).

    `real_label` below 1 is one-sided label smoothing (arXiv:1606.03498, section 3.4). `generator_offset` is added to what the
    generator pays: no gradient, but the number that some tutorials print.
    """

    real_label: float = 1.0
    generator_offset: float = 0.0

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        # softplus(-x) + (1 - label) x is the cross entropy of sigmoid(x) with a soft label
        return softplus(-real_logits) + (1 - self.real_label) * real_logits + softplus(fake_logits)

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return self.generator_offset + softplus(-fake_logits)


@dataclass(frozen=True)
class LeastSquares(AdversarialLoss):
    """Squared distance of the output from 1 (real) and 0 (fake) (arXiv:1611.04076, with a = 0, b = c = 1 and no factor 1/2).

    `of` says what is compared: the raw output as in the paper, or its sigmoid as in the PaddlePaddle tutorial.
    """

    of: Literal["output", "sigmoid"] = "output"

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return (self._squash(real_logits) - 1).square() + self._squash(fake_logits).square()

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return (self._squash(fake_logits) - 1).square()

    def margin(self, logits: Tensor) -> Tensor:
        return logits if self.of == "sigmoid" else logits - 0.5  # an output of one half leans to neither side

    def _squash(self, logits: Tensor) -> Tensor:
        return torch.sigmoid(logits) if self.of == "sigmoid" else logits


@dataclass(frozen=True)
class Hinge(AdversarialLoss):
    """The discriminator only pays inside the margin of 1 (arXiv:1705.02894; arXiv:1802.05957, equation 17)."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return torch.relu(1 - real_logits) + torch.relu(1 + fake_logits)

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return -fake_logits


@dataclass(frozen=True)
class Wasserstein(AdversarialLoss):
    """The critic's difference of means (arXiv:1701.07875); needs `weight-clipping` or `gradient-penalty` to mean anything."""

    log_odds: ClassVar[bool] = False

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return fake_logits - real_logits

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return -fake_logits


@dataclass(frozen=True)
class SoftmaxCrossEntropy(AdversarialLoss):
    """Two logits per sample, (N, 2), class 1 is real: the form of the Gluon and PyTorch toy notebooks."""

    logits: ClassVar[int] = 2

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return softplus(-self.margin(real_logits)) + softplus(self.margin(fake_logits))

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return softplus(-self.margin(fake_logits))

    def margin(self, logits: Tensor) -> Tensor:
        # softmax over two logits is the sigmoid of their difference
        return logits[:, 1] - logits[:, 0]


@dataclass(frozen=True)
class RelativisticPairing(AdversarialLoss):
    """Each fake is judged against one real sample (arXiv:1807.00734; RpGAN in arXiv:2501.05441, equation 2)."""

    generator_sees_real: ClassVar[bool] = True

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return softplus(fake_logits - real_logits)

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        assert real_logits is not None, "generator_sees_real promises the logits of real samples"
        return softplus(real_logits - fake_logits)


Loss = Minimax | NonSaturating | LeastSquares | Hinge | Wasserstein | SoftmaxCrossEntropy | RelativisticPairing
