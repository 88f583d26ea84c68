"""Several backbones scored on frozen features of the training part, and the one that the plan takes."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from instar import steps, store
from instar.audit.frozen_probe import CrossFit, crossfit, folds_of, strength_of
from instar.errors import UserError
from instar.modality.modalities import MODALITIES
from instar.models.named import Named, here, missing, named
from instar.pipeline.common import at_hand, at_work, fits, settled
from instar.pipeline.data import originals
from instar.pipeline.networks import load
from instar.pipeline.options import OF_THE_FEED, wishes
from instar.pipeline.speeds import kept
from instar.plan import assemble, candidates, reasons
from instar.plan.transfer import logme
from instar.progress import bar, say
from instar.records import Audit, Dataset, Decision, Json, Measurements, Recipe

if TYPE_CHECKING:
    from instar.models.network import Network

Features = NDArray[np.float32]
VERSION = 1
"""Goes up when the same features give other scores."""


@dataclass(frozen=True)
class Examples:
    """What all candidates are compared on."""

    dataset: Dataset
    """Without the rows that the user leaves out of training."""
    audit: Audit
    rows: pl.DataFrame
    """As `plan.candidates.drawn` gives them."""
    asked: dict[str, Json]
    """Settings that an input depends on."""
    seed: int

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class indices (M,)."""
        places = range(len(self.dataset.classes))
        codes = self.rows["label"].replace_strict(list(self.dataset.classes), places, return_dtype=pl.Int64)
        found: NDArray[np.int64] = codes.to_numpy()
        return found

    @property
    def inputs(self) -> list[str]:
        """Paths, or texts."""
        inputs: list[str] = self.rows["input"].to_list()
        files = MODALITIES[self.dataset.modality].files
        return [str(Path(self.dataset.root) / one) for one in inputs] if files else inputs


def compare(
    dataset: Dataset, audit: Audit, parts: Sequence[Named], asked: dict[str, Json], seed: int, folder: Path
) -> pl.DataFrame:
    """Score every candidate that can be loaded; the first of these is the default that gains are told against.

    One network is in memory at a time. Features, speeds and answers are kept in the cache as soon as they are known:
    an interrupted comparison goes on with the first candidate that is not done.

    Args:
        dataset: whose training part is looked at, and no other.
        parts: candidates; each is fed at its own size, unless one is asked for.
        asked: as `options.wishes` gives them.
        folder: the run, for what is said of it.

    Returns:
        As `plan.candidates.table`.

    Raises:
        UserError: no candidate can be loaded.
    """
    dataset = assemble.learnt_from(dataset, audit, asked)
    wanted = {key: value for key, value in asked.items() if key in OF_THE_FEED}
    examples = Examples(dataset, audit, candidates.drawn(dataset), wanted, seed)
    say(f"{len(parts)} backbones, scored on frozen features of {examples.rows.height} training examples")
    found: list[candidates.Scored] = []
    loaded: list[Named] = []
    refused: list[tuple[str, str]] = []
    for one in parts:
        try:
            scored, _ = looked_at(one, examples, folder)
        except UserError as error:
            say(f"  {one.backbone} is left out: {error}")
            refused.append((one.backbone, str(error)))
            continue
        say(f"  {one.backbone}: LogME {scored.logme:.3f}")
        found.append(scored)
        loaded.append(one)
    if not found:
        raise UserError(f"no candidate can be loaded ({'; '.join(f'{name}: {why}' for name, why in refused)})")
    for i in candidates.to_probe([one.logme for one in found], 0):
        _, features_MD = looked_at(loaded[i], examples, folder)
        found[i] = replace(found[i], right=probed(features_MD, examples))
        say(f"  {found[i].backbone}: a probe gets {found[i].accuracy:.1%} right")
    costs = [candidates.cost(one, dataset) for one in found]
    return candidates.table(found, refused, costs, examples.rows, 0)


def looked_at(one: Named, examples: Examples, folder: Path) -> tuple[candidates.Scored, Features]:
    """A candidate without its probe, and its features (M, D): one centre view of every example."""
    from instar.prepare.features import features

    dataset, modality = examples.dataset, MODALITIES[examples.dataset.modality]
    size = examples.asked.get("input_size")
    network = load(one.backbone, one.weights, dataset, dropout=0.0, seed=examples.seed, input_size=size)
    if not network.card.pretrained:
        raise UserError(f"{network.card.title} starts at random and has no features to score")
    measurements = kept(cache(), network, modality.extent(dataset, network.card.spec, size))
    recipe = recipe_of(network, one, examples, measurements)
    fits(recipe, network.card, folder)
    prepared = modality.feed().examples(examples.inputs, recipe, network.card.spec)
    found = features(
        network,
        prepared,
        np.arange(examples.rows.height),
        augment=(),
        seed=0,
        cache=cache(),
        what=f"features of {network.card.title}",
        recipe=recipe,
    )
    if not np.isfinite(found).all():
        raise UserError(f"the features of {one.backbone} are not numbers; leave it out")
    (worth,) = once("logme", found, examples, lambda: [logme(found, examples.labels)])
    scored = candidates.Scored(
        one.backbone, one.weights, network.card, recipe.input_size, measurements, worth, right=None
    )
    return scored, found


