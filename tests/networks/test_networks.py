"""The families: parameter counts to the last number, shapes, and what each can make."""

import math
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import nn

from mulligan.errors import RecipeError
from mulligan.networks import (
    DcganDiscriminator,
    DcganGenerator,
    Discriminator,
    FacesDiscriminator,
    FacesGenerator,
    Generator,
    MlpDiscriminator,
    MlpGenerator,
    NormalWeights,
    PaddleFluid,
    PooledDiscriminator,
    SpectralNorm,
    StridedDiscriminator,
    StridedGenerator,
    SwitchGenerator,
    TinyDiscriminator,
    TinyGenerator,
    WeightClipping,
    XavierUniform,
)
from mulligan.networks.batch_memory import has_batch_statistics, held_still
from mulligan.networks.layers import InFloat32, weighted_layers
from mulligan.networks.table import count_parameters, layer_table
from mulligan.recipe import Recipe
from mulligan.recipes import named

DIGITS = (1, 28, 28)
GENERATORS: list[Any] = [generator() for generator in get_args(Generator)]
DISCRIMINATORS: list[Any] = [discriminator() for discriminator in get_args(Discriminator)]

# worked out by hand from the layers in docs/classics.md: weights and biases, and two numbers for each normed channel
COUNTS = {
    "mnist-mlp": (682_752, 656_385),
    "mnist-dense": (100 * 128 + 128 + 128 * 128 + 128 + 128 * 784 + 784, 784 * 128 + 128 + 128 * 128 + 128 + 128 + 1),
    "gaussian": (2 * 2 + 2, 2 * 5 + 5 + 5 * 3 + 3 + 3 * 2 + 2),
    "mnist-dcgan-strided": (
        (100 * 1024 + 3 * 1024) + (1024 * 6272 + 6272 + 2 * 128) + (128 * 128 * 25 + 3 * 128) + (128 * 25 + 1),
        (25 + 3) + (64 * 25 + 3 * 64) + (1024 * 1024 + 3 * 1024) + (1024 + 1),
    ),
    "mnist-dcgan-pooled": (
        (100 * 2048 + 3 * 2048) + (2048 * 6272 + 3 * 6272) + (128 * 128 * 25 + 128) + (128 * 25 + 1),
        (64 * 25 + 64) + (64 * 128 * 25 + 3 * 128) + (2048 * 1024 + 3 * 1024) + (1024 + 1),
    ),
}


def both(recipe: Recipe, shape: tuple[int, ...]) -> tuple[nn.Module, nn.Module]:
    return recipe.generator.build(recipe.latents.size, shape), recipe.discriminator.build(shape, recipe.loss.logits)


@pytest.mark.parametrize("name", COUNTS)
def test_the_classics_have_the_published_number_of_parameters(name: str) -> None:
    shape = {"mnist-mlp": (1, 32, 32), "gaussian": (2,)}.get(name, DIGITS)
    assert tuple(count_parameters(net) for net in both(named(name), shape)) == COUNTS[name]


def test_the_faces_pair_has_the_published_number_of_parameters() -> None:
    with torch.device("meta"):  # 56 million weights need no memory to be counted
        generator, discriminator = both(named("faces-cnn"), (3, 96, 96))
    dense = 101 * 15 * 192 * 192
    convolutions = (15 * 50 * 9 + 50) + (50 * 25 * 9 + 25) + (25 * 3 * 4 + 3)
    assert count_parameters(generator) == dense + convolutions + 2 * (15 + 50 + 25)
    heads = (64 * 16 * 16 * 1024 + 1024) + (1024 + 1)
    assert count_parameters(discriminator) == (3 * 32 * 25 + 32) + (32 * 64 * 25 + 64) + heads


def test_a_switch_elects_each_code_equally_often_and_leaves_no_bridge() -> None:
    latents = torch.from_numpy(np.random.default_rng(0).standard_normal((50_000, 14), dtype=np.float32))
    net = SwitchGenerator(choices=10, width=0.01).build(14, (2,))
    switch = net.get_submodule("0")
    codes, found = switch.get_buffer("codes"), switch(latents)
    distances = torch.cdist(found, codes)
    assert float(distances.min(1).values.max()) < 0.01 * 8  # no sample is further from its code than its width allows
    shares = distances.argmin(1).bincount(minlength=10) / len(latents)
    assert torch.allclose(shares, torch.full((10,), 0.1), atol=0.007)
    spread = (found - codes[distances.argmin(1)]).std()
    assert float(spread) == pytest.approx(0.01, rel=0.02)
    assert "0.codes" in net.state_dict()


@pytest.mark.parametrize("latents", [5, 10])
def test_a_switch_needs_latents_that_do_not_choose(latents: int) -> None:
    with pytest.raises(RecipeError, match=r"use --latents\.size 18"):
        SwitchGenerator(choices=10).build(latents, (2,))


