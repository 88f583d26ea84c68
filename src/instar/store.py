"""The records of a run directory, read and written: the disk border, where pydantic validates.

`files` (whole or not at all) and `steps` (what a step rests on) are offered under this name too, so that the rest of
instar knows one border.
"""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import polars as pl
import pydantic

from instar.errors import UserError
from instar.files import (
    digest,
    explain,
    home,
    kinds,
    plain,
    read_frame,
    read_yaml,
    replacing,
    write_bytes,
    write_frame,
    write_text,
    write_yaml,
)
from instar.records import Audit, Card, Dataset, Decision, Epoch, Evaluation, Finding, Json, Measurements, Plan, Recipe
from instar.steps import (
    AUDIT,
    AUDIT_FORMAT,
    BASELINES,
    BEST,
    CARD,
    DATASET,
    EPOCHS,
    EVALUATION,
    EVALUATION_TABLES,
    FINDINGS,
    KEPT,
    MACHINE,
    MEASUREMENTS,
    PLAN,
    PREDICTIONS,
    PROBE,
    SEALED,
    STEPS,
    TABLE,
    begin,
    current,
    finish,
    finished,
    read_machine,
)

__all__ = [
    "AUDIT",
    "BASELINES",
    "BEST",
    "MACHINE",
    "MEASUREMENTS",
    "PLAN",
    "PREDICTIONS",
    "PROBE",
    "SEALED",
    "STEPS",
    "TABLE",
    "begin",
    "current",
    "digest",
    "finish",
    "finished",
    "home",
    "plain",
    "read_audit",
    "read_card",
    "read_dataset",
    "read_epochs",
    "read_evaluation",
    "read_frame",
    "read_machine",
    "read_measurements",
    "read_plan",
    "read_sealed",
    "recipe_of",
    "replacing",
    "write_audit",
    "write_bytes",
    "write_card",
    "write_dataset",
    "write_epochs",
    "write_evaluation",
    "write_frame",
    "write_plan",
    "write_record",
    "write_text",
    "write_yaml",
]


def write_dataset(run: Path, dataset: Dataset, sealed: pl.DataFrame) -> None:
    """Write the data set, and apart from it the labels of the test split (columns id, label).

    Only `evaluate` reads the sealed file: nothing that audit or plan can see depends on a test label.
    """
    assert dataset.part("test")["label"].null_count() == dataset.part("test").height
    content = {f.name: getattr(dataset, f.name) for f in fields(dataset) if f.name != "table"}
    write_yaml(run / DATASET, content)
    write_frame(run / TABLE, dataset.table)
    write_frame(run / SEALED, sealed)


def read_dataset(run: Path) -> Dataset:
    """Read what `write_dataset` wrote, without the sealed labels."""
    content = read_yaml(run / DATASET, dict[str, Any])
    return Dataset(**{**content, "classes": tuple(content["classes"])}, table=read_frame(run / TABLE))


def read_sealed(run: Path) -> pl.DataFrame:
    """The labels of the test split: id, label. For `evaluate` alone."""
    return read_frame(run / SEALED)


def write_audit(run: Path, audit: Audit) -> None:
    """audit.yaml, and findings/<code>.csv for each finding that has rows; tables of an earlier audit go.

    What the columns of a table hold stands in audit.yaml: names of classes may be numbers, and a CSV does not tell.
    """
    for old in (run / FINDINGS).glob("*.csv"):
        old.unlink()
    content = []
    for f in audit.findings:
        entry = {"code": f.code, "verdict": f.verdict, "sentence": f.sentence, "evidence": f.evidence}
        if f.rows.width:
            write_frame(run / FINDINGS / f"{f.code}.csv", f.rows)
            entry["columns"] = kinds(f.rows)
        content.append(entry)
    write_yaml(run / AUDIT, {"format": AUDIT_FORMAT, "findings": content})


def read_audit(run: Path) -> Audit:
    """Read what `write_audit` wrote; an older form, which lacks what is now asked for, is an error with its remedy."""
    content = read_yaml(run / AUDIT, Any)
    if not isinstance(content, dict) or content.get("format") != AUDIT_FORMAT:
        raise UserError(f"the audit {run / AUDIT} is of another version of instar; run `instar audit {run}`")
    findings = []
    for entry in content["findings"]:
        path, columns = run / FINDINGS / f"{entry['code']}.csv", entry.pop("columns", None)
        findings.append(Finding(**entry, rows=read_frame(path, columns) if path.exists() else pl.DataFrame()))
    return Audit(tuple(findings))


