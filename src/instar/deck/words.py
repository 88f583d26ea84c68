"""The words of the slides: templates of one language, filled with figures. None of them stands in code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import yaml

from instar.charts.wording import SHARES, metric_name
from instar.deck.text import embedded, shorten
from instar.records import Score

Template = str | Mapping[str, str]
"""A template, or its variants {one, other} for a count."""
LEVEL = 0.95
STARTS = ("{metric}", "{many}", "{training}", "{probe_name}", "{probe_short}", "{cheap}")
"""Lower-case words that a sentence may start with."""
NAME = 28
"""Letters of a class name inside a sentence; whole names stand in the notes."""


@dataclass(frozen=True)
class Words:
    """One language. Called with a key and values it gives a sentence; its methods format figures."""

    templates: Mapping[str, Template]

    def __call__(self, key: str, count: int | None = None, /, **values: str) -> str:
        """Fill the template `key`; with a count its variant one or other is chosen and {count} is filled."""
        template = self.templates[key]
        if count is not None:
            values["count"] = self.whole(count)
        if isinstance(template, Mapping):
            assert count is not None, key
            template = template["one" if count == 1 else "other"]
        filled = template.format_map(values)
        return filled[:1].upper() + filled[1:] if template.startswith(STARTS) else filled

    def known(self, key: str, otherwise: str) -> str:
        """The word for a code of another module, or the code itself in plain letters."""
        found = self.templates.get(key)
        return found if isinstance(found, str) else otherwise.replace("_", " ").replace("-", " ")

    def whole(self, number: float) -> str:
        """A whole number, thousands apart."""
        return f"{number:,.0f}".replace(",", self("format.thousands"))

    def inside(self, label: str) -> str:
        """A label of a table inside a sentence: it begins in lower case unless its first word is an abbreviation."""
        return label if label[1:2].isupper() else label[:1].lower() + label[1:]

    def number(self, value: float, places: int = 2) -> str:
        """A number with so many places."""
        return (
            f"{value:,.{places}f}".replace(",", "\0")
            .replace(".", self("format.point"))
            .replace("\0", self("format.thousands"))
        )

    def percent(self, share: float, places: int = 0) -> str:
        """A share as a percentage."""
        return self("format.percent", value=self.number(100 * share, places))

    def points(self, difference: float) -> str:
        """A difference of shares, in percentage points."""
        return self.number(100 * difference, 1)

    def name(self, label: str, letters: int = NAME) -> str:
        """A class, quoted, short enough for a sentence."""
        return embedded(self("format.name", name=shorten(label, letters)))

    def listing(self, items: Sequence[str]) -> str:
        """a, b and c"""
        if len(items) < 2:
            return "".join(items)
        return self("format.and", first=self("format.comma").join(items[:-1]), last=items[-1])

    def metric(self, name: str) -> str:
        """A metric inside a sentence, named as in the charts."""
        return self.inside(metric_name(name))

    def label(self, name: str) -> str:
        """A metric by itself, named as in the charts."""
        return metric_name(name)

    def value(self, metric: str, value: float) -> str:
        """A value of a metric: a percentage where it is a share of examples."""
        return self.percent(value, 1) if metric in SHARES else self.number(value, 3)

    def score(self, score: Score) -> str:
        """The value of a score."""
        return self.value(score.metric, score.value)

    def interval(self, score: Score) -> str:
        """The interval of a score."""
        low, high = self.value(score.metric, score.low), self.value(score.metric, score.high)
        return self("format.interval", low=low, high=high)

    def gain(self, gain: Score) -> str:
        """A difference with its interval, in percentage points for shares."""
        unit, factor = ("points", 100) if gain.metric in SHARES else ("plain", 1)
        value, low, high = (f"{factor * x:+.{1 if factor > 1 else 3}f}" for x in (gain.value, gain.low, gain.high))
        return self(f"format.gain.{unit}", value=value, low=low, high=high)

    def duration(self, seconds: float) -> str:
        """Seconds, minutes or hours, two units at most."""
        if seconds < 60:
            return self("format.seconds", seconds=self.number(seconds, 1 if seconds < 10 else 0))
        minutes, rest = divmod(round(seconds), 60)
        if minutes < 60:
            return self("format.minutes", minutes=str(minutes), seconds=str(rest))
        return self("format.hours", hours=str(minutes // 60), minutes=str(minutes % 60))


def read_words(language: str = "en") -> Words:
    """The words of a language: one file below words/."""
    text = (files("instar.deck") / "words" / f"{language}.yaml").read_text(encoding="utf-8")
    return Words(
        {f"{group}.{key}": entry for group, entries in yaml.safe_load(text).items() for key, entry in entries.items()}
    )
