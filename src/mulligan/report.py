"""`report.html`: one self-contained page about a run: curves, pictures over time, scores with their passport, the recipe."""

import base64
import html
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mulligan.evaluate import Evaluation
from mulligan.rundir import RunFolder

WIDTH, HEIGHT, MARGIN = 640, 180, 44
MOST_PICTURES = 8
MOST_POINTS = 400  # of a curve
INKS = ("#1f5fc4", "#d9541e", "#2a8a4a", "#8a3fb0", "#b08a1f", "#1f9ab0")
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 720px; margin: 2em auto; padding: 0 1em; color: #222; background: #fff }
img { max-width: 100%; image-rendering: pixelated }
table { border-collapse: collapse }
td, th { padding: .2em .8em .2em 0; text-align: left }
figure { margin: 1em 0 }
.grid { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1em }
figcaption { color: #666 }
pre { background: #f4f4f4; padding: 1em; overflow: auto; font-size: 12px }
svg { width: 100%; height: auto } svg text { font: 11px system-ui, sans-serif; fill: #555 }
"""


def write_report(folder: RunFolder) -> Path:
    """Write the page from what is in the run folder."""
    facts, events = folder.read_recipe(), folder.events()
    recipe = facts["recipe"]
    last = events[-1] if events else {"images": 0, "seconds": 0.0}
    speed = last["images"] / max(last["seconds"], 1e-9)
    parts = [
        f"<h1>{html.escape(recipe['name'])}</h1>",
        f"<p>{last['images']:,} of {recipe['images']:,} images in {last['seconds']:,.0f} s ({speed:,.0f} images/s) "
        f"{where_it_ran(facts.get('machine', {}))}.</p>",
        *newest_picture(folder),
        *curves(events),
        scores_table(next((event for event in reversed(events) if "scores" in event), {})),
        *(evaluation_table(Evaluation.from_json(facts)) for facts in folder.evaluations()),
        alarms(events),
        *pictures_over_time(folder),
        f"<h2>Recipe</h2><pre>{html.escape(json.dumps(facts, indent=2))}</pre>",
    ]
    page = f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(recipe['name'])}</title><style>{STYLE}</style>"
    return folder.write("report.html", page + "\n".join(parts) + "</html>\n")


def where_it_ran(machine: dict[str, Any]) -> str:
    return f"on {html.escape(str(machine['device']))}, threads: {machine['threads']}" if machine else "on a machine not recorded"


def newest_picture(folder: RunFolder) -> list[str]:
    found = picture_of(folder)
    return ["<h2>Newest samples</h2>", found] if found else []


def picture_of(folder: RunFolder) -> str:
    """The newest picture, or nothing."""
    files = folder.samples()
    return figure(files[-1]) if files else ""


def pictures_over_time(folder: RunFolder) -> list[str]:
    """Up to eight pictures from the whole run, evenly spaced, and the real samples."""
    files = folder.samples()
    if not files:
        return []
    spaced = [files[round(index * (len(files) - 1) / (MOST_PICTURES - 1))] for index in range(MOST_PICTURES)]
    real = folder.path / "real.png"
    below = [figure(real, "real samples")] if real.exists() else []
    return ["<h2>Over time</h2><div class=grid>", *(figure(path) for path in dict.fromkeys(spaced)), "</div>", *below]


def figure(path: Path, caption: str | None = None) -> str:
    content = base64.b64encode(path.read_bytes()).decode()
    text = html.escape(caption or path.stem)
    return f'<figure><img alt="{text}" src="data:image/png;base64,{content}"><figcaption>{text}</figcaption></figure>'


def curves(events: Sequence[dict[str, Any]]) -> list[str]:
    """One plot of the players' terms, one of how well real is told from fake, one for each score."""
    if len(events) < 2:
        return []
    names = list(dict.fromkeys(name for event in events for name in event["terms"]))
    plots = [("Terms", {name: [(e["images"], e["terms"][name]) for e in events if name in e["terms"]] for name in names})]
    plots.append(("Real told from fake", {"told apart": [(e["images"], e["told_apart"]) for e in events if "told_apart" in e]}))
    for name in dict.fromkeys(name for event in events for name in event.get("scores", {})):
        plots.append((name, {name: [(e["images"], e["scores"][name]) for e in events if name in e.get("scores", {})]}))
    return [f"<h2>{html.escape(title)}</h2>{plot(lines)}" for title, lines in plots]


def plot(lines: dict[str, list[tuple[float, float]]]) -> str:
    """An SVG line plot with a legend; values that are not finite are left out."""
    finite = {name: thinned([p for p in points if math.isfinite(p[1])]) for name, points in lines.items()}
    everything = [point for points in finite.values() for point in points]
    if not everything:
        return "<p>no finite values</p>"
    right = max(x for x, _ in everything) or 1
    low, high = min(y for _, y in everything), max(y for _, y in everything)
    span = (high - low) or 1.0

    def place(x: float, y: float) -> str:
        return f"{MARGIN + x / right * (WIDTH - MARGIN - 8):.1f},{8 + (high - y) / span * (HEIGHT - 30):.1f}"

    drawn, legend = [], []
    for index, (name, points) in enumerate(finite.items()):
        ink = INKS[index % len(INKS)]
        path = " ".join(place(x, y) for x, y in points)
        drawn.append(f'<polyline fill="none" stroke="{ink}" stroke-width="1.5" points="{path}"/>')
        legend.append(
            f'<text x="{WIDTH - 8}" y="{20 + 14 * index}" text-anchor="end" style="fill:{ink}">{html.escape(name)}</text>'
        )
    axis = [
        f'<text x="2" y="14">{high:.4g}</text><text x="2" y="{HEIGHT - 24}">{low:.4g}</text>',
        f'<text x="{MARGIN}" y="{HEIGHT - 4}">0</text>',
        f'<text x="{WIDTH - 8}" y="{HEIGHT - 4}" text-anchor="end">{right:,.0f} images</text>',
    ]
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(drawn + legend + axis)}</svg>'


def thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    step = max(1, math.ceil(len(points) / MOST_POINTS))
    return points[::step]


def alarms(events: Sequence[dict[str, Any]]) -> str:
    """When the run was found sick, and what was done."""
    found = [event["alarm"] for event in events if "alarm" in event]
    cells = [(f"{alarm['images']:,} images", alarm["kind"], alarm["reason"], done(alarm)) for alarm in found]
    rows = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}" for cell in row) + "</tr>" for row in cells)
    return f"<h2>Alarms</h2><table>{rows}</table>" if found else ""


def done(alarm: dict[str, Any]) -> str:
    factors = ", ".join(f"{role} x {factor:.3g}" for role, factor in alarm["rate_factors"].items())
    words = {"tell": "told", "give-up": "the run was given up", "go-back": f"back to {alarm['back_to']} images, rates: {factors}"}
    return words[alarm["action"]]


def scores_table(event: dict[str, Any]) -> str:
    """The last scores measured while training, and how."""
    if "scores" not in event:
        return ""
    rows = "".join(f"<tr><th>{html.escape(name)}<td>{value:.4g}</tr>" for name, value in event["scores"].items())
    passport = ", ".join(f"{name} {value}" for name, value in event["passport"].items())
    return f"<h2>Scores</h2><table>{rows}</table><p>{html.escape(passport)}</p>"


def evaluation_table(found: Evaluation) -> str:
    """What `mulligan evaluate` found: values, intervals, floors, and the passport."""
    rows = "".join(
        f"<tr><th>{html.escape(name)}<td>{score.value:.4g}<td>{score.low:.4g} to {score.high:.4g}"
        f"<td>{'' if score.floor is None else format(score.floor, '.4g')}</tr>"
        for name, score in found.items()
    )
    passport = ", ".join(f"{name} {value}" for name, value in found.passport.items())
    head = "<tr><th>score<th>value<th>95 % interval<th>real against real</tr>"
    doubts = "".join(f"<p>{html.escape(doubt)}</p>" for doubt in found.warnings)
    title = f"Scores at {found.images_seen:,} images"
    return f"<h2>{title}</h2><table>{head}{rows}</table><p>{html.escape(passport)}</p>{doubts}"
