"""The Inception of 2015 whose last pool FID is defined on (arXiv:1512.00567, arXiv:1706.08500), written from its description.

It differs from the Inception v3 of most libraries: batch norm has epsilon 0.001 and no scale, the pools inside the blocks do not
count the padding, and the last block's pool takes the largest value, not the mean. Its layers' names are those of the files.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, max_pool2d

Sides = int | tuple[int, int]

DIMENSIONS = 2_048
CLASSES = 1_008


class ConvNorm(nn.Module):
    """Convolution without bias, batch norm, ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int | tuple[int, int], stride: int = 1, padding: int | tuple[int, int] = 0
    ):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn: nn.Module = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x)).relu_()


class Block(nn.Module):
    """Branches side by side on one input, joined along the channels; a branch is a path of named layers of this block."""

    pool: Literal["mean", "largest"] = "mean"

    def pooled(self, x: Tensor) -> Tensor:
        if self.pool == "largest":
            return max_pool2d(x, 3, stride=1, padding=1)
        return avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


class BlockA(Block):
    """35 x 35: 1x1, 5x5, two 3x3, pool."""

    def __init__(self, inputs: int, pool_features: int):
        super().__init__()
        self.branch1x1 = ConvNorm(inputs, 64, 1)
        self.branch5x5_1 = ConvNorm(inputs, 48, 1)
        self.branch5x5_2 = ConvNorm(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = ConvNorm(inputs, 64, 1)
        self.branch3x3dbl_2 = ConvNorm(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = ConvNorm(96, 96, 3, padding=1)
        self.branch_pool = ConvNorm(inputs, pool_features, 1)

    def forward(self, x: Tensor) -> Tensor:
        five = self.branch5x5_2(self.branch5x5_1(x))
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), five, three, self.branch_pool(self.pooled(x))], 1)


class BlockB(Block):
    """35 x 35 -> 17 x 17."""

    def __init__(self, inputs: int):
        super().__init__()
        self.branch3x3 = ConvNorm(inputs, 384, 3, stride=2)
        self.branch3x3dbl_1 = ConvNorm(inputs, 64, 1)
        self.branch3x3dbl_2 = ConvNorm(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = ConvNorm(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), three, max_pool2d(x, 3, stride=2)], 1)


class BlockC(Block):
    """17 x 17: 1x1, a 7x7 in two strokes, two 7x7 in four, pool."""

    def __init__(self, width: int):
        super().__init__()
        self.branch1x1 = ConvNorm(768, 192, 1)
        self.branch7x7_1 = ConvNorm(768, width, 1)
        self.branch7x7_2 = ConvNorm(width, width, (1, 7), padding=(0, 3))
        self.branch7x7_3 = ConvNorm(width, 192, (7, 1), padding=(3, 0))
        self.branch7x7dbl_1 = ConvNorm(768, width, 1)
        self.branch7x7dbl_2 = ConvNorm(width, width, (7, 1), padding=(3, 0))
        self.branch7x7dbl_3 = ConvNorm(width, width, (1, 7), padding=(0, 3))
        self.branch7x7dbl_4 = ConvNorm(width, width, (7, 1), padding=(3, 0))
        self.branch7x7dbl_5 = ConvNorm(width, 192, (1, 7), padding=(0, 3))
        self.branch_pool = ConvNorm(768, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        twice = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        twice = self.branch7x7dbl_5(self.branch7x7dbl_4(twice))
        return torch.cat([self.branch1x1(x), seven, twice, self.branch_pool(self.pooled(x))], 1)


class BlockD(Block):
    """17 x 17 -> 8 x 8."""

    def __init__(self) -> None:
        super().__init__()
        self.branch3x3_1 = ConvNorm(768, 192, 1)
        self.branch3x3_2 = ConvNorm(192, 320, 3, stride=2)
        self.branch7x7x3_1 = ConvNorm(768, 192, 1)
        self.branch7x7x3_2 = ConvNorm(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = ConvNorm(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = ConvNorm(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        seven = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), seven, max_pool2d(x, 3, stride=2)], 1)


class BlockE(Block):
    """8 x 8: 1x1, a 3x3 that parts in two strokes, two 3x3 that do so at the end, pool."""

    def __init__(self, inputs: int, pool: Literal["mean", "largest"]):
        super().__init__()
        self.pool = pool
        self.branch1x1 = ConvNorm(inputs, 320, 1)
        self.branch3x3_1 = ConvNorm(inputs, 384, 1)
        self.branch3x3_2a = ConvNorm(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = ConvNorm(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = ConvNorm(inputs, 448, 1)
        self.branch3x3dbl_2 = ConvNorm(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = ConvNorm(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = ConvNorm(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = ConvNorm(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3_1(x)
        twice = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        parted = [self.branch3x3_2a(three), self.branch3x3_2b(three), self.branch3x3dbl_3a(twice), self.branch3x3dbl_3b(twice)]
        return torch.cat([self.branch1x1(x), *parted, self.branch_pool(self.pooled(x))], 1)


class InceptionNetwork(nn.Module):
    """float (N, 3, 299, 299), (pixel - 128) / 128 of pixels from 0 to 255 -> (N, 2048), the last average pool."""

    def __init__(self, with_classes: bool = False) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = ConvNorm(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = ConvNorm(32, 32, 3)
        self.Conv2d_2b_3x3 = ConvNorm(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = ConvNorm(64, 80, 1)
        self.Conv2d_4a_3x3 = ConvNorm(80, 192, 3)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = BlockA(192, 32), BlockA(256, 64), BlockA(288, 64)
        self.Mixed_6a = BlockB(288)
        self.Mixed_6b, self.Mixed_6c, self.Mixed_6d, self.Mixed_6e = BlockC(128), BlockC(160), BlockC(160), BlockC(192)
        self.Mixed_7a = BlockD()
        self.Mixed_7b, self.Mixed_7c = BlockE(1280, "mean"), BlockE(2048, "largest")
        self.fc = nn.Linear(DIMENSIONS, CLASSES) if with_classes else None

    def forward(self, x: Tensor) -> Tensor:
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(max_pool2d(x, 3, stride=2)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(max_pool2d(x, 3, stride=2))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        return self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x))).mean((2, 3))
