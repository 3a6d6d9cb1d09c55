"""One live line on a terminal; without one, a plain line now and then."""

import math
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from mulligan.recipe import Recipe

PLAIN_SECONDS = 10.0  # between plain lines
HEALTH_STYLES = {"balanced": "green", "running": "green", "one-sided": "yellow", "fooled": "yellow"}
HEALTH_STYLES |= {"diverged": "red", "outplayed": "red", "collapsed": "red"}


class Progress:
    """A training's listener: told of events, shows the newest."""

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self.console = Console(file=sys.stdout)
        self.live = Live(console=self.console, auto_refresh=False) if self.console.is_terminal else None
        self._last_plain = 0.0

    def __enter__(self) -> "Progress":
        if self.live:
            self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.live:
            self.live.stop()

    def __call__(self, event: dict[str, Any]) -> None:
        if "notice" in event:
            self.console.print(event["notice"], highlight=False, soft_wrap=True)
            return
        line = progress_line(self.recipe, event)
        if self.live:
            self.live.update(Text(line, HEALTH_STYLES.get(event["health"], "")), refresh=True)
        elif time.monotonic() - self._last_plain > PLAIN_SECONDS or event["images"] >= self.recipe.images:
            self._last_plain = time.monotonic()
            print(line, flush=True)


def progress_line(recipe: Recipe, event: dict[str, Any]) -> str:
    """Images, speed, time left, every term, scores if there are any, and a health word."""
    images, speed = event["images"], event["rates"]["images_per_second"]
    left = max(recipe.images - images, 0) / max(speed, 1e-9)
    terms = "  ".join(player_terms(player, event["terms"]) for player in ("discriminator", "generator"))
    scores = "".join(f"  {name} {value:.3g}" for name, value in event.get("scores", {}).items())
    return f"{images:,}/{recipe.images:,} images  {speed:,.0f}/s  {clock(left)} left  {terms}{scores}  {event['health']}"


def player_terms(player: str, terms: dict[str, float]) -> str:
    """`discriminator 0.71 r1 0.02`: what a player pays to the other, then its penalties by name."""
    own = {name.removeprefix(f"{player}."): value for name, value in terms.items() if name.startswith(f"{player}.")}
    words = [f"{player} {own.pop('adversarial', math.nan):.3g}"] + [f"{name} {value:.3g}" for name, value in own.items()]
    return " ".join(words)


def closing_line(path: Path) -> str:
    return f"done: {path}  (report.html shows it; `mulligan sample {path}` makes more)"


def clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
