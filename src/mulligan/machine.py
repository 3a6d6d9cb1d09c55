"""The machine and the versions a run ran under: recorded, and compared when it goes on."""

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import torch

from mulligan.recipe import Recipe

MOST_THREADS = 4096
PACKAGES = ("mulligan", "torch", "numpy", "safetensors")


@dataclass(frozen=True)
class Machine:
    """What decides the last bit of a number."""

    device: str = "auto"
    threads: int | None = None
    processor: str = ""  # instruction set that PyTorch uses on the CPU
    system: str = ""
    torch_version: str = ""

    @classmethod
    def here(cls, device: torch.device) -> "Machine":
        processor = torch.backends.cpu.get_cpu_capability()
        return cls(str(device), torch.get_num_threads(), processor, platform.platform(), torch.__version__)

    @classmethod
    def recorded(cls, facts: Mapping[str, Any]) -> "Machine":
        """What `recipe.json` says; what it does not say is left open."""
        blocks = (facts.get("machine"), facts.get("versions"))
        machine, versions = (block if isinstance(block, dict) else {} for block in blocks)
        return cls(
            str(machine.get("device", "auto")),
            recorded_threads(machine),
            str(machine.get("processor", "")),
            str(machine.get("system", "")),
            str(versions.get("torch", "")),
        )

    def differences(self, here: "Machine") -> list[str]:
        """A line for each thing that may change the last digits, when a run goes on `here`."""
        names = {"device": "device", "threads": "threads", "processor": "instruction set", "torch_version": "torch"}
        return [
            f"this run began with {what} {was} and goes on with {now}: its numbers may differ in the last digits from here on"
            for name, what in names.items()
            if (was := getattr(self, name)) not in ("", "auto", None) and was != (now := getattr(here, name))
        ]

    def to_json(self) -> dict[str, Any]:
        machine = asdict(self)
        del machine["torch_version"]
        versions = {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}
        return {"versions": versions | {"torch": self.torch_version}, "machine": machine}


def recorded_threads(facts: Mapping[str, Any]) -> int | None:
    """The number of threads that a file says; None for one that no machine has."""
    threads = facts.get("threads")
    return threads if isinstance(threads, int) and 0 < threads <= MOST_THREADS else None


def settled(recipe: Recipe, device: torch.device) -> Recipe:
    """The recipe with its precision decided: bfloat16 where the device has instructions for it, else float32."""
    if recipe.precision != "auto":
        return recipe
    return recipe.with_(precision="bfloat16" if quick_in_bfloat16(device) else "float32")


def quick_in_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 in hardware; emulated, it is many times slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    return any(getattr(torch.cpu, f"_is_{name}_supported", lambda: False)() for name in ("avx512_bf16", "amx_tile"))