def test_the_tiny_pair_has_the_channels_that_made_stacked_digits_hard() -> None:
    """Unrolled GAN's sizes by hand; a discriminator of width 2 has a quarter, of 4 a half of the generator's last channels."""
    shape = (3, 28, 28)
    convolutions = (64 * 32 * 9 + 32) + (32 * 16 * 9 + 16) + (16 * 8 * 9 + 8) + (8 * 3 * 9 + 3)
    norms = 2 * (64 + 32 + 16 + 8)
    assert count_parameters(TinyGenerator().build(256, shape)) == 256 * 1024 + 1024 + convolutions + norms
    for width in (2, 4):
        own = (3 * width * 9 + width) + (2 * width**2 * 9 + 2 * width) + (8 * width**2 * 9 + 4 * width) + (64 * width + 1)
        assert count_parameters(TinyDiscriminator(width).build(shape, 1)) == own
        normed = TinyDiscriminator(width, norm=True).build(shape, 1)
        assert count_parameters(normed) == own + 2 * 7 * width
        assert has_batch_statistics(normed)


def test_the_tiny_pair_is_for_its_own_size_only() -> None:
    for spec in (TinyGenerator(), TinyDiscriminator()):
        with pytest.raises(RecipeError, match="use --image-size 28"):
            spec.build(5, (1, 32, 32)) if isinstance(spec, TinyGenerator) else spec.build((1, 32, 32), 1)


@pytest.mark.parametrize("spec", GENERATORS, ids=repr)
def test_a_generator_makes_the_shape_it_was_built_for(spec: Any) -> None:
    assert spec.build(12, DIGITS)(torch.randn(3, 12)).shape == (3, *DIGITS)


@pytest.mark.parametrize("spec", DISCRIMINATORS, ids=repr)
@pytest.mark.parametrize("logits", [1, 2])
def test_a_discriminator_gives_the_logits_it_was_asked_for(spec: Any, logits: int) -> None:
    assert spec.build(DIGITS, logits)(torch.randn(3, *DIGITS)).shape == (3, logits)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (4, 48, 48), (3, 64, 64), (3, 96, 96), (3, 32, 64), (1, 8, 8)])
def test_the_dcgan_pair_works_at_every_size_that_halves_evenly(shape: tuple[int, ...]) -> None:
    fake = DcganGenerator(2).build(5, shape)(torch.randn(2, 5))
    assert fake.shape == (2, *shape)
    assert DcganDiscriminator(2).build(shape, 1)(fake).shape == (2, 1)


@pytest.mark.parametrize("side", [27, 30, 34, 200])
def test_a_size_that_does_not_halve_evenly_is_refused_with_the_nearest_that_does(side: int) -> None:
    nearest = {27: 28, 30: 32, 34: 32, 200: 192}[side]
    with pytest.raises(RecipeError) as caught:
        DcganGenerator().build(5, (1, side, side))
    assert str(caught.value) == (
        f"generator=dcgan-generator cannot work at {side} x {side} pixels: the sides must halve evenly down to 4, 5, 6 or 7; "
        f"use --image-size {nearest}"
    )
    assert DcganGenerator(2).build(5, (1, nearest, nearest))


@pytest.mark.parametrize("spec", [*GENERATORS[2:], *DISCRIMINATORS[1:]], ids=repr)
def test_networks_for_images_refuse_points(spec: Any) -> None:
    with pytest.raises(RecipeError):
        spec.build(2, (2,)) if hasattr(spec, "output") or "Generator" in type(spec).__name__ else spec.build((2,), 1)


def shapes_of(net: nn.Module, example: torch.Tensor, kind: type[nn.Module]) -> list[tuple[int, ...]]:
    shapes: list[tuple[int, ...]] = []
    for layer in net.modules():
        if isinstance(layer, kind):
            layer.register_forward_hook(lambda _layer, _inputs, result: shapes.append(tuple(result.shape[1:])))
    net(example)
    return shapes


def test_the_maps_inside_the_classics_have_the_published_sizes() -> None:
    digits = torch.randn(2, *DIGITS)
    assert shapes_of(StridedDiscriminator().build(DIGITS, 1), digits, nn.Conv2d) == [(1, 12, 12), (64, 4, 4)]
    assert shapes_of(PooledDiscriminator().build(DIGITS, 1), digits, nn.MaxPool2d) == [(64, 12, 12), (128, 4, 4)]
    faces = FacesDiscriminator().build((3, 96, 96), 1)
    assert shapes_of(faces, torch.randn(1, 3, 96, 96), nn.AvgPool2d) == [(32, 48, 48), (64, 16, 16)]
    generator = StridedGenerator().build(100, DIGITS)
    assert shapes_of(generator, torch.randn(2, 100), nn.ConvTranspose2d) == [(128, 14, 14), (1, 28, 28)]


def test_the_sources_bug_of_a_second_sigmoid_can_be_brought_back() -> None:
    bugged = PooledDiscriminator(second_sigmoid=True).build(DIGITS, 1)(torch.randn(4, *DIGITS))
    assert ((bugged > 0) & (bugged < 1)).all()


