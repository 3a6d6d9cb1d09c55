"""The progress line."""

from mulligan.cli.progress import clock, progress_line
from mulligan.recipes import named


def test_the_line_says_how_far_how_fast_how_long_and_how_it_goes() -> None:
    event = {
        "images": 64_000,
        "rates": {"images_per_second": 1_000.0},
        "terms": {"discriminator.adversarial": 0.4567, "discriminator.r1": 0.0123, "generator.adversarial": 1.2},
        "scores": {"modes": 25.0},
        "health": "balanced",
    }
    line = progress_line(named("mnist").with_(images=600_000), event)
    assert line == ("64,000/600,000 images  1,000/s  8:56 left  discriminator 0.457 r1 0.0123  generator 1.2  modes 25  balanced")


def test_hours_show_only_when_there_are_any() -> None:
    assert [clock(seconds) for seconds in (0, 59.6, 3_599, 3_600, 90_061)] == ["0:00", "1:00", "59:59", "1:00:00", "25:01:01"]
