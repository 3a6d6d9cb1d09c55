"""Every test on one thread (exact comparisons need the same number, and a busy machine makes two slower) and from the same seed."""

from collections.abc import Iterator

import pytest
import torch
from hypothesis import HealthCheck, settings

# properties: the same examples every time, whatever the machine's speed, and nothing written down; a folder may serve them all
settings.register_profile(
    "mulligan",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("mulligan")


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept between runs stays out of the user's cache, and tests learn nothing from each other."""
    monkeypatch.setenv("MULLIGAN_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(autouse=True)
def one_thread_and_one_seed() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)
