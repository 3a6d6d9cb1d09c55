"""Features of the 2015 Inception: the only ones whose Fréchet distance is called FID."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mulligan.errors import FeaturesError
from mulligan.features.extractor import Extractor, whole
from mulligan.features.inception_network import ConvNorm, InceptionNetwork
from mulligan.features.resize import Resize, resize
from mulligan.parts import Dataset
from mulligan.storage import cache_folder

SIDE = 299
CHUNK = 16
OURS = "inception_2015_pool3.pth"
PYTORCH_FID = "pt_inception-2015-12-05-6726825d.pth"
# of the tensors and their names, so that how the file is packed makes no difference; and of the whole file of pytorch-fid
CONTENT_SHA256 = "76aeb04f4397709f3b15faeecbc0135a2e12329743c2f153a584d15f289843cb"
PYTORCH_FID_START = "6726825d"


@dataclass(frozen=True)
class Inception:
    """The last pool, 2,048 numbers, of images brought to 299 x 299; grey images are repeated for the three colours.

    `weights` is a file; empty: it is looked for in the cache. Only one with a known SHA-256 is opened.
    """

    weights: str = ""
    resize: Resize = "tf-bilinear"

    def open(self, data: Dataset, device: torch.device) -> Extractor:
        if data.items.dtype != torch.uint8:
            raise FeaturesError(f"features=inception are of images and the data holds points of shape {data.shape}; use identity")
        path = Path(self.weights) if self.weights else find_weights()
        digest, net = check(path), load_network(path)
        fuse(net)
        head = net.fc
        net.fc = None
        net = net.to(device).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

        def compute(images: Tensor) -> Tensor:
            seen = resize(images, SIDE, self.resize).to(device).sub_(128).div_(128)
            return net(as_colours(seen).contiguous(memory_format=torch.channels_last))

        def probabilities(features: np.ndarray) -> np.ndarray:
            assert head is not None
            return torch.softmax(torch.from_numpy(features) @ head.weight.double().T, 1).numpy()  # as FID's code: without bias

        return Extractor(
            "inception", digest, compute, self.resize, CHUNK, slow=True, probabilities=probabilities if head is not None else None
        )


def load_network(path: Path) -> InceptionNetwork:
    """The network with the weights of a known file, ready to look."""
    check(path)
    weights = torch.load(path, map_location="cpu", weights_only=True)
    net = InceptionNetwork(with_classes="fc.weight" in weights)
    missing = net.load_state_dict(weights, strict=False).missing_keys
    if lacking := [name for name in missing if "num_batches" not in name]:
        raise FeaturesError(f"features=inception: {path} lacks {lacking[0]}; make the file again")
    return net.eval().requires_grad_(False)


def find_weights() -> Path:
    """The first file there is: in our cache, or where PyTorch's hub puts what pytorch-fid downloads."""
    folder = cache_folder()
    hub = Path(torch.hub.get_dir()) / "checkpoints"
    places = [folder / "inception" / OURS, folder / OURS, folder / "inception" / PYTORCH_FID, hub / PYTORCH_FID]
    for place in places:
        if place.is_file():
            return place
    raise FeaturesError(
        f"features=inception needs the weights of 2015, and they are not in {places[0]} or {places[-1]}; "
        f"put one of these files there or name it with inception:weights=PATH, or use --features classifier"
    )


def check(path: Path) -> str:
    """The digest of a known file; FeaturesError for any other, which is then never unpacked."""
    if not path.is_file():
        raise FeaturesError(f"features=inception: {path} does not exist; name a file with the weights of 2015")
    digest = whole(path)
    if digest.startswith(PYTORCH_FID_START):
        return digest
    if zipfile.is_zipfile(path) and content_digest(path) == CONTENT_SHA256:
        return CONTENT_SHA256
    raise FeaturesError(
        f"features=inception: {path} has the SHA-256 {digest[:16]}... and is no known file of weights; get {OURS} or {PYTORCH_FID}"
    )


def content_digest(path: Path) -> str:
    """SHA-256 over the names and bytes of the members that hold tensors, without the archive's own name."""
    digest = hashlib.sha256()
    with zipfile.ZipFile(path) as archive:
        members = {info.filename.partition("/")[2]: info for info in archive.infolist()}
        for name in sorted(name for name in members if name == "data.pkl" or name.startswith("data/")):
            digest.update(name.encode() + b"\0")
            with archive.open(members[name]) as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()


def fuse(net: InceptionNetwork) -> None:
    """Each batch norm into the convolution before it: the same sums, half as many passes over memory."""
    for module in net.modules():
        if isinstance(module, ConvNorm) and isinstance(module.bn, torch.nn.BatchNorm2d):
            module.conv, module.bn = fuse_conv_bn_eval(module.conv, module.bn), torch.nn.Identity()


def as_colours(images: Tensor) -> Tensor:
    """(N, 1, H, W) three times, (N, 3, H, W) as it is, of (N, 4, H, W) the first three."""
    return images.expand(-1, 3, -1, -1) if images.shape[1] < 3 else images[:, :3]
