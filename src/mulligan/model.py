"""A trained generator as people use it: latents in, images (or points) out."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mulligan import codec
from mulligan.errors import RunFolderError
from mulligan.latents import LatentsSpec
from mulligan.networks import Generator
from mulligan.networks.outline import outline_of
from mulligan.packed import peek, unpack
from mulligan.parts import Shape
from mulligan.views import View

MISFITS = (LookupError, TypeError, ValueError, RuntimeError, OverflowError)  # what a network raises for numbers that make no sense
CHUNK = 64  # always this many at once, padded: the same sample comes out to the last bit, whatever is asked for beside it


class Model(nn.Module):
    """latents (N, size) -> images (N, C, H, W) in [-1, 1], or points (N, D) in the units of the data."""

    def __init__(self, net: nn.Module, latents: LatentsSpec, view: View, shape: Shape):
        super().__init__()
        self.net, self.latents, self.view, self.shape = net, latents, view, shape

    def forward(self, latents: Tensor) -> Tensor:
        return self.view.normal(self.net(latents))

    @property
    def device(self) -> torch.device:
        return next(self.net.parameters()).device

    def sample(self, count: int, seed: int = 0, truncation: float = 1.0) -> Tensor:
        """`count` samples on the CPU. Sample i of a seed is the same for every `count`.

        `truncation` below 1 pulls the latents towards zero, the centre they are drawn around: less variety, fewer odd ones.
        """
        return torch.cat(list(self.sample_chunks(count, seed, truncation)))

    def stored_samples(self, count: int, seed: int = 0, truncation: float = 1.0) -> Tensor:
        """The same samples as data is stored: uint8 (N, C, H, W), or float32 (N, D)."""
        return torch.cat([self.view.stored(chunk) for chunk in self.sample_chunks(count, seed, truncation)])

    @torch.no_grad()
    def sample_chunks(self, count: int, seed: int = 0, truncation: float = 1.0) -> Iterator[Tensor]:
        """The same samples, at most 64 at a time."""
        rows = self.latents.draw(count, np.random.default_rng(seed)) * np.float32(truncation)
        was_training = self.net.training
        self.net.eval()
        try:
            for start in range(0, count, CHUNK):
                chunk = rows[start : start + CHUNK]
                padded = np.concatenate([chunk, np.zeros((CHUNK - len(chunk), rows.shape[1]), rows.dtype)])
                yield self(torch.from_numpy(padded).to(self.device))[: len(chunk)].cpu()
        finally:
            self.net.train(was_training)


def model_facts(generator: Any, latents: Any, view: Any, shape: Shape) -> dict[str, Any]:
    """What is needed to rebuild the module around its weights, as JSON."""
    return {
        "generator": codec.encode(generator),
        "latents": codec.encode(latents),
        "view": codec.encode(view),
        "shape": list(shape),
    }


def read_model(path: Path, own_generator: Any = None) -> Model:
    """The model of a `model.safetensors`; `own_generator` replaces the spec when it is a class of the user's own.

    Safe with files from strangers: what they name is looked up, never run, and memory is taken only for what they hold.
    """
    if not path.is_file():
        raise RunFolderError(f"{path} does not exist yet; train a little longer, it is saved with each checkpoint")
    shapes, facts = peek(path)
    try:
        generator, latents, _, shape = parts_of(facts, own_generator)
        outline = outline_of(lambda: generator.build(latents.size, shape))
    except MISFITS as error:
        raise RunFolderError(f"{path} does not fit its generator: {error}") from error
    if outline is not None and outline != shapes:
        odd = min(outline.keys() ^ shapes.keys() or {name for name in shapes if shapes[name] != outline[name]})
        raise RunFolderError(f"{path} does not hold the weights of its generator: {odd} differs; copy it again")
    return rebuild_model(*unpack(path), own_generator)


def rebuild_model(tensors: Mapping[str, Tensor], facts: Mapping[str, Any], own_generator: Any = None) -> Model:
    """The model from its weights and `model_facts`."""
    generator, latents, view, shape = parts_of(facts, own_generator)
    net = generator.build(latents.size, shape)
    try:
        net.load_state_dict(dict(tensors))
    except RuntimeError as error:
        raise RunFolderError(f"the weights do not fit the generator: {error}") from error
    return Model(net.eval().requires_grad_(False), latents, view, shape)


def parts_of(facts: Mapping[str, Any], own_generator: Any) -> tuple[Any, LatentsSpec, View, Shape]:
    latents = codec.decode(LatentsSpec, facts["latents"], "latents")
    view = codec.decode(View, facts["view"], "view")
    generator = own_generator or codec.decode(Generator, facts["generator"], "generator")
    return generator, latents, view, tuple(int(length) for length in facts["shape"])
