"""Everything that a deck may say, read from the files of a run directory. No torch, no original labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from instar import files, steps, store
from instar.deck.repeats import read_study
from instar.evaluate.worth import read_worth
from instar.explain.files import read_reasons
from instar.modality.base import Modality
from instar.modality.modalities import MODALITIES
from instar.records import (
    Audit,
    Card,
    Dataset,
    Epoch,
    Evaluation,
    Finding,
    Measurements,
    Plan,
    Reasons,
    Recipe,
    Score,
    Study,
    Timing,
)

BASELINES = "5-eval/baselines.parquet"
PREVIEWS = "figures/prepared.csv"


@dataclass(frozen=True)
class Facts:
    """What a run directory holds. The labels of test rows come from its predictions."""

    run: str
    """Name of the run directory."""
    date: str
    """Day on which the run was started."""
    dataset: Dataset
    audit: Audit
    plan: Plan
    recipe: Recipe
    card: Card
    measurements: Measurements
    epochs: tuple[Epoch, ...]
    predictions: pl.DataFrame = field(compare=False)
    """id, split, group, label, predicted, confidence"""
    baselines: pl.DataFrame = field(compare=False)
    """subject, id, label, predicted"""
    evaluation: Evaluation
    machine: Mapping[str, Any]
    previews: pl.DataFrame = field(compare=False)
    """Examples before and after preparation; empty where the run wrote none."""
    study: Study | None = None
    """What the run says together with others, where it belongs to a study that is whole."""
    study_runs: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """name, value, low, high, n, joint: a row for each run of the study, and one for all."""
    candidates: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """Scores of several backbones (`plan.candidates.SCHEMA`); empty where only one was looked at."""
    reasons: Reasons | None = None
    """Why the network answers as it does; None where that was not asked."""
    worth: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """The rows of 6-ablate/worth.csv; empty where no decision of this training was switched off."""

    @property
    def modality(self) -> Modality:
        """How examples are shown and called."""
        return MODALITIES[self.dataset.modality]

    @property
    def many(self) -> str:
        """What the examples are called: images, texts."""
        return self.modality.many

    @property
    def metric(self) -> str:
        """The metric of the headline: the one that chose the checkpoint."""
        known = {s.metric for s in self.evaluation.scores if s.subject == "tuned"}
        return self.recipe.metric if self.recipe.metric in known else "accuracy"

    @property
    def headline(self) -> Score:
        """The score of the tuned network."""
        return self.evaluation.score(self.metric)

    def baseline(self, subject: str, metric: str | None = None) -> Score | None:
        """The score of a baseline in the headline's metric, or None where it was not computed."""
        metric = metric or self.metric
        return next((s for s in self.evaluation.scores if (s.subject, s.metric) == (subject, metric)), None)

    def gain(self, subject: str) -> Score | None:
        """How much better the network is than a baseline in the headline's metric; None where it was not computed."""
        return self.evaluation.gain(self.metric, subject)

    @property
    def timing(self) -> Timing | None:
        """The measurement of the way in which the network was run."""
        chosen = (self.recipe.precision, self.recipe.channels_last, self.recipe.threads)
        return next(
            (t for t in self.measurements.timings if (t.precision, t.channels_last, t.threads) == chosen),
            None,
        )

    @property
    def labelled(self) -> pl.DataFrame:
        """The table with the labels of all three parts: those of test rows as `evaluate` wrote them."""
        opened = self.predictions.select("id", pl.col("label").alias("opened"))
        joined = self.dataset.part("train", "val", "test").join(opened, on="id", how="left", maintain_order="left")
        return joined.with_columns(pl.coalesce("label", "opened").alias("label")).drop("opened")

    @property
    def limited(self) -> bool:
        """Whether examples were left out because no more were wanted: then classes are small by choice."""
        return bool(self.dataset.opening["left_out_by_limit"])

    def finding(self, code: str) -> Finding | None:
        """A finding with something to say, or None."""
        found = self.audit.get(code)
        return found if found is not None and found.verdict in ("issue", "note", "passed") else None


def read_facts(run: Path) -> Facts:
    """Read a finished run.

    Raises:
        UserError: a file of the run directory is broken.
    """
    plan, _ = store.read_plan(run)
    previews, candidates = run / PREVIEWS, run / steps.SCORES
    machine = store.read_machine(run)
    study, study_runs = read_study(run)
    return Facts(
        run=run.resolve().name,
        date=datetime.fromisoformat(machine["started"]).date().isoformat(),
        dataset=store.read_dataset(run),
        audit=store.read_audit(run),
        plan=plan,
        recipe=store.recipe_of(plan),
        card=store.read_card(run),
        measurements=store.read_measurements(run),
        epochs=store.read_epochs(run),
        predictions=files.read_frame(run / steps.PREDICTIONS).select(
            "id", "split", "group", "label", "predicted", "confidence"
        ),
        baselines=files.read_frame(run / BASELINES),
        evaluation=store.read_evaluation(run),
        machine=machine,
        previews=files.read_frame(previews) if previews.exists() else pl.DataFrame(),
        study=study,
        study_runs=study_runs,
        candidates=files.read_frame(candidates) if candidates.exists() else pl.DataFrame(),
        reasons=read_reasons(run),
        worth=read_worth(run),
    )
