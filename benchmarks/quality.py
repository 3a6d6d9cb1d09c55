"""Published tables and our rows, each by one command: python benchmarks/quality.py ROW [--seeds N]; no ROW: list them.

Each seed is a whole training on one thread of the CPU, scored at its end (never at its best moment) with the averaged
generator. What was measured is kept in benchmarks/results/ROW.json, so that a row can be stopped and gone on with, and
docs/quality.md is written anew from all of them. Seeds count from 0 and none is left out.
"""

import argparse
import dataclasses
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import mulligan
from mulligan.api import Run
from mulligan.features import Inception
from mulligan.judges import Question
from mulligan.networks.outline import outline_of
from mulligan.recipe import Recipe

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "quality.md"
NEVER = 10**12


@dataclasses.dataclass(frozen=True)
class Row:
    """One of ours: what is trained, how it is scored, in which table it stands."""

    table: str
    title: str
    make: Callable[[], Recipe]
    question: Question
    seeds: int
    note: str = ""


def recipe(name: str, **changes: Any) -> Callable[[], Recipe]:
    return lambda: mulligan.named(name).with_(**changes)


POINTS = Question(n=2_500, metrics=("modes",), seed=1)  # as many as PacGAN's protocol draws
STACKS = Question(n=25_600, metrics=("modes",), seed=1)  # as many as its tiny experiment draws
FID = Question(n=10_000, metrics=("fd", "kid"), features=Inception(), seed=1)  # Lucic et al.: 10,000 against the test images

ROWS = {
    "ring": Row("ring", "`ring`: mixture of 64 latents", recipe("ring"), POINTS, 10),
    "grid": Row("grid", "`grid`: mixture of 100 latents", recipe("grid"), POINTS, 10),
    "ring-plain": Row("ring", "`ring-plain`: latents N(0, I), a switch in the generator", recipe("ring-plain"), POINTS, 10),
    "grid-plain": Row("grid", "`grid-plain`: latents N(0, I), a switch in the generator", recipe("grid-plain"), POINTS, 10),
    "mnist": Row("mnist", "`mnist`, the default", recipe("mnist"), FID, 3),
    "fashion": Row("fashion", "`fashion`", recipe("fashion"), FID, 3),
    "mnist-fine": Row("mnist", "`mnist-fine`", recipe("mnist-fine"), FID, 3),
    "fashion-fine": Row("fashion", "`fashion-fine`", recipe("fashion-fine"), FID, 3),
    "mnist-mlp": Row("mnist", "`mnist-mlp`, a classic, at 28 x 28", recipe("mnist-mlp", image_size=28), FID, 1),
    "stacked-mnist-quarter": Row("quarter", "`stacked-mnist-quarter`", recipe("stacked-mnist-quarter"), STACKS, 3),
    "stacked-mnist-half": Row("half", "`stacked-mnist-half`", recipe("stacked-mnist-half"), STACKS, 3),
}

POINT_COLUMNS = {"modes": "modes", "high_quality": "high quality", "reverse_kl": "reverse KL", "spread_ratio": "spread"}
STACK_COLUMNS = {"modes": "modes", "sure_modes": "sure modes", "kl": "KL"}
COLUMNS = {
    "ring": POINT_COLUMNS,
    "grid": POINT_COLUMNS,
    "mnist": {"fid": "FID", "kid": "KID"},
    "fashion": {"fid": "FID", "kid": "KID"},
    "quarter": STACK_COLUMNS,
    "half": STACK_COLUMNS,
}
HUNDREDTHS = {"high_quality"}

