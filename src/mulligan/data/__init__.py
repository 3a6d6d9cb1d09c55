"""Where data comes from. The closed union is the registry; `source_from` reads what people write after `--data`."""

import difflib
import zipfile
from pathlib import Path

from mulligan.data.archive import Archive
from mulligan.data.arrays import ArrayFile
from mulligan.data.digits import FashionMnist, Mnist
from mulligan.data.folder import Folder
from mulligan.data.idx import IdxFile
from mulligan.data.points import Gaussian, Grid, Ring
from mulligan.data.splits import load_both, load_train
from mulligan.data.stacked import StackedMnist
from mulligan.data.stream import Stream
from mulligan.errors import DataError

Source = Mnist | FashionMnist | StackedMnist | Folder | Archive | ArrayFile | IdxFile | Ring | Grid | Gaussian

NAMED: dict[str, Source] = {
    "mnist": Mnist(),
    "mnist-test": Mnist("test"),
    "fashion-mnist": FashionMnist(),
    "fashion-mnist-test": FashionMnist("test"),
    "stacked-mnist": StackedMnist(),
    "ring": Ring(),
    "grid": Grid(),
    "gaussian": Gaussian(),
}


def source_from(text: str) -> Source:
    """A known name, a folder, a zip file, an `.npy` or `.npz` file, or an IDX file."""
    if text in NAMED:
        return NAMED[text]
    path = Path(text)
    if path.is_dir():
        return Folder(text)
    if path.suffix.lower() in (".npy", ".npz"):
        return ArrayFile(text)
    if path.is_file() and (path.suffix.lower() == ".zip" or zipfile.is_zipfile(path)):
        return Archive(text)
    if path.is_file():
        return IdxFile(text)
    close = difflib.get_close_matches(text, NAMED, 1)
    meant = f"did you mean {close[0]}?" if close else f"give a folder, an array file or one of {', '.join(NAMED)}"
    raise DataError(f"data={text} does not exist and is no known name; {meant}")


__all__ = [
    "NAMED",
    "Archive",
    "ArrayFile",
    "FashionMnist",
    "Folder",
    "Gaussian",
    "Grid",
    "IdxFile",
    "Mnist",
    "Ring",
    "Source",
    "StackedMnist",
    "Stream",
    "load_both",
    "load_train",
    "source_from",
]
