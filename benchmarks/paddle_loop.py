# pyright: reportMissingImports=false
"""The two PaddlePaddle classics as its tutorials train them: python benchmarks/paddle_loop.py RECIPE IMAGES.npy SECONDS

Run by benchmarks/speed.py, in a process of its own, with an interpreter that has PaddlePaddle; needs nothing of ours. Prints the
median milliseconds of a step. IMAGES is float32 (N, C, H, W), as the networks see them.
"""

import statistics
import sys
import time

import numpy as np
import paddle
from paddle import nn
from paddle.nn import functional

LATENTS = 100


class Images(paddle.io.Dataset):
    def __init__(self, path: str):
        self.images = np.load(path)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.images[index]


def mlp() -> tuple[nn.Layer, nn.Layer]:
    generator = nn.Sequential(
        nn.Linear(LATENTS, 256), nn.ReLU(),
        nn.Linear(256, 512), nn.ReLU(),
        nn.Linear(512, 1024), nn.Tanh(), nn.Unflatten(1, [1, 32, 32]),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Flatten(), nn.Linear(1024, 512), nn.LeakyReLU(0.2),
        nn.Linear(512, 256), nn.LeakyReLU(0.2),
        nn.Linear(256, 1), nn.Sigmoid(),
    )  # fmt: skip
    return generator, discriminator


def pooled() -> tuple[nn.Layer, nn.Layer]:
    generator = nn.Sequential(
        nn.Linear(LATENTS, 2048), nn.BatchNorm1D(2048), nn.ReLU(),
        nn.Linear(2048, 128 * 7 * 7), nn.BatchNorm1D(128 * 7 * 7), nn.ReLU(),
        nn.Unflatten(1, [128, 7, 7]),
        nn.Conv2DTranspose(128, 128, 5, stride=2, padding=2, output_padding=1), nn.ReLU(),
        nn.Conv2DTranspose(128, 1, 5, stride=2, padding=2, output_padding=1), nn.Tanh(),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Conv2D(1, 64, 5), nn.MaxPool2D(2), nn.LeakyReLU(0.02),
        nn.Conv2D(64, 128, 5), nn.MaxPool2D(2), nn.BatchNorm2D(128), nn.LeakyReLU(0.02),
        nn.Flatten(), nn.Linear(128 * 4 * 4, 1024), nn.BatchNorm1D(1024), nn.LeakyReLU(0.02), nn.Linear(1024, 1),
    )  # fmt: skip
    return generator, discriminator


def main() -> None:
    name, path, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    generator, discriminator = mlp() if name == "mnist-mlp" else pooled()
    batch, loss = (32, functional.mse_loss) if name == "mnist-mlp" else (128, functional.binary_cross_entropy_with_logits)
    beta, updates = (0.5, 1) if name == "mnist-mlp" else (0.9, 2)
    adams = [paddle.optimizer.Adam(2e-4, beta, 0.999, parameters=net.parameters()) for net in (generator, discriminator)]
    ones, zeros = paddle.ones([batch, 1]), paddle.zeros([batch, 1])
    loader = paddle.io.DataLoader(Images(path), batch_size=batch, shuffle=True, drop_last=True)

    def latents() -> paddle.Tensor:
        shape = [batch, LATENTS]
        return paddle.randn(shape) if name == "mnist-mlp" else paddle.uniform(shape, min=-1.0, max=1.0)

    times, ended = [], time.perf_counter() + seconds
    while time.perf_counter() < ended:
        for real in loader:
            started = time.perf_counter()
            real_loss = loss(discriminator(real), ones)
            fake_loss = loss(discriminator(generator(latents()).detach()), zeros)
            (real_loss + fake_loss).backward()
            adams[1].step()
            adams[1].clear_grad()
            for _ in range(updates):
                generator_loss = loss(discriminator(generator(latents())), ones)
                generator_loss.backward()
                adams[0].step()
                adams[0].clear_grad()
            _ = float(real_loss), float(generator_loss)
            times.append(time.perf_counter() - started)
            if time.perf_counter() > ended and len(times) > 4:
                break
    print(1e3 * statistics.median(times[2:]))


if __name__ == "__main__":
    main()