PLAN_COMMENT = """The plan of this run. Edit values under `recipe`, save, and go on with `instar train RUN`:
what you change becomes a decision with basis "asked". `decisions` is the record of the reasons."""


def write_plan(run: Path, plan: Plan) -> None:
    """plan.yaml: the recipe to edit, then every decision in the order in which they were taken."""
    recipe = {field: decision.value for field, decision in plan.live().items()}
    decisions = [{**asdict(d), "because": list(d.because)} for d in plan.decisions]
    write_yaml(run / PLAN, {"recipe": recipe, "decisions": decisions}, PLAN_COMMENT)


def read_plan(run: Path) -> tuple[Plan, dict[str, Json]]:
    """The plan and the `recipe` block as it stands in the file, perhaps edited by hand."""
    content = read_yaml(run / PLAN, dict[str, Any])
    if set(content) != {"recipe", "decisions"}:
        raise UserError(f"{run / PLAN} must have exactly the keys recipe and decisions; run `instar plan {run}`")
    try:
        decisions = pydantic.TypeAdapter(tuple[Decision, ...]).validate_python(content["decisions"])
    except pydantic.ValidationError as error:
        raise UserError(f"{run / PLAN}: decisions.{explain(error)}") from error
    return Plan(decisions), content["recipe"]


def recipe_of(plan: Plan) -> Recipe:
    """Assemble the typed recipe from the live decisions; a bad value is an error that names the field."""
    try:
        return pydantic.TypeAdapter(Recipe).validate_python({k: d.value for k, d in plan.live().items()})
    except pydantic.ValidationError as error:
        raise UserError(f"plan: {explain(error)}") from error


def write_record(path: Path, record: Card | Measurements) -> None:
    """Write a record that holds no table."""
    write_yaml(path, asdict(record))


def write_card(run: Path, card: Card, kept: Mapping[str, Path]) -> None:
    """The backbone's card, and in `KEPT` copies of the small files that its architecture and its tokenizer need.

    On the disk the tokenizer is named by its folder in the run, so that a run can be moved.
    """
    shutil.rmtree(run / KEPT, ignore_errors=True)
    for name, file in kept.items():
        write_bytes(run / KEPT / name, file.read_bytes())
    if kept and card.spec.tokenizer:
        card = replace(card, spec=replace(card.spec, tokenizer=KEPT.rstrip("/")))
    write_record(run / CARD, card)


def read_card(run: Path) -> Card:
    """The backbone's card, as the plan saw it; its tokenizer is the one that the run keeps."""
    card = read_yaml(run / CARD, Card)
    if card.spec.tokenizer != KEPT.rstrip("/"):
        return card
    return replace(card, spec=replace(card.spec, tokenizer=str(run / KEPT)))


def read_measurements(run: Path) -> Measurements:
    """What was measured for the plan."""
    return read_yaml(run / MEASUREMENTS, Measurements)


def write_epochs(run: Path, epochs: tuple[Epoch, ...]) -> None:
    """epochs.csv, a row per epoch over all stages."""
    write_frame(run / EPOCHS, pl.DataFrame([asdict(e) for e in epochs]))


def read_epochs(run: Path) -> tuple[Epoch, ...]:
    """Read what `write_epochs` wrote."""
    return tuple(Epoch(**row) for row in read_frame(run / EPOCHS).iter_rows(named=True))


EVALUATION_FRAMES = {Path(file).stem: file for file in EVALUATION_TABLES}


def write_evaluation(run: Path, evaluation: Evaluation) -> None:
    """evaluation.yaml and a CSV for each of its tables."""
    for name, file in EVALUATION_FRAMES.items():
        write_frame(run / file, getattr(evaluation, name))
    write_yaml(run / EVALUATION, {k: v for k, v in asdict(replace(evaluation, **_EMPTY)).items() if k not in _EMPTY})


_EMPTY: dict[str, Any] = {name: pl.DataFrame() for name in EVALUATION_FRAMES}


def read_evaluation(run: Path) -> Evaluation:
    """Read what `write_evaluation` wrote; an older form, which lacks what is now told, is an error with its remedy."""
    frames: dict[str, Any] = {name: read_frame(run / file) for name, file in EVALUATION_FRAMES.items()}
    try:
        evaluation = read_yaml(run / EVALUATION, Evaluation)
    except UserError as error:
        raise UserError(f"{error}; run `instar evaluate {run}` to write it anew") from error
    return replace(evaluation, **frames)
