"""Figures as a reader wants them in a sentence. Format what stands in the evidence, so that both agree."""

from collections.abc import Sequence

DIGITS = 6
"""Decimal places of the shares in evidence: enough to recompute a sentence, short enough to read."""


def number(n: int) -> str:
    """4205 -> 4,205"""
    return f"{n:,}"


def several(n: int, singular: str, plural: str = "") -> str:
    """A count with its noun: 1 row, 4,205 rows, 75 classes."""
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"


def percent(share: float) -> str:
    """0.0153 -> 1.5 %, 0.00042 -> 0.042 %; only what is exactly all or nothing is shown as 100 % or 0 %."""
    value = 100 * share
    if value in (0, 100):
        return f"{value:.0f} %"
    if value < 1:
        return f"{value:.2g} %"
    return f"{value:.1f} %" if value < 99.95 else f"{value:.3f} %"


def listed(names: Sequence[str], most: int = 5) -> str:
    """The first names of a list, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
