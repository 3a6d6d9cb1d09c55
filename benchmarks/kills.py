"""Kill a real training process again and again, go on each time, and compare the end with a run that nobody killed.

    python benchmarks/kills.py --kills 200

Half of the kills (SIGKILL) come at a random moment, half as soon as a checkpoint is being written. Counted are checkpoints that
cannot be read, bits that differ at the end (weights, averages, optimisers, log), and the work that had to be repeated.
"""

import argparse
import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from mulligan.errors import RunFolderError
from mulligan.packed import unpack
from mulligan.rundir import RunFolder, images_of

COMMAND = [sys.executable, "-c", "import sys; from mulligan.cli import main; sys.exit(main())"]
INTERVAL = 1024  # images between checkpoints
COMMON = ["--device", "cpu", "--threads", "1", "--report-every-images", "128", "--checkpoint-every-images", str(INTERVAL)]
FAMILIES = {
    "points, mixture of latents, schedules, average": ["ring", "--batch", "64", "--images", "{images}"],
    "convolutions, batch norm, bfloat16": [
        *["mnist", "--data", "mnist-test", "--generator.width", "4", "--discriminator.width", "4", "--images", "{images}"],
        *["--batch", "32"],
    ],
    "several updates, lazy random penalty, clipping": [
        *["ring", "--loss", "wasserstein", "--discriminator-penalties", "gradient-penalty:every=3", "--generator-updates", "2"],
        *["--discriminator-constraints", "weight-clipping:limit=0.5", "--discriminator-updates", "2", "--batch", "32"],
        *["--images", "{images}"],
    ],
}


@dataclass
class Tally:
    kills: int = 0
    while_saving: int = 0
    unreadable: int = 0
    runs: int = 0
    differing: int = 0
    repeated: int = 0  # images, at most

    def __str__(self) -> str:
        return (
            f"{self.kills} kills ({self.while_saving} while a checkpoint was written), {self.unreadable} unreadable checkpoints; "
            f"{self.runs} runs ended, {self.differing} tensors or log lines differ; "
            f"at most {self.repeated} images repeated, {self.repeated / INTERVAL:.2f} intervals"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--images", type=int, default=60_000, help="length of each run")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    tally, chance = Tally(), random.Random(options.seed)
    with tempfile.TemporaryDirectory() as place:
        for number, (family, words) in enumerate(itertools.cycle(FAMILIES.items())):
            if tally.kills >= options.kills:
                break
            arguments = [word.format(images=options.images) for word in [*words, *COMMON]]
            straight, killed = Path(place) / f"straight-{family[:6]}", Path(place) / f"killed-{number}"
            if not straight.exists():
                subprocess.run([*COMMAND, "train", *arguments, "--run", str(straight)], check=True, stdout=subprocess.DEVNULL)
            share = options.kills * (number % len(FAMILIES) + 1) // len(FAMILIES) if number < len(FAMILIES) else options.kills
            torment(killed, arguments, share, tally, chance)
            tally.runs += 1
            tally.differing += len(differences(straight, killed))
            print(f"{family}: {tally}", flush=True)
    print(tally)
    return int(tally.unreadable + tally.differing > 0)


def torment(path: Path, arguments: list[str], until: int, tally: Tally, chance: random.Random) -> None:
    """Train into `path`, killing the process and going on, until so many kills are done or the run has ended; then to its end."""
    while True:
        words = ["resume", str(path)] if (path / "checkpoints").is_dir() and any(checkpoints(path)) else ["train", *arguments]
        if words[0] == "train":
            subprocess.run(["rm", "-rf", str(path)], check=True)  # killed before its first checkpoint: nothing was trained yet
            words += ["--run", str(path)]
        process = subprocess.Popen([*COMMAND, *words], stdout=subprocess.DEVNULL)
        if tally.kills >= until:
            assert process.wait() == 0, words
            return
        saving = wait_for_the_moment(path, process, chance)
        if process.poll() is not None:
            return
        process.kill()
        process.wait()
        tally.kills += 1
        tally.while_saving += saving
        for checkpoint in checkpoints(path):
            try:
                unpack(checkpoint)
            except RunFolderError:
                tally.unreadable += 1
        newest = max(map(images_of, checkpoints(path)), default=0)
        tally.repeated = max(tally.repeated, last_report(path) - newest)


def wait_for_the_moment(path: Path, process: subprocess.Popen[bytes], chance: random.Random) -> bool:
    """Until the run has gone on and it is time to kill; whether a checkpoint is being written then."""
    before = last_report(path)
    wants_saving, patience = chance.random() < 0.5, chance.random()
    while process.poll() is None and last_report(path) <= before:
        time.sleep(0.002)
    end = time.monotonic() + (10.0 if wants_saving else patience)
    while process.poll() is None and time.monotonic() < end:
        if wants_saving and any((path / "checkpoints").glob(".*.tmp")):
            return True
        time.sleep(0 if wants_saving else 0.002)
    return any((path / "checkpoints").glob(".*.tmp"))


def checkpoints(path: Path) -> list[Path]:
    return RunFolder(path).checkpoints()


def last_report(path: Path) -> int:
    """Images seen by the last whole line of the log."""
    log = path / "events.jsonl"
    for line in reversed(log.read_bytes().splitlines() if log.exists() else []):
        try:
            return int(json.loads(line)["images"])
        except (ValueError, LookupError):
            continue
    return 0


def differences(straight: Path, other: Path) -> list[str]:
    """What differs at the end of two runs: tensors bit by bit, and the log without the clock."""
    (one, one_facts, _), (two, two_facts, _) = (RunFolder.open(path).newest_checkpoint() for path in (straight, other))
    found = [name for name in sorted(one.keys() | two.keys()) if not same(one.get(name), two.get(name))]
    logs = [RunFolder.open(path).events() for path in (straight, other)]
    for event in itertools.chain(*logs):
        del event["seconds"], event["rates"]["images_per_second"]
    found += [f"event {number}" for number, pair in enumerate(itertools.zip_longest(*logs)) if pair[0] != pair[1]]
    return found + [name for name in one_facts if name != "seconds" and one_facts[name] != two_facts[name]]


def same(one: torch.Tensor | None, two: torch.Tensor | None) -> bool:
    if one is None or two is None:
        return False
    return one.dtype == two.dtype and one.shape == two.shape and bool(torch.equal(one, two))


if __name__ == "__main__":
    sys.exit(main())