# as published, in the order of the columns; PacGAN's ± are standard errors over its trials, Lucic's deviations over seeds of the
# best of 100 settings
PUBLISHED: dict[str, list[tuple[str, ...]]] = {
    "ring": [
        ("perfect sampler", "8", "98.9 %", "0.0014 ± 0.0008", "1"),
        ("GAN (PacGAN's table)", "6.3 ± 0.5", "98.2 ± 0.2 %", "0.45 ± 0.09", ""),
        ("PacGAN2", "7.9 ± 0.1", "95.6 ± 2.0 %", "0.07 ± 0.03", ""),
        ("PacGAN3", "7.8 ± 0.1", "97.7 ± 0.3 %", "0.10 ± 0.02", ""),
        ("PacGAN4", "7.8 ± 0.1", "95.9 ± 1.4 %", "0.07 ± 0.02", ""),
    ],
    "grid": [
        ("perfect sampler", "25", "98.9 %", "0.0048 ± 0.0015", "1"),
        ("GAN (PacGAN's table)", "17.3 ± 0.8", "94.8 ± 0.7 %", "0.70 ± 0.07", ""),
        ("PacGAN2", "23.8 ± 0.7", "91.3 ± 0.8 %", "0.13 ± 0.04", ""),
        ("PacGAN3", "24.6 ± 0.4", "94.2 ± 0.4 %", "0.06 ± 0.02", ""),
        ("PacGAN4", "24.8 ± 0.2", "93.6 ± 0.6 %", "0.04 ± 0.01", ""),
    ],
    "mnist": [
        ("NS GAN (Lucic et al.)", "6.8 ± 0.5", ""),
        ("WGAN", "6.7 ± 0.4", ""),
        ("DRAGAN", "7.6 ± 0.4", ""),
        ("WGAN-GP", "20.3 ± 5.0", ""),
        ("2-Stage VAE", "12.6 ± 1.5", ""),
    ],
    "fashion": [
        ("NS GAN (Lucic et al.)", "26.5 ± 1.6", ""),
        ("WGAN", "21.5 ± 1.6", ""),
        ("BEGAN", "22.9 ± 0.9", ""),
        ("WGAN-GP", "24.5 ± 2.1", ""),
        ("2-Stage VAE", "29.3 ± 1.0", ""),
    ],
    "quarter": [
        ("perfect sampler", "1000", "", "0.0195"),
        ("DCGAN (PacGAN's table)", "78.5 ± 17.6", "", "5.21 ± 0.19"),
        ("Unrolled GAN, 10 steps", "327 ± 75", "", "4.66 ± 0.46"),
        ("PacDCGAN4", "667 ± 29", "", "1.81 ± 0.15"),
    ],
    "half": [
        ("perfect sampler", "1000", "", "0.0195"),
        ("DCGAN (PacGAN's table)", "488 ± 35", "", "2.24 ± 0.15"),
        ("Unrolled GAN, 10 steps", "817 ± 38", "", "1.43 ± 0.12"),
        ("PacDCGAN3", "867 ± 12", "", "0.90 ± 0.04"),
    ],
}


def measure(row: Row, seed: int) -> dict[str, Any]:
    """One whole training and its scores; seconds are the training's own."""
    chosen = row.make().with_(seed=seed, threads=1)
    if row.question.metrics == ("modes",):  # nobody looks meanwhile: the scores at each report would take longer than the steps
        chosen = chosen.with_(report_every_images=chosen.images, sample_every_images=NEVER, best=None)
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        run = mulligan.train(chosen, run=Path(folder) / "run", device="cpu")
        seconds = {"seconds": run.events[-1]["seconds"], "cpu_seconds": time.process_time() - started}
        found = Run(run.path, chosen).evaluate(**vars(row.question), device="cpu")
    floors = {name: score.floor for name, score in found.items() if score.floor is not None}
    return {"seed": seed, **seconds, "scores": {name: score.value for name, score in found.items()}, "floors": floors} | {
        "passport": found.passport
    }


