"""How reasons of each kind of data are read and shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import polars as pl

from instar.explain.base import Reader
from instar.explain.draw import Pixels, panels
from instar.explain.heatmaps import Heatmaps
from instar.explain.tokens import NODES, Tokens
from instar.metrics import Floats, Ints
from instar.models.network import Network
from instar.prepare.base import Prepared
from instar.prepare.tokens import tokeniser
from instar.prepare.words import Told
from instar.records import InputSpec, Recipe


@dataclass(frozen=True)
class Shown:
    """What is kept of the examples that are shown."""

    pictures: tuple[Pixels, ...] = ()
    """The picture, the map of its class and that of the other class, for each example; none for texts."""
    tokens: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """number (of the example), side (0: its class, 1: the other), place, word, joined, weight; none for pictures"""


@dataclass(frozen=True)
class Kind:
    """The reasons of one kind of data."""

    reader: Callable[[Network, Prepared, Recipe, InputSpec, Sequence[str]], Reader]
    """(network at rest, examples, recipe, spec, input of each row) -> reader"""
    show: Callable[[Prepared, Recipe, InputSpec, Sequence[str], Ints, Sequence[Sequence[Floats]]], Shown]
    """(examples, recipe, spec, input of each row, rows, weights of each row for its class and the other) -> shown"""
    passes: float
    """What the weights of an example cost, in forward passes: a step backwards costs about two, for less."""


def _heatmaps(network: Network, prepared: Prepared, recipe: Recipe, spec: InputSpec, inputs: Sequence[str]) -> Heatmaps:
    return Heatmaps(network, prepared, recipe)


def _pictures(
    prepared: Prepared,
    recipe: Recipe,
    spec: InputSpec,
    inputs: Sequence[str],
    rows: Ints,
    weights: Sequence[Sequence[Floats]],
) -> Shown:
    normalised_BHWC = prepared.batch(rows, (), 0)["pixels"].permute(0, 2, 3, 1).numpy()
    pixels_BHWC = np.round(255 * (normalised_BHWC * np.array(spec.std) + np.array(spec.mean))).clip(0, 255)
    drawn = zip(pixels_BHWC.astype(np.uint8), weights, strict=True)
    return Shown(pictures=tuple(panels(picture, maps) for picture, maps in drawn))


def _tokens(network: Network, prepared: Prepared, recipe: Recipe, spec: InputSpec, inputs: Sequence[str]) -> Tokens:
    words = tokeniser(recipe, spec)
    return Tokens(network, prepared, recipe, lru_cache(None)(lambda row: words.tell(inputs[row])), words.blank)


def _words(
    prepared: Prepared,
    recipe: Recipe,
    spec: InputSpec,
    inputs: Sequence[str],
    rows: Ints,
    weights: Sequence[Sequence[Floats]],
) -> Shown:
    tell = tokeniser(recipe, spec).tell
    found = [
        {"number": number, "side": side, **part}
        for number, (row, both) in enumerate(zip(rows, weights, strict=True))
        for side, found in enumerate(both)
        for part in spoken(tell(inputs[row]), found)
    ]
    return Shown(tokens=pl.DataFrame(found, schema_overrides={"weight": pl.Float64}, infer_schema_length=None))


def spoken(told: Told, weights: Floats) -> list[dict[str, object]]:
    """A text in order: place, word, joined, weight. What lies between the words that the network sees (punctuation, or
    what was left out of a long text) has no weight."""
    spans: list[tuple[int, int, float | None]] = []
    last = 0
    for (begin, end), weight in sorted(zip(told.words, weights.tolist(), strict=True)):
        spans += [(last, begin, None), (max(last, begin), end, weight)]
        last = max(last, end)
    found: list[dict[str, object]] = []
    for begin, end, weight in [*spans, (last, len(told.text), None)]:
        chunks = [told.text[begin:end]] if weight is not None else told.text[begin:end].split()
        for chunk in chunks:
            place = told.text.index(chunk, begin)
            joined = place > 0 and not told.text[place - 1].isspace()
            found.append({"place": len(found), "word": chunk, "joined": joined, "weight": weight})
            begin = place + len(chunk)
    return found


KINDS = {
    "image": Kind(_heatmaps, _pictures, 2.0),
    "text": Kind(_tokens, _words, 2.0 + 2.5 * NODES),
}
"""By the names of the modalities."""
