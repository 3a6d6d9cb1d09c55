"""The training loop that a reader of the tutorials would write, for any of our recipes: what the benchmarks compare us with.

No trick that the tutorials do not have: float32, an ordinary DataLoader of prepared images, one pass for real and one for fake
samples, gradients that nobody needs left to pile up in the other network, PyTorch's default Adam, losses read out at every step.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from mulligan.parts import Dataset
from mulligan.penalties import R1, R2
from mulligan.recipe import Recipe
from mulligan.schedules import value_at


def plain_loop(recipe: Recipe, data: Dataset, device: torch.device) -> Callable[[], dict[str, float]]:
    """One step at each call: every update of both players, and what they paid."""
    torch.manual_seed(recipe.seed)
    generator = recipe.generator.build(recipe.latents.size, data.shape).to(device)
    discriminator = recipe.discriminator.build(data.shape, recipe.loss.logits).to(device)
    for constraint in recipe.discriminator_constraints:
        constraint.attach(discriminator)
    optimizers = [
        torch.optim.Adam(net.parameters(), value_at(adam.rate, 0.0), (adam.beta1, adam.beta2))
        for net, adam in ((generator, recipe.generator_optimizer), (discriminator, recipe.discriminator_optimizer))
    ]
    average = {name: value.clone() for name, value in generator.state_dict().items()} if recipe.ema else {}
    batches = endless(DataLoader(TensorDataset(recipe.view.encode(data.items)), recipe.batch, shuffle=True, drop_last=True))

    def latents() -> Tensor:
        return torch.randn(recipe.batch, recipe.latents.size, device=device)

    def step() -> dict[str, float]:
        paid: dict[str, float] = {}
        real = torch.empty(0)
        for _ in range(recipe.discriminator_updates):
            real = next(batches).to(device)
            paid["discriminator"] = update_discriminator(recipe, generator, discriminator, optimizers[1], real, latents())
        for _ in range(recipe.generator_updates):
            optimizers[0].zero_grad()
            fake_logits = scores(recipe, discriminator, generator(latents()))
            real_logits = scores(recipe, discriminator, real) if recipe.loss.generator_sees_real else None
            loss = recipe.loss.generator(real_logits, fake_logits).mean()
            loss.backward()
            optimizers[0].step()
            paid["generator"] = loss.item()
        with torch.no_grad():
            for name, value in generator.state_dict().items() if average else ():
                if value.is_floating_point():
                    average[name].mul_(0.999).add_(value, alpha=0.001)
        return paid

    return step


def update_discriminator(
    recipe: Recipe, generator: nn.Module, discriminator: nn.Module, optimizer: torch.optim.Optimizer, real: Tensor, latents: Tensor
) -> float:
    optimizer.zero_grad()
    fake = generator(latents).detach()
    kinds = [type(penalty) for penalty in recipe.discriminator_penalties]
    real.requires_grad_(R1 in kinds)
    fake.requires_grad_(R2 in kinds)
    real_logits, fake_logits = scores(recipe, discriminator, real), scores(recipe, discriminator, fake)
    loss = recipe.loss.discriminator(real_logits, fake_logits).mean()
    for penalty in recipe.discriminator_penalties:
        assert isinstance(penalty, R1 | R2), "the recipes that are compared have no other"
        samples, logits = (real, real_logits) if isinstance(penalty, R1) else (fake, fake_logits)
        gradient = torch.autograd.grad(recipe.loss.margin(logits).sum(), samples, create_graph=True)[0]
        loss = loss + value_at(penalty.gamma, 0.0) / 2 * gradient.square().flatten(1).sum(1).mean()
    loss.backward()
    optimizer.step()
    return loss.item()


def scores(recipe: Recipe, discriminator: nn.Module, samples: Tensor) -> Tensor:
    logits = discriminator(samples)
    return logits.squeeze(1) if recipe.loss.logits == 1 else logits


def endless(loader: DataLoader[tuple[Tensor, ...]]) -> Iterator[Tensor]:
    while True:
        for (batch,) in loader:
            yield batch