def facts_of(chosen: Recipe) -> dict[str, Any]:
    """What the row's cost is made of."""
    shape = chosen.data.load(chosen.image_size).shape
    sizes = [
        outline_of(lambda: chosen.generator.build(chosen.latents.size, shape)),
        outline_of(lambda: chosen.discriminator.build(shape, chosen.loss.logits)),
    ]
    weights = [sum(int(np.prod(sides)) for sides in (found or {}).values()) for found in sizes]
    return {"steps": -(-chosen.images // chosen.step_images), "images": chosen.images, "weights": weights}


def run_row(name: str, seeds: int) -> None:
    row, path = ROWS[name], RESULTS / f"{name}.json"
    chosen = row.make()
    kept = json.loads(path.read_text()) if path.exists() else {}
    recorded = chosen.to_json()
    runs = kept.get("runs", []) if kept.get("recipe") == recorded else []
    for seed in range(seeds):
        if seed not in [run["seed"] for run in runs]:
            runs.append(measure(row, seed))
            RESULTS.mkdir(exist_ok=True)
            path.write_text(json.dumps({"recipe": recorded, "facts": facts_of(chosen), "runs": runs}, indent=1) + "\n")
            print(name, "seed", seed, {key: round(value, 4) for key, value in runs[-1]["scores"].items()}, flush=True)
    write_page()


def write_page() -> None:
    """Every table of docs/quality.md anew, between its marks; the words around them are left alone."""
    text = PAGE.read_text()
    for table in COLUMNS:
        start, end = f"<!-- table {table} -->", "<!-- end -->"
        head, _, rest = text.partition(start)
        _, _, tail = rest.partition(end)
        text = f"{head}{start}\n{table_lines(table)}\n{end}{tail}"
    PAGE.write_text(text)


def table_lines(table: str) -> str:
    columns = COLUMNS[table]
    lines = [
        "| | " + " | ".join(columns.values()) + " | runs | steps | weights | minutes of one core |",
        "|" + "---|" * (len(columns) + 5),
    ]
    lines += ["| " + " | ".join((*row, "", "", "", "")) + " |" for row in PUBLISHED[table]]
    for name, row in ROWS.items():
        path = RESULTS / f"{name}.json"
        if row.table == table and path.exists():
            lines.append(our_line(row, json.loads(path.read_text()), list(columns)))
    return "\n".join(lines)


def our_line(row: Row, kept: dict[str, Any], columns: list[str]) -> str:
    runs, facts = kept["runs"], kept["facts"]
    cells = [cell(name, [run["scores"].get(name, float("nan")) for run in runs]) for name in columns]
    minutes = np.array([run["cpu_seconds"] / 60 for run in runs])
    weights = " + ".join(f"{count:,}" for count in facts["weights"])
    cost = [f"{len(runs)}", f"{facts['steps']:,}", weights, f"{minutes.mean():.1f} (most {minutes.max():.1f})"]
    return f"| **{row.title}** | " + " | ".join([*cells, *cost]) + " |"


def cell(name: str, values: list[float]) -> str:
    """Mean and deviation over seeds, and the range where it says more."""
    mean, deviation = float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    if name in HUNDREDTHS:
        return f"{100 * mean:.1f} ± {100 * deviation:.1f} %"
    if "modes" in name:
        worst = f" (least {min(values):.0f})" if len(values) > 1 else ""
        return f"{mean:.1f}{worst}"
    best = f" (best {min(values):.2f})" if name == "fid" and len(values) > 1 else ""
    return f"{mean:.4g} ± {deviation:.2g}{best}" if len(values) > 1 else f"{mean:.4g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join([*ROWS, "page (only write the page)"]))
    parser.add_argument("--seeds", type=int, help="how many; default: the row's own number")
    options = parser.parse_args()
    if unknown := set(options.rows) - {*ROWS, "page"}:
        parser.error(f"{min(unknown)} is no row; choose from {', '.join([*ROWS, 'page'])}")
    torch.set_num_threads(1)
    if not options.rows:
        print("\n".join(f"{name:<24}{row.seeds:>3} seeds  {row.title}" for name, row in ROWS.items()))
    for name in options.rows:
        write_page() if name == "page" else run_row(name, options.seeds or ROWS[name].seeds)


if __name__ == "__main__":
    main()