def test_normal_weights_have_their_deviation_and_zero_biases() -> None:
    net = MlpGenerator((400,), init=NormalWeights(0.02)).build(100, DIGITS)
    for layer in weighted_layers(net):
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
        assert layer.bias is not None
        assert (layer.bias == 0).all()


def test_xavier_is_uniform_within_its_bound() -> None:
    (layer, *_) = weighted_layers(MlpDiscriminator((512,), init=XavierUniform()).build(DIGITS, 1))
    bound = math.sqrt(6 / (784 + 512))
    assert layer.weight.abs().max() <= bound
    assert layer.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.05)


def test_fluids_convolutions_are_normal_by_their_inputs() -> None:
    convolution = weighted_layers(PooledDiscriminator(init=PaddleFluid()).build(DIGITS, 1))[1]
    assert convolution.weight.std().item() == pytest.approx(math.sqrt(2 / (64 * 25)), rel=0.05)


def test_the_faces_generator_starts_at_twice_the_size() -> None:
    assert shapes_of(FacesGenerator().build(4, (3, 8, 8)), torch.randn(2, 4), nn.Unflatten) == [(15, 16, 16)]


def test_a_spectral_norm_comes_out_as_one() -> None:
    net = nn.Sequential(nn.Linear(6, 5))
    SpectralNorm().attach(net)
    for _ in range(30):
        net(torch.randn(2, 6))
    (layer,) = weighted_layers(net)
    assert torch.linalg.matrix_norm(layer.weight, 2).item() == pytest.approx(1.0, abs=1e-3)


def test_clipping_bounds_every_weight() -> None:
    net = nn.Linear(50, 50)
    WeightClipping(0.05).after_move(net)
    assert max(parameter.abs().max().item() for parameter in net.parameters()) == pytest.approx(0.05)


def test_while_held_still_batches_are_used_and_not_remembered() -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    SpectralNorm().attach(net)
    batch = torch.randn(8, 3) + 4
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with held_still(net):
        out = net(batch)
    assert out.mean().abs() < 1e-5  # normalised by the batch, not by the running statistics
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    net(batch)
    assert net.state_dict()["1.num_batches_tracked"] == 1
    assert not torch.equal(before["1.running_mean"], net.state_dict()["1.running_mean"])


def test_only_norms_over_the_batch_count_as_batch_statistics() -> None:
    assert has_batch_statistics(StridedDiscriminator().build(DIGITS, 1))
    assert not has_batch_statistics(DcganDiscriminator(4).build(DIGITS, 1))
    assert not has_batch_statistics(nn.Sequential(nn.GroupNorm(1, 3), nn.LayerNorm(3)))


def test_layers_that_stay_in_float32_do_so_under_autocast() -> None:
    precise, plain = InFloat32(nn.Linear(4, 4)), nn.Linear(4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        assert plain(torch.randn(2, 4)).dtype == torch.bfloat16
        assert precise(torch.randn(2, 4)).dtype == torch.float32


def test_the_layer_table_lists_every_layer_and_the_sum() -> None:
    net = named("mnist-mlp").discriminator.build((1, 32, 32), 1)
    lines = layer_table("discriminator", net, torch.zeros(1, 1, 32, 32)).splitlines()
    assert lines[0] == "discriminator"
    assert lines[3].split() == ["Linear", "512", "524,800"]
    assert lines[-1].split() == ["total", "656,385"]
    assert len(lines) == 2 + 6 + 1


def test_the_dcgan_pair_tells_points_to_take_the_mlp_pair() -> None:
    with pytest.raises(RecipeError) as caught:
        DcganGenerator().build(5, (2,))
    assert str(caught.value) == (
        "generator=dcgan-generator works on images (C, H, W), not on samples of shape (2,); choose the mlp pair for points"
    )


def test_holding_still_ends_with_an_error_inside() -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    SpectralNorm().attach(net)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(ZeroDivisionError), held_still(net):
        raise ZeroDivisionError
    net(torch.randn(8, 3, generator=torch.Generator().manual_seed(0)) + 4)
    changed = {name for name, value in net.state_dict().items() if not torch.equal(before[name], value)}
    assert {"1.running_mean", "1.running_var", "1.num_batches_tracked"} <= changed
    assert all(module.training for module in net.modules())  # spectral norm goes on with its power iteration


@pytest.mark.parametrize("init", [XavierUniform(), PaddleFluid()], ids=repr)
def test_initial_biases_are_zero(init: Any) -> None:
    layers = weighted_layers(PooledDiscriminator(init=init).build(DIGITS, 1))
    assert len(layers) == 4
    assert all(layer.bias is not None and (layer.bias == 0).all() for layer in layers)


def test_float32_layers_compute_exactly_under_autocast() -> None:
    layer = nn.Linear(64, 8)
    inputs = torch.randn(4, 64, generator=torch.Generator().manual_seed(0))
    plain = layer(inputs)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(InFloat32(layer)(inputs), plain)
