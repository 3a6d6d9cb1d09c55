"""Runs side by side: what they are, their scores where these may be compared, their curves and pictures."""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mulligan.evaluate import Evaluation, passport_key
from mulligan.report import STYLE, picture_of, plot
from mulligan.rundir import RunFolder

CURVES = {"generator.adversarial": "What the generator pays", "discriminator.adversarial": "What the discriminator pays"}


@dataclass(frozen=True)
class Compared:
    """One run in a comparison; `evaluations` are the newest of each passport, the scores of its last report among them."""

    name: str
    folder: RunFolder
    recipe: str
    events: list[dict[str, Any]]
    evaluations: dict[str, Evaluation]

    @classmethod
    def of(cls, folder: RunFolder, name: str) -> "Compared":
        events, found = folder.events(), {}
        for event in events:
            if "scores" in event:
                found[passport_key(event["passport"])] = Evaluation.plain(event["scores"], event["passport"], event["images"])
        for facts in folder.evaluations():
            evaluation = Evaluation.from_json(facts)
            found[evaluation.key] = evaluation
        return cls(name, folder, str(folder.read_recipe()["recipe"]["name"]), events, found)

    @property
    def last(self) -> Mapping[str, Any]:
        return self.events[-1] if self.events else {"images": 0, "seconds": 0.0}


@dataclass(frozen=True)
class Table:
    """Scores that may be ranked: of at least two runs, with one passport. `best` names the leaders of each score."""

    passport: Mapping[str, Any]
    rows: dict[str, Evaluation]  # by the run's name

    @property
    def scores(self) -> list[str]:
        return list(dict.fromkeys(name for row in self.rows.values() for name in row))

    def best(self, score: str) -> list[str]:
        """The run whose score is best, and every other whose interval reaches it."""
        having = {name: row[score] for name, row in self.rows.items() if score in row}
        kind = next(iter(having.values())).better
        aim = {"lower": float("-inf"), "higher": float("inf")}.get(kind)
        if aim is None:
            target = float(kind.removeprefix("near "))
            leader = min(having.values(), key=lambda found: abs(found.value - target))
        else:
            leader = (min if kind == "lower" else max)(having.values(), key=lambda found: found.value)
        return [name for name, found in having.items() if found.low <= leader.high and found.high >= leader.low]


def tables(runs: Sequence[Compared]) -> list[Table]:
    """One for each passport that two runs or more share."""
    keys = dict.fromkeys(key for run in runs for key in run.evaluations)
    found = []
    for key in keys:
        rows = {run.name: run.evaluations[key] for run in runs if key in run.evaluations}
        if len(rows) > 1:
            found.append(Table(next(iter(rows.values())).passport, rows))
    return found


def unranked(runs: Sequence[Compared]) -> list[tuple[str, Evaluation]]:
    """Evaluations that share their passport with no other run's, and are ranked with none."""
    shared = {key for key in (key for run in runs for key in run.evaluations) if sum(key in run.evaluations for run in runs) > 1}
    return [(run.name, found) for run in runs for key, found in run.evaluations.items() if key not in shared]


def differences(left: Mapping[str, Any], right: Mapping[str, Any]) -> str:
    """`features classifier / inception, n_fake 1000 / 10000`."""
    names = [name for name in {**left, **right} if left.get(name) != right.get(name)]
    return ", ".join(f"{name} {left.get(name, 'none')} / {right.get(name, 'none')}" for name in names)


def why_unranked(runs: Sequence[Compared]) -> Iterable[str]:
    """A line for each evaluation that stands alone: how it differs from the nearest one of another run."""
    for name, found in unranked(runs):
        others = [other for run in runs if run.name != name for other in run.evaluations.values()]
        nearest = min(others, key=lambda other: len(differences(found.passport, other.passport).split(", ")), default=None)
        how = f"its passport differs: {differences(found.passport, nearest.passport)}" if nearest else "nothing else was measured"
        yield f"{name} at {found.images_seen:,} images ({found.passport.get('features', 'exact')}) is not ranked; {how}"


def page(runs: Sequence[Compared]) -> str:
    """The comparison as one self-contained page: its HTML."""
    heads = "".join(f"<th>{html.escape(run.name)}<br>{html.escape(run.recipe)}</th>" for run in runs)
    facts = "".join(f"<td>{run.last['images']:,} images<br>{run.last['seconds']:,.0f} s</td>" for run in runs)
    pictures = "".join(f"<td>{picture_of(run.folder)}</td>" for run in runs)
    table = f"<table><tr>{heads}</tr><tr>{facts}</tr><tr>{pictures}</tr></table>"
    parts = [f"<h1>Runs side by side</h1><div class=wide>{table}</div>"]
    parts += [score_table(table) for table in tables(runs)]
    parts += [f"<p>{html.escape(line)}</p>" for line in why_unranked(runs)]
    for term, title in CURVES.items():
        parts.append(f"<h2>{title}</h2>{plot({run.name: curve(run, 'terms', term) for run in runs})}")
    for score in dict.fromkeys(name for run in runs for event in run.events for name in event.get("scores", {})):
        parts.append(f"<h2>{html.escape(score)} while training</h2>{plot({r.name: curve(r, 'scores', score) for r in runs})}")
    style = STYLE + "body { max-width: 1100px } .wide { overflow-x: auto }"
    return f"<!doctype html><html lang=en><meta charset=utf-8><title>Comparison</title><style>{style}</style>" + "\n".join(parts)


def score_table(table: Table) -> str:
    rows = []
    for name, row in table.rows.items():
        cells = [
            f"<td>{mark(f'{row[score].value:.4g}', bold=name in table.best(score))}</td>" if score in row else "<td></td>"
            for score in table.scores
        ]
        rows.append(f"<tr><th>{html.escape(name)}</th>{''.join(cells)}</tr>")
    heads = "".join(f"<th>{html.escape(score)}</th>" for score in table.scores)
    passport = ", ".join(f"{name} {value}" for name, value in table.passport.items())
    inner = f"<table><tr><th></th>{heads}</tr>{''.join(rows)}</table>"
    return f"<h2>Scores</h2><div class=wide>{inner}</div><p>{html.escape(passport)}</p>"


def mark(text: str, *, bold: bool) -> str:
    return f"<b>{text}</b>" if bold else text


def curve(run: Compared, part: str, name: str) -> list[tuple[float, float]]:
    return [(event["images"], event[part][name]) for event in run.events if name in event.get(part, {})]
