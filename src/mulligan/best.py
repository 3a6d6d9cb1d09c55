"""The best moment of a run so far, by the score that its recipe names, and when waiting for a better one has been enough."""

from collections.abc import Mapping
from typing import Any

from mulligan.recipe import Best


class BestSoFar:
    """Nothing yet, or the value and the images seen of the best report."""

    def __init__(self, rule: Best | None):
        self.rule = rule
        self.facts: dict[str, float] = {}  # `value` and `images`, as a checkpoint keeps them

    @property
    def images(self) -> int | None:
        return int(self.facts["images"]) if self.facts else None

    def note(self, scores: Mapping[str, float], images_seen: int) -> None:
        value = scores.get(self.rule.score) if self.rule else None
        if self.rule and value is not None and (not self.facts or self.rule.beats(value, self.facts["value"])):
            self.facts = {"value": value, "images": images_seen}

    def out_of_patience(self, images_seen: int) -> bool:
        """Whether no score has been better for as long as the recipe waits."""
        patience = self.rule.patience_images if self.rule else None
        return patience is not None and self.images is not None and images_seen - self.images >= patience

    def ended_line(self, images_seen: int) -> str:
        assert self.rule
        found = f"nothing better than {self.rule.score} {self.facts['value']:.4g}, of {self.images:,} images, has come since"
        return f"ended early at {images_seen:,} images: {found}; `mulligan sample --best` takes that moment"

    def restore(self, facts: Mapping[str, Any]) -> None:
        self.facts = {"value": float(facts["value"]), "images": int(facts["images"])} if facts else {}
