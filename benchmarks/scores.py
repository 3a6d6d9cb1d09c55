"""What scores cost: python benchmarks/scores.py [--samples 10000] [--features 2048]

Each score once, of standard normal features, in a process of its own: wall time, CPU time and the peak of memory beyond the
features.
"""

import argparse
import multiprocessing
import resource
import time
from multiprocessing.queues import Queue

import numpy as np

from mulligan import metrics

SCORES = {
    "Fréchet distance": metrics.frechet_distance,
    "Fréchet at infinity": metrics.frechet_infinity,
    "kernel distance": metrics.kernel_distance,
    "precision, recall, density, coverage": metrics.neighbour_scores,
    "sliced Wasserstein": metrics.sliced_wasserstein,
    "memorisation": lambda real, fake: metrics.memorisation_scores(real, real[::-1], fake),
}


def measure(name: str, samples: int, features: int, queue: "Queue[tuple[float, float, float]]") -> None:
    rng = np.random.default_rng(0)
    real, fake = (rng.standard_normal((samples, features)) for _ in range(2))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    SCORES[name](real, fake)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    queue.put((time.perf_counter() - wall, time.process_time() - cpu, (after - before) / 1024))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--features", type=int, default=2_048)
    options = parser.parse_args()
    print(f"{options.samples:,} against {options.samples:,} samples of {options.features:,} features")
    context = multiprocessing.get_context("spawn")
    for name in SCORES:
        queue = context.Queue()
        process = context.Process(target=measure, args=(name, options.samples, options.features, queue))
        process.start()
        wall, cpu, memory = queue.get()
        process.join()
        print(f"{name:<40}{wall:>7.1f} s{cpu:>9.1f} s of CPU{memory:>8.0f} MB", flush=True)


if __name__ == "__main__":
    main()