def recipe_of(network: "Network", one: Named, examples: Examples, measurements: Measurements) -> Recipe:
    """How the plan would feed and run this network."""
    modality = MODALITIES[examples.dataset.modality]
    plan = assemble.make(
        examples.dataset,
        examples.audit,
        network.card,
        measurements,
        Decision("backbone", one.backbone, "asked", (), "A candidate.", "the user"),
        one.weights,
        examples.asked,
        seed=examples.seed,
        augmentations=tuple(modality.augmentations),
        fits=modality.fits,
    )
    return store.recipe_of(plan)


def probed(features_MD: Features, examples: Examples) -> NDArray[np.bool_]:
    """Whether the probe is right on each example (M,), answered by what was learnt from other groups."""
    labels = examples.labels

    def answers() -> list[float]:
        folds, classes = folds_of(labels, examples.rows["group"].to_numpy()), len(examples.dataset.classes)
        with bar("probing", int(folds.max()) + 1) as advance:
            strength = strength_of(features_MD, labels, folds, classes)
            made: CrossFit = crossfit(features_MD, labels, folds, classes, strength=strength, advance=advance)
        return [float(answer) for answer in made.probabilities.argmax(1)]

    right: NDArray[np.bool_] = np.array(once("answers", features_MD, examples, answers)) == labels
    return right


def once(kind: str, features_MD: Features, examples: Examples, make: Callable[[], list[float]]) -> list[float]:
    """What `make` gives for these features, labels and groups; kept in the cache."""
    digest = hashlib.sha256(f"{VERSION} {features_MD.shape}".encode())
    for part in (features_MD, examples.labels, examples.rows["group"].to_numpy()):
        digest.update(np.ascontiguousarray(part).data)
    path = cache() / f"{digest.hexdigest()[:20]}.{kind}.json"
    if not path.exists():
        store.write_text(path, json.dumps(make()))
    found: list[float] = json.loads(path.read_text())
    return found


def cache() -> Path:
    """Where features and scores of candidates are kept."""
    return store.home() / "candidates"


def backbones(folder: Path, names: Sequence[str]) -> pl.DataFrame:
    """Score other backbones on a planned run, against the one that it was planned with; the plan stays as it is.

    Args:
        names: candidates, SOURCE:NAME or SOURCE:NAME=FILE; without any, the recommended ones that are at hand.

    Returns:
        The table that is written into the run, too, and shown by its deck.

    Raises:
        UserError: the run has no plan, a name has no source, or there is nothing to compare with.
    """
    asked_for = named(",".join(names)) if names else ()
    missing(asked_for)
    with at_work(folder, "prepare"):
        if not store.finished(folder, "plan"):
            store.begin(folder, "prepare")  # says what is missing
        recipe = store.recipe_of(settled(folder))
        store.begin(folder, "prepare")
        dataset, audit = store.read_dataset(folder), store.read_audit(folder)
        at_hand(dataset)
        options, asked = wishes(folder)
        own = Named(recipe.backbone, recipe.weights)
        asked_for = asked_for or here(dataset.modality, MODALITIES[dataset.modality].backbones)
        others = [one for one in asked_for if one.backbone != own.backbone]  # the plan's own is scored anyway
        if not others:
            raise UserError("no other backbone is at hand; name some: instar backbones RUN SOURCE:NAME=FILE …")
        with originals(dataset):
            found = compare(dataset, audit, [own, *others], asked, options.seed, folder)
        write(folder, found)
        steps.accept(folder, "plan", steps.BACKBONES)
    say(f"{folder / steps.SCORES}; * is what a plan would take (instar run DATA --backbone … --out NEW)")
    return found


def write(folder: Path, table: pl.DataFrame | None) -> None:
    """The table of candidates; None where there were none: that of an earlier plan goes."""
    if table is not None:
        store.write_frame(folder / steps.SCORES, table)
    elif (folder / steps.SCORES).exists():
        (folder / steps.SCORES).unlink()


def taken(table: pl.DataFrame, dataset: Dataset, seed: int, size: int | None) -> "tuple[Decision, Network, str | None]":
    """The decision that a table of candidates leads to, its network and the file of its weights."""
    row = table.row(by_predicate=pl.col("verdict") == "chosen", named=True)
    network = load(row["backbone"], row["weights"], dataset, dropout=0.0, seed=seed, input_size=size)
    decision = reasons.decision(table, MODALITIES[dataset.modality].many, len(dataset.classes))
    return decision, network, row["weights"]
