"""The layer table: every layer with its output shape and parameter count, as text."""

import torch
from torch import Tensor, nn


def count_parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@torch.no_grad()
def layer_table(title: str, net: nn.Module, example: Tensor) -> str:
    """One line per leaf layer that the example (1, ...) passes through, and the sum."""
    rows: list[tuple[str, str, int]] = []

    def note(layer: nn.Module, _inputs: object, result: Tensor) -> None:
        rows.append((type(layer).__name__, " x ".join(map(str, result.shape[1:])), count_parameters(layer)))

    leaves = [module for module in net.modules() if not list(module.children())]
    hooks = [leaf.register_forward_hook(note) for leaf in leaves]
    was_training = net.training
    try:
        net.eval()(example)
    finally:
        net.train(was_training)
        for hook in hooks:
            hook.remove()
    lines = [f"{name:<20}{shape:>20}{count:>14,}" for name, shape, count in rows]
    total = f"{'total':<40}{count_parameters(net):>14,}"
    return "\n".join([title, f"{'layer':<20}{'output':>20}{'parameters':>14}", *lines, total, ""])
