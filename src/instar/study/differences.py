"""What compared runs cost, and what differed in how they were made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from instar import store
from instar.pipeline.options import options_of
from instar.plan.describe import shown
from instar.records import Json
from instar.study.subjects import Compared

BEFORE_USE = ("open", "audit", "plan", "prepare", "train")
"""Steps from raw data to a trained network."""
OF_THE_RUN = ("folds", "fold", "settings")
"""Options that tell the runs of a study apart, or that the plan tells better."""


def cost(found: Sequence[Compared]) -> pl.DataFrame:
    """subject, runs, seconds (raw data to a trained network), a column for each of these steps, ms_per_item,
    parameters, peak_memory_mb, device, cores: of a study the mean over its runs."""
    rows = []
    for compared in found:
        stamps = [store.read_machine(run)["steps"] for run in compared.runs]
        each = {s: sum(float(stamp[s]["seconds"]) for stamp in stamps) / len(stamps) for s in BEFORE_USE}
        measured, card = store.read_measurements(compared.first), store.read_card(compared.first)
        peaks = [stamp[s].get("peak_memory_mb") for stamp in stamps for s in BEFORE_USE]
        rows.append(
            {
                "subject": compared.name,
                "runs": len(compared.runs),
                "seconds": round(sum(each.values()), 2),
                **{f"seconds.{name}": round(value, 2) for name, value in each.items()},
                "ms_per_item": _ms(compared.first),
                "parameters": card.parameters,
                "peak_memory_mb": max((p for p in peaks if p is not None), default=None),
                "device": measured.device,
                "cores": measured.cores,
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def _ms(run: Path) -> float | None:
    """Milliseconds of one answer, with all its views, as measured for the way in which the network was run."""
    recipe = store.recipe_of(store.read_plan(run)[0])
    way = (recipe.precision, recipe.channels_last, recipe.threads)
    timings = store.read_measurements(run).timings
    found = next((t for t in timings if (t.precision, t.channels_last, t.threads) == way), None)
    return round(1000 * (1 + len(recipe.test_augment)) / found.forward, 2) if found else None


def differences(found: Sequence[Compared]) -> pl.DataFrame:
    """kind, field, subject, value, basis, reason: a row for each subject and each thing that is not the same in all.

    kind: plan (decisions in force; stages by their parts), option, machine. Of a study its first run is looked at.
    """
    rows = [row for compared in found for row in _described(compared)]
    frame = pl.DataFrame(rows, ("kind", "field", "subject", "value", "basis", "reason"), orient="row")
    values = frame.group_by("kind", "field", maintain_order=True).agg(
        pl.col("value").n_unique().alias("different"), pl.len().alias("n")
    )
    kept = values.filter((pl.col("different") > 1) | (pl.col("n") < len(found))).select("kind", "field")
    return kept.join(frame, on=["kind", "field"], how="left", maintain_order="left")


def _described(compared: Compared) -> Iterator[tuple[str, ...]]:
    run = compared.first
    plan, machine = store.read_plan(run)[0], store.read_machine(run)
    for decision in plan.live().values():
        for field, value in _parts(decision.field, decision.value):
            yield "plan", field, compared.name, shown(value), decision.basis, decision.reason
    for key, value in asdict(options_of(run)).items():
        if key not in OF_THE_RUN and value is not None:
            yield "option", key, compared.name, str(value), "", ""
    if compared.kind != "run":
        yield "option", compared.kind, compared.name, str(len(compared.runs)), "", ""
    told: Mapping[str, Any] = {**machine.get("versions", {}), **machine.get("machine", {})}
    for key, value in told.items():
        yield "machine", key, compared.name, str(value), "", ""


def _parts(field: str, value: Json) -> Iterator[tuple[str, Json]]:
    """A value by its parts: each entry of each stage by itself."""
    if field != "stages":
        yield field, value
        return
    yield field, [stage["name"] for stage in value]
    for stage in value:
        for key, part in stage.items():
            if key != "name":
                yield f"stages.{stage['name']}.{key}", part
