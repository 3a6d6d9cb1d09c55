"""A real process killed with SIGKILL, also while it saves; `python benchmarks/kills.py` is the long version."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent.parent / "benchmarks" / "kills.py"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_killed_runs_end_as_if_nothing_had_happened() -> None:
    words = [sys.executable, str(PROGRAM), "--kills", "3", "--images", "3000"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    figures = re.search(
        r"^(\d+) kills .*, (\d+) unreadable checkpoints; (\d+) runs ended, (\d+) tensors .* differ; .* ([\d.]+) intervals",
        last,
    )
    assert figures
    kills, unreadable, runs, differ = map(int, figures.groups()[:4])
    assert (kills, unreadable, runs, differ) == (3, 0, 3, 0)
    assert float(figures.group(5)) <= 2.0
