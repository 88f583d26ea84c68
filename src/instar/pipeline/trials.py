"""Trainings beside the run's own, of which nothing is kept but their answers on the validation split.

The test split stays sealed: nothing here asks for its labels.
"""

import hashlib
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from instar import steps, store
from instar.evaluate.predictions import frame, read_otherwise
from instar.files import read_yaml, whole
from instar.modality.modalities import MODALITIES
from instar.pipeline.learning import material, rows_of
from instar.pipeline.networks import trained_network
from instar.plan.ablation import How
from instar.plan.rows import left_out
from instar.progress import say
from instar.records import Dataset, Epoch, Recipe

if TYPE_CHECKING:
    from instar.models.network import Network
    from instar.prepare.base import Prepared

FOLDER, PLANNED = "6-ablate", "planned"
ANSWERS, PLAIN, PROBED = "answers.parquet", "plain.parquet", "probe.parquet"
"""What a network answers, without other views of the examples, and what its probe does."""
EPOCHS, DONE = "epochs.csv", "done.yaml"


@dataclass(frozen=True)
class Base:
    """The run that trials are compared with."""

    folder: Path
    dataset: Dataset
    recipe: Recipe
    epochs: tuple[Epoch, ...]

    def seconds(self, recipe: Recipe, how: How) -> float:
        """How long a training takes, by the epochs of the run's own."""
        heads = {stage.name for stage in self.recipe.stages if stage.thaw == 0}
        head = sum(e.seconds for e in self.epochs if e.stage in heads)
        live = [e.seconds for e in self.epochs if e.stage not in heads]
        if how == "reused":
            return 0.0
        wanted = sum(stage.epochs for stage in recipe.stages if stage.thaw != 0)
        return head + (float(np.mean(live)) * wanted if live else 0.0)


@dataclass(frozen=True)
class Trial:
    """A training to compare with: of the plan with another seed, or without a decision."""

    name: str
    seed: int
    """Beyond that of the plan."""
    recipe: Recipe
    how: How
    seconds: float
    """That it takes by estimate."""

    @property
    def place(self) -> Path:
        """Its folder, below the run's."""
        return Path(FOLDER) / self.name / f"seed-{self.seed}"

    @property
    def called(self) -> str:
        """For a person."""
        return self.name + (f" with seed {self.recipe.seed}" if self.seed else "")


def seconds_of(base: Base, trial: Trial) -> float | None:
    """How long a trial's training took, if it is whole and rests on the run as it is now; else None."""
    path = base.folder / trial.place / DONE
    known = read_yaml(path, dict[str, Any]) if path.exists() else {}
    return float(known["seconds"]) if known.get("rests_on") == _rests_on(base, trial) else None


def answers_of(base: Base, trial: Trial) -> pl.DataFrame:
    """What a whole trial answers on the validation split."""
    return store.read_frame(base.folder / trial.place / ANSWERS)


def run(base: Base, trial: Trial, planned: Trial) -> None:
    """Make the answers of a trial; killed at any moment, it goes on from there when it is called again.

    Args:
        planned: the trial of the plan with the same seed, which must be whole where networks are reused.
    """
    say(f"ablate: {trial.called}" if trial.name == PLANNED else f"ablate: without {trial.called}")
    if trial.how != "reused":
        epochs = _run_training(base, trial)
    else:
        epochs = _run_own(base, trial) if trial.name == PLANNED else _run_reusing(base, trial, planned)
    place = base.folder / trial.place
    store.write_frame(place / EPOCHS, pl.DataFrame([asdict(e) for e in epochs]))
    seconds = round(sum(e.seconds for e in epochs), 2)
    store.write_yaml(place / DONE, {"rests_on": _rests_on(base, trial), "seconds": seconds})
    for left in (*place.glob("*.safetensors"), *place.glob("last*")):  # answers are all that is asked of it
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def _run_own(base: Base, trial: Trial) -> tuple[Epoch, ...]:
    """The run's own network and its probe."""
    dataset, recipe, folder = base.dataset, trial.recipe, base.folder
    feed, spec = MODALITIES[dataset.modality].feed(), store.read_card(folder).spec
    prepared = feed.open(feed.prepare(dataset, recipe, spec), recipe, spec)
    _keep_all(base, trial, trained_network(folder, store.BEST, dataset, recipe), prepared, store.PROBE)
    return base.epochs


def _run_reusing(base: Base, trial: Trial, planned: Trial) -> tuple[Epoch, ...]:
    """Answers of networks that are there, read otherwise; the probe where nothing is thawed."""
    source = base.folder / planned.place
    frozen = trial.recipe.stages != base.recipe.stages
    plain = trial.recipe.test_augment != base.recipe.test_augment
    found = store.read_frame(source / (PROBED if frozen else PLAIN if plain else ANSWERS))
    read = read_otherwise(found, base.dataset.classes, trial.recipe.decode)
    store.write_frame(base.folder / trial.place / ANSWERS, read)
    epochs = (Epoch(**row) for row in store.read_frame(source / EPOCHS).iter_rows(named=True))
    heads = {stage.name for stage in trial.recipe.stages}
    return tuple(e for e in epochs if not frozen or e.stage in heads)


def _run_training(base: Base, trial: Trial) -> tuple[Epoch, ...]:
    from instar.train.training import PROBE, fit

    place = base.folder / trial.place
    network, data, stamp = material(base.folder, trial.recipe, _excluded(base, trial))
    epochs = fit(place, network, trial.recipe, data, stamp)
    if trial.name == PLANNED:
        _keep_all(base, trial, network, data.prepared, (trial.place / PROBE).as_posix())
    else:
        _keep(base, trial, trial.recipe, network, data.prepared, ANSWERS)
    return epochs


def _keep_all(base: Base, trial: Trial, network: "Network", prepared: "Prepared", probe: str) -> None:
    """All that other trials reuse of the plan's own network, and of the probe in a file of the run."""
    _keep(base, trial, trial.recipe, network, prepared, ANSWERS)
    if trial.recipe.test_augment:
        _keep(base, trial, replace(trial.recipe, test_augment=()), network, prepared, PLAIN)
    untuned = trained_network(base.folder, probe, base.dataset, trial.recipe)
    _keep(base, trial, trial.recipe, untuned, prepared, PROBED)


def _keep(base: Base, trial: Trial, recipe: Recipe, network: "Network", prepared: "Prepared", name: str) -> None:
    from instar.prepare.passes import answer_logits

    rows, labels = rows_of(base.dataset, prepared.ids, "val")
    found = answer_logits(network, prepared, rows, recipe, "predict val")
    answers = frame(base.dataset, "val", labels, found, recipe.decode)
    store.write_frame(base.folder / trial.place / name, answers)


def _excluded(base: Base, trial: Trial) -> str:
    """The file of the run with the rows that the trial leaves out of training."""
    if trial.recipe.exclude == base.recipe.exclude:
        return steps.EXCLUDED
    file = trial.place / "excluded.csv"
    audit, train = store.read_audit(base.folder), base.dataset.part("train")
    store.write_frame(base.folder / file, left_out(trial.recipe.exclude, audit, train, trial.called))
    return file.as_posix()


def _rests_on(base: Base, trial: Trial) -> str:
    """Digest of the recipe, and of all that the comparison rests on: the run's own training and what it read."""
    stamp = store.read_machine(base.folder)["steps"]["train"]
    files = {f: v for f, v in {**stamp["reads"], **stamp["writes"]}.items() if whole(f) != steps.PLAN}
    return hashlib.sha256(f"{files} {asdict(base.recipe)} {asdict(trial.recipe)}".encode()).hexdigest()
