"""Why the network answers as it does, and whether that can be believed."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import polars as pl

from instar.records.data import STRICT
from instar.records.results import Score


@dataclass(frozen=True)
class Reasons:
    """What in an example speaks for the answer, for some examples of the test split, with two tests of the method."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    method: str = ""
    """gradient-times-activation or integrated-gradients."""
    place: str = ""
    """Where in the network activations were weighed: names of modules below the body."""
    why_not: str = ""
    """Why there are none, in one sentence; "" where there are."""
    kept: tuple[Score, ...] = ()
    """Mean probability of the answer while up to a half of an example is taken out, what is marked first (subject
    marked) or at random (random)."""
    gain: Score | None = None
    """How much lower the first is than the second, paired: above 0 if what is marked matters more than chance."""
    sanity: tuple[Score, ...] = ()
    """Rank correlation with the reasons of a network with shuffled weights in its head, its later half, or the whole of
    it (subject head, half, all): near 1 if the reasons owe nothing to what was learned."""
    examples: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """id, kind (right, wrong), label, predicted, confidence, other (the class that the answer is held against), path of
    the picture below the run ("" for texts)"""
    deletion: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """order (marked, random), share, probability, low, high, n"""
    tokens: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """id, class, place, word, joined (no blank before it), weight (null for what the network does not see); empty for
    images"""
