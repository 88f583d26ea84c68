"""The one seam between images and texts: a record of functions. Everything after the logits is common."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from instar.audit.check import Check
from instar.audit.doubts import Doubt
from instar.errors import UserError
from instar.modality.habits import Habits
from instar.records import Block, Card, Dataset, InputSpec, Recipe

if TYPE_CHECKING:
    from instar.prepare.base import Batch, Prepared


@dataclass(frozen=True)
class Feed:
    """How examples become tensors. Made lazily: it needs torch."""

    prepare: Callable[[Dataset, Recipe, InputSpec], Path]
    """Write the examples in the network's form into the cache, once; a second call finds them. Returns the folder.
    Refuses when a source file is no longer what the data set measured."""
    open: Callable[[Path, Recipe, InputSpec], "Prepared"]
    """Open what `prepare` wrote."""
    examples: Callable[[Sequence[str], Recipe, InputSpec], "Prepared"]
    """New examples (paths of pictures, or texts) for `predict`, by the same functions; ids are the inputs."""
    previews: Callable[[Path, Dataset, Recipe, InputSpec, Path], None]
    """(folder that `prepare` wrote, ..., run directory): write figures/prepared.csv and its pictures."""
    sample: Callable[[InputSpec, int, int], "Batch"]
    """(spec, extent, n) -> n examples of noise, of that extent (see `Modality.extent`), to time a network with."""


@dataclass(frozen=True)
class Modality:
    """All that instar knows of one kind of data."""

    name: str
    many: str
    """What to call the examples: images, texts."""
    files: bool
    """Whether the examples are files below `Dataset.root`; else they stand in the table of the data set."""
    measure: Callable[[pl.DataFrame, Path], pl.DataFrame]
    """(rows with id and input, root) -> id, twin (key that is equal for exact twins), error, measure.*"""
    checks: tuple[Check, ...]
    doubts: tuple[Doubt, ...]
    """Grounds to doubt a test row, the weightiest first."""
    fits: tuple[str, ...]
    """Values of Recipe.fit that the feed knows."""
    augmentations: Mapping[str, str]
    """Values of Recipe.augment that the feed knows, with what each does."""
    repairs: Mapping[str, str]
    """Values of Recipe.clean that the feed knows, with what each does."""
    habits: Habits
    """How networks for this kind of data are usually fine-tuned."""
    extent: Callable[[Dataset, InputSpec, int | None], int]
    """(data set, spec, asked input size) -> how large an example of a usual batch is, in `unit`."""
    unit: str
    """What sizes of examples are counted in: pixels a side, tokens."""
    bounded: bool
    """Whether `InputSpec.size` is the most that a network takes, not only what it was trained at."""
    backbones: tuple[str, ...]
    """Backbones to try, best first, when the user names none; the last is always at hand."""
    feed: Callable[[], Feed]
    show: Callable[[Dataset, Sequence[str], Sequence[str], Sequence[str]], Block]
    """(data set, ids, captions, tones) -> pictures or quotations for a slide."""
    gather: Callable[[Sequence[str], Dataset], list[str]]
    """Arguments of `predict` -> inputs: paths of pictures, or texts."""
    column: str
    """Column of a composed table that holds the examples, or names their files."""
    place: Callable[[pl.DataFrame, Path, str], pl.Series]
    """(rows of several sources, folder, link or copy) -> cells of that column; writes what fits into no table."""
    cheap: Callable[[Dataset], NDArray[np.float64]]
    """A baseline without a network, fitted on the training rows: probabilities (rows of split test, classes)."""
    cheap_name: str
    """What the cheap baseline is, for a reader."""


def same_kind(card: Card, modality: Modality) -> None:
    """Refuse a network that is made for another kind of data.

    Raises:
        UserError: naming both kinds.
    """
    if card.modality != modality.name:
        raise UserError(f"{card.backbone} is a network for {card.modality}s, these are {modality.many}; choose another")
