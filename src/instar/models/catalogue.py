"""Recommended backbones: what they cost, under which licence, and where they are described. No torch here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from instar.files import read_yaml
from instar.records.data import STRICT

FILE = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True)
class Entry:
    """A recommended backbone; what the figures count stands at the head of catalogue.yaml."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    backbone: str
    """SOURCE:NAME"""
    modality: str
    parameters: int
    """Of the body, without its classifier."""
    gmacs: float
    """Thousand million multiply-additions for one example of `size`."""
    size: int
    """Pixels a side, or tokens."""
    licence: str
    """Of the weights, as their publisher states it; "" where none is stated."""
    paper: str
    note: str


def recommended(modality: str) -> tuple[Entry, ...]:
    """The recommended backbones for one kind of data, from small to large."""
    return tuple(entry for entry in read_yaml(FILE, tuple[Entry, ...]) if entry.modality == modality)


def table(entries: tuple[Entry, ...], here: dict[str, bool], unit: str) -> list[str]:
    """Lines to read.

    Args:
        entries: of one modality.
        here: for each backbone whether it can be loaded without a network.
        unit: what sizes are counted in.
    """
    head = ("backbone", "parameters", "GMACs", unit, "licence", "paper", "here", "")
    rows = [
        (
            entry.backbone,
            f"{entry.parameters / 1e6:.1f} M",
            f"{entry.gmacs:.2f}",
            str(entry.size),
            entry.licence or "not stated",
            entry.paper,
            "yes" if here[entry.backbone] else "no",
            entry.note,
        )
        for entry in entries
    ]
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    right = (1, 2, 3)
    return [
        "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]
