"""The reasons of a network: some answers of the test split explained, and the explanation tested."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.special import softmax

from instar.explain.base import Reader, Unexplained, at_rest
from instar.explain.choose import FEWEST, MOST, drawn, shown
from instar.explain.deletion import SHARES, deletion
from instar.explain.draw import Pixels
from instar.explain.kinds import KINDS, Kind, Shown
from instar.explain.sanity import LEVELS, sanity
from instar.metrics import Floats, Ints, decoded
from instar.models.network import Network
from instar.prepare.base import Prepared
from instar.prepare.passes import answer_logits, device, placed, running
from instar.records import Measurements, Reasons, Recipe
from instar.steps import REASONS


@dataclass(frozen=True)
class Subject:
    """A trained network and the examples that it is asked about."""

    network: Network
    prepared: Prepared
    recipe: Recipe
    inputs: Sequence[str]
    """Of each row of `prepared`: the text, or the path of the picture."""
    classes: tuple[str, ...]

    @property
    def kind(self) -> Kind:
        """How reasons of these examples are read."""
        return KINDS[self.network.card.modality]

    def reader(self) -> Reader:
        """A reader of the network, which must be at rest."""
        placed(self.network.model, self.recipe, device())
        spec = self.network.card.spec
        return self.kind.reader(self.network, self.prepared, self.recipe, spec, self.inputs)

    def rows(self, ids: pl.Series) -> Ints:
        """Where examples stand in `prepared`."""
        place = {id_: row for row, id_ in enumerate(self.prepared.ids)}
        return np.array([place[id_] for id_ in ids], dtype=np.int64)

    def indices(self, names: pl.Series) -> Ints:
        """Places of classes."""
        place = {name: i for i, name in enumerate(self.classes)}
        return np.array([place[name] for name in names], dtype=np.int64)


def account(
    subject: Subject, predictions: pl.DataFrame, measurements: Measurements, seconds: float, seed: int
) -> tuple[Reasons, Mapping[str, Pixels]]:
    """Explain the most confident right and wrong answers of the test split, and test the explanations by lot.

    Args:
        predictions: as `evaluate` wrote them.
        measurements: how fast this machine runs the network, to choose how many examples the tests can afford.
        seconds: what the tests may take, about.
        seed: of the lot and of what is randomised.

    Returns:
        the reasons, and the pictures that belong to them: path below the run -> pixels.
    """
    network, recipe = subject.network, subject.recipe
    with at_rest(network.model), running(recipe):
        try:
            reader = subject.reader()
        except Unexplained as why:
            return Reasons(why_not=str(why)), {}
        examples, tokens, pictures = _shown(subject, reader, shown(predictions, subject.classes))
        n = affordable(subject.kind, recipe, measurements, seconds)
        lot = drawn(predictions, n, seed)
        rows, classes = subject.rows(lot["id"]), subject.indices(lot["predicted"])
        weights = reader.weights(rows, classes)
        curves, kept, gain = deletion(reader, rows, classes, weights, seed)
        alike = sanity(network, reader, rows, classes, weights, seed)
    found = Reasons(reader.method, reader.place, "", kept, gain, alike, examples, curves, tokens)
    return found, pictures


def account_new(subject: Subject, temperature: float) -> tuple[pl.DataFrame, Shown]:
    """Explain the answers to all examples, each held against the most probable other class.

    Args:
        temperature: that divides the logits before they become probabilities.

    Returns:
        input, predicted, confidence, other; and what is shown of them.

    Raises:
        Unexplained: the network gives no reasons of this kind.
    """
    rows = np.arange(len(subject.inputs))
    found = answer_logits(subject.network, subject.prepared, rows, subject.recipe, "predict")
    shares = softmax(found.astype(np.float64) / temperature, axis=1)
    answer = decoded(shares, subject.recipe.decode)
    other = np.where(np.arange(shares.shape[1]) == answer[:, None], -1.0, shares).argmax(axis=1)
    with at_rest(subject.network.model), running(subject.recipe):
        reader = subject.reader()
        sides = [reader.weights(rows, classes) for classes in (answer, other)]
        made = _made(subject, rows, sides)
    columns: dict[str, Any] = {
        "input": list(subject.inputs),
        "predicted": [subject.classes[i] for i in answer],
        "confidence": shares[rows, answer],
        "other": [subject.classes[i] for i in other],
    }
    return pl.DataFrame(columns), made


def _made(subject: Subject, rows: Ints, sides: Sequence[Sequence[Floats]]) -> Shown:
    """What is shown of examples, from their weights for one class and for the other."""
    spec = subject.network.card.spec
    weights = list(zip(*sides, strict=True))
    return subject.kind.show(subject.prepared, subject.recipe, spec, subject.inputs, rows, weights)


def _shown(
    subject: Subject, reader: Reader, examples: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, Pixels]]:
    """The examples with the paths of their pictures, their words, and the pictures."""
    rows = subject.rows(examples["id"])
    sides = [reader.weights(rows, subject.indices(examples[name])) for name in ("predicted", "other")]
    made = _made(subject, rows, sides)
    paths = [f"{REASONS}{number}.png" if made.pictures else "" for number in range(1, examples.height + 1)]
    tokens = made.tokens
    if tokens.width:
        about = examples.select(
            "id", pl.concat_list("predicted", "other").alias("class"), pl.int_range(pl.len()).alias("number")
        )
        about = about.explode("class").with_columns(side=pl.int_range(pl.len()).over("number"))
        tokens = tokens.join(about, on=["number", "side"], how="left", maintain_order="left")
        tokens = tokens.select("id", "class", "place", "word", "joined", "weight")
    return (
        examples.with_columns(path=pl.Series(paths, dtype=pl.String)),
        tokens,
        dict(zip(paths, made.pictures, strict=False)),
    )


def affordable(kind: Kind, recipe: Recipe, measurements: Measurements, seconds: float) -> int:
    """How many examples the tests can take in about so many seconds, at the speed that was measured for the plan, so
    that a repetition takes as many."""
    speeds = [t.forward for t in measurements.timings if t.precision == "fp32" and t.threads == recipe.threads]
    speed = max(speeds or [t.forward for t in measurements.timings], default=0.0)
    passes = (1 + len(LEVELS)) * kind.passes + 2 * len(SHARES)
    return int(np.clip(seconds * speed / passes, FEWEST, MOST))
