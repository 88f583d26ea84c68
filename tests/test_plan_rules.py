"""The rules of the plan: every field is decided once, for a reason that exists, and findings move it."""

import itertools
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from instar import store
from instar.audit.check import run_checks
from instar.data.grouping import WHY
from instar.errors import UserError
from instar.modality.modalities import MODALITIES
from instar.plan import assemble, backbone, engine, stages
from instar.plan.describe import plan_md, shown
from instar.records import Audit, Card, Dataset, Group, InputSpec, Json, Measurements, Plan, Recipe, Timing

GOLDEN = Path(__file__).parent / "golden"
STARS = ("1 star", "2 stars", "3 stars", "4 stars", "5 stars")


def dataset(modality: str, sizes: Mapping[str, int], *, ordered: bool = False, **measured: Json) -> Dataset:
    """So many examples per class, split 70/15/15, all measuring the same."""
    labels = [name for name, n in sizes.items() for _ in range(n)]
    place = [i % 20 for n in sizes.values() for i in range(n)]
    frame = pl.DataFrame(
        {
            "id": [f"row {i}" for i in range(len(labels))],
            "input": [f"input {i}.jpg" for i in range(len(labels))],
            "label": labels,
            "split": ["train" if p < 14 else "val" if p < 17 else "test" for p in place],
            "twin": range(len(labels)),
            "group": range(len(labels)),
            "error": pl.Series([None] * len(labels), dtype=pl.String),
        }
    ).with_columns(
        pl.when(pl.col("split") == "test").then(None).otherwise("label").alias("label"),
        *(pl.lit(value).alias(f"measure.{name}") for name, value in measured.items()),
    )
    opening = {
        "table": "",
        "text_column": "",
        "image_column": "",
        "label_column": "",
        "guessed": "",
        "encoding": "",
        "not_utf8": 0,
        "headers_stripped": [],
        "limit": None,
        "ignored_files": 0,
        "given_split": False,
        "random_leak": 0.0,
        "grouping": "near",
        "grouping_reason": WHY,
        "near_groups": 0,
        "rows_in_near_groups": 0,
    }
    return Dataset("planted", modality, "planted", ".", tuple(sizes), ordered, sizes, opening, frame)


def pictures(sizes: Mapping[str, int], width: int = 300, height: int = 300, grey: str = "", **more: Any) -> Dataset:
    measured = {
        "width": width,
        "height": height,
        "brightness": 0.5,
        "contrast": 0.2,
        "grey": False,
        "format": "JPEG",
        "mode": "RGB",
    }
    made = dataset("image", sizes, **{**measured, **more})
    shade = (pl.col("label") == grey).fill_null(False).alias("measure.grey")
    return replace(made, table=made.table.with_columns(shade))


def texts(sizes: Mapping[str, int], words: int = 20, ordered: bool = True) -> Dataset:
    made = dataset("text", sizes, ordered=ordered, words=words, replacement=0, entities=0, letters=50)
    inputs = pl.Series([" ".join([str(i)] * words) for i in range(made.table.height)])
    return replace(made, table=made.table.with_columns(input=inputs))


def card(modality: str, *, size: int, trunk: int, pretrained: bool = True) -> Card:
    groups = (
        Group("stem", "stem", ("stem",), 1_000),
        *(Group(f"blocks.{i}", "trunk", (f"blocks.{i}",), 10_000) for i in range(trunk)),
        Group("neck", "neck", ("neck",), 2_000),
    )
    spec = InputSpec(size, tokenizer="hashed:30000" if modality == "text" else "")
    origin = "a file" if pretrained else "random"
    return Card("hf:some/net", "SomeNet", modality, spec, groups, 128, 90_000, pretrained, origin)


def machine(speed: float, threads: int = 2) -> Measurements:
    """fp32 at `speed` training examples a second, channels_last at 1.5 and bf16 at 2 times that."""
    ways = (("fp32", False, 1.0), ("fp32", True, 1.5), ("bf16", True, 2.0))
    timings = tuple(Timing(p, c, threads, 3 * speed * gain, speed * gain) for p, c, gain in ways)
    return Measurements(timings, "cpu", threads, 8.0)


MOBILE, READER = card("image", size=224, trunk=7), card("text", size=512, trunk=6)
SCRATCH = card("image", size=64, trunk=4, pretrained=False)
PHOTOS = pictures({f"species {i:02}": 56 for i in range(75)})
REVIEWS = texts(dict(zip(STARS, (8460, 2671, 4200, 5000, 7869), strict=True)), words=82)
DRAWINGS = pictures(dict.fromkeys(("admiral", "brimstone", "comma"), 60), width=96, height=96)
ARCHETYPES: dict[str, tuple[Dataset, Card, Measurements]] = {
    "photos": (PHOTOS, MOBILE, machine(60)),
    "reviews": (REVIEWS, READER, machine(40)),
    "drawings": (DRAWINGS, SCRATCH, machine(200)),
}


def audit_of(data: Dataset) -> Audit:
    archetype = next((name for name, (known, _, _) in ARCHETYPES.items() if known is data), None)
    return archetype_audit(archetype) if archetype else run_checks(data, MODALITIES[data.modality].checks)


@cache
def archetype_audit(name: str) -> Audit:
    """The large sets are audited once."""
    data = ARCHETYPES[name][0]
    return run_checks(data, MODALITIES[data.modality].checks)


def make(
    data: Dataset,
    of: Card,
    measured: Measurements,
    asked: Mapping[str, Json] | None = None,
    weights: str | None = None,
) -> Plan:
    modality = MODALITIES[data.modality]
    chosen = backbone.choose(data, [(of.backbone, "")], None)
    names, fits = tuple(modality.augmentations), modality.fits
    return assemble.make(
        data,
        audit_of(data),
        of,
        measured,
        chosen,
        weights,
        asked or {},
        seed=3,
        augmentations=names,
        fits=fits,
    )


def recipe(data: Dataset, of: Card, measured: Measurements | None = None) -> Recipe:
    return store.recipe_of(make(data, of, measured or machine(60)))


@pytest.mark.parametrize("name", ARCHETYPES)
def test_every_field_has_one_decision_with_a_reason_that_exists(name: str) -> None:
    data, of, measured = ARCHETYPES[name]
    plan = make(data, of, measured)
    codes = {f.code for f in audit_of(data).findings}
    assert sorted(d.field for d in plan.decisions) == sorted(f.name for f in fields(Recipe))
    for decision in plan.decisions:
        assert set(decision.because) <= codes, decision
        assert decision.reason.endswith(".") and decision.source, decision
        assert decision.basis != "rule" or decision.because, decision


@pytest.mark.parametrize("name", ARCHETYPES)
def test_golden_plans(name: str) -> None:
    """A changed rule shows as a readable difference. INSTAR_WRITE_GOLDEN=1 writes the files anew."""
    live = make(*ARCHETYPES[name]).live()
    made = {field: {"value": d.value, "basis": d.basis, "because": list(d.because)} for field, d in live.items()}
    path = GOLDEN / f"plan_{name}.yaml"
    if os.environ.get("INSTAR_WRITE_GOLDEN"):
        lines = (yaml.safe_dump(d, sort_keys=False, width=1000, default_flow_style=True) for d in made.values())
        path.write_text("".join(f"{field}: {line}" for field, line in zip(made, lines, strict=True)))
    assert yaml.safe_load(path.read_text()) == made


def test_a_plan_survives_the_disk(tmp_path: Path) -> None:
    plan = make(*ARCHETYPES["photos"])
    store.write_plan(tmp_path, plan)
    read, block = store.read_plan(tmp_path)
    assert read == plan
    assert block == {field: d.value for field, d in plan.live().items()}


@pytest.mark.parametrize(
    ("width", "height", "fit"),
    [
        (300, 300, "crop"),
        (400, 300, "crop"),
        (300, 400, "crop"),
        (401, 300, "squash"),
        (300, 600, "squash"),
        (700, 300, "pad"),
    ],
)
def test_fit_of_pictures_of_one_shape(width: int, height: int, fit: str) -> None:
    assert recipe(pictures({"a": 120, "b": 120}, width, height), MOBILE).fit == fit


def test_pictures_of_many_shapes_are_padded() -> None:
    data = pictures({"a": 120, "b": 120})
    wide = pl.when(pl.int_range(pl.len()) % 4 == 0).then(500).otherwise(300).alias("measure.width")
    assert recipe(replace(data, table=data.table.with_columns(wide)), MOBILE).fit == "pad"


@pytest.mark.parametrize(("words", "size", "fit"), [(2, 16, "head"), (82, 96, "head"), (800, 512, "ends")])
def test_length_of_texts(words: int, size: int, fit: str) -> None:
    made = recipe(texts({"a": 120, "b": 120}, words), READER)
    assert (made.input_size, made.fit) == (size, fit)


def test_metric_and_weights_follow_the_balance() -> None:
    def made(largest: int, ordered: bool = False) -> tuple[str, str]:
        found = recipe(texts({"a": 100, "b": largest}, ordered=ordered), READER)
        return found.metric, found.loss_weights

    assert made(150) == ("accuracy", "none")
    assert made(150, ordered=True) == ("macro_f1", "none")
    assert made(152) == ("macro_f1", "none")
    assert made(1001) == ("macro_f1", "balanced")


def test_smoothing_is_for_many_unordered_classes_of_pictures_on_a_pretrained_network() -> None:
    many = {f"class {i}": 100 for i in range(10)}
    few = {f"class {i}": 100 for i in range(9)}
    assert recipe(pictures(many), MOBILE).label_smoothing == 0.1
    assert recipe(pictures(few), MOBILE).label_smoothing == 0
    assert recipe(pictures(many), SCRATCH).label_smoothing == 0
    assert recipe(replace(pictures(many), ordered=True), MOBILE).label_smoothing == 0
    assert recipe(texts(many, ordered=False), READER).label_smoothing == 0


def test_augmentations_follow_the_findings() -> None:
    plain = ("random_resized_crop", "horizontal_flip")
    two = {"ant": 120, "bee": 120}
    assert recipe(pictures(two), MOBILE).augment == plain
    assert recipe(pictures(two, grey="bee"), MOBILE).augment == (*plain, "grayscale")
    assert recipe(pictures({"left hand": 120, "right hand": 120}), MOBILE).augment == plain[:1]
    assert recipe(pictures({"bright": 120, "copyright": 120}), MOBILE).augment == plain
    assert recipe(replace(pictures(two), ordered=True), MOBILE).augment == plain[:1]
    assert recipe(texts(two), READER).augment == ()


@pytest.mark.parametrize(("n", "batch"), [(1000, 32), (300, 16), (60, 8), (6, 6)])
def test_a_tiny_set_has_small_batches(n: int, batch: int) -> None:
    assert recipe(pictures({"a": n // 2, "b": n // 2}), MOBILE).batch_size == batch


def test_a_pretrained_network_is_thawed_from_the_head_down() -> None:
    few, many = ({f"class {i}": n for i in range(4)} for n in (40, 200))
    assert [s.thaw for s in recipe(pictures(few), MOBILE).stages] == [0, 3]
    assert [s.thaw for s in recipe(pictures(many), MOBILE).stages] == [0, 4]
    assert [s.thaw for s in recipe(pictures(few), card("image", size=64, trunk=0)).stages] == [0, -1]
    assert [s.thaw for s in recipe(pictures(few), SCRATCH).stages] == [-1]


def test_epochs_follow_the_speed_of_the_machine() -> None:
    def epochs(data: Dataset, of: Card, speed: float) -> int:
        return recipe(data, of, machine(speed)).stages[-1].epochs

    slow_to_fast = [epochs(PHOTOS, MOBILE, speed) for speed in (1, 10, 20, 30, 1000)]
    assert slow_to_fast == sorted(slow_to_fast)
    assert (slow_to_fast[0], slow_to_fast[-1]) == (2, 12)
    assert len(set(slow_to_fast)) > 2
    assert epochs(REVIEWS, READER, 1e6) == 6
    assert [epochs(DRAWINGS, SCRATCH, speed) for speed in (1, 1e6)] == [10, 40]


def test_the_time_of_an_epoch_by_hand() -> None:
    timing = Timing("fp32", False, 2, forward=10.0, training=5.0)
    assert stages.epoch_seconds(timing, 100, 20, 0.5) == pytest.approx(100 / 5 + 20 / 10)
    assert stages.epoch_seconds(timing, 100, 0, 1.0) == pytest.approx(100 * 0.3)
    assert stages.epoch_seconds(timing, 100, 0, 0.0) == pytest.approx(100 / 10)


def test_a_stage_that_cannot_keep_its_time_says_so() -> None:
    assert "more than the 10 min allowed" in make(PHOTOS, MOBILE, machine(0.5)).live()["stages"].reason
    assert "within the 10 min allowed" in make(PHOTOS, MOBILE, machine(60)).live()["stages"].reason


def test_the_fastest_way_is_taken_and_the_simplest_among_equals() -> None:
    ways = [Timing(p, c, t, 100.0, 10.0) for p, c, t in itertools.product(("fp32", "bf16"), (False, True), (1, 2))]
    same = Measurements(tuple(ways), "cpu", 2, 8.0)
    assert engine.fastest(same) == engine.default(same) == Timing("fp32", False, 2, 100.0, 10.0)
    for way in ways:
        faster = replace(way, training=10.4)
        measured = replace(same, timings=tuple(faster if w == way else w for w in ways))
        assert engine.fastest(measured) == faster
    nearly = replace(same, timings=(*ways, Timing("bf16", True, 4, 100.0, 10.2)))
    assert engine.fastest(nearly) == engine.default(nearly)


def test_the_first_backbone_that_loads_is_chosen() -> None:
    tried = [("timm:big", "no file here"), ("scratch:convnet", "")]
    decision = backbone.choose(PHOTOS, tried, None)
    assert (decision.value, decision.basis, decision.because) == ("scratch:convnet", "fixed", ())
    assert "timm:big (no file here)" in decision.reason
    assert "Nothing in this network is pre-trained" in decision.reason
    asked = backbone.choose(PHOTOS, tried, "scratch:convnet")
    assert asked.basis == "asked" and "Nothing in it is pre-trained" in asked.reason
    with pytest.raises(UserError, match="no file here"):
        backbone.choose(PHOTOS, tried[:1], None)


def test_weights_that_were_named_are_asked_for() -> None:
    named = make(PHOTOS, MOBILE, machine(60), weights="a.safetensors").live()["weights"]
    assert (named.value, named.basis) == ("a.safetensors", "asked")
    assert make(PHOTOS, MOBILE, machine(60)).live()["weights"].value is None


def test_what_was_asked_for_stands_in_the_plan() -> None:
    plan = make(PHOTOS, MOBILE, machine(60), asked={"dropout": 0.5, "lr": 0.01})
    made = store.recipe_of(plan)
    assert made.dropout == 0.5
    assert [s.lr for s in made.stages] == [0.0, 0.01]
    assert [d.field for d in plan.decisions if d.basis == "asked"] == ["dropout", "stages"]


@dataclass(frozen=True)
class Page:
    """The tables of a page, as lists of cells."""

    text: str

    def rows(self, title: str) -> list[list[str]]:
        part = self.text.split(f"## {title}")[1].split("\n## ")[0]
        lines = [line.replace("\\|", "¦") for line in part.splitlines() if line.startswith("| ")]
        return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines[2:]]


def test_the_page_shows_every_decision_and_the_findings_behind_it() -> None:
    plan = make(PHOTOS, MOBILE, machine(60), asked={"dropout": 0.5, "backbone": "hf:odd|name"})
    page = Page(plan_md(plan, audit_of(PHOTOS)))
    live = page.rows("Decisions in force")
    assert [row[0] for row in live] == [f.name for f in fields(Recipe)]
    assert all(len(row) == 6 for row in live)
    assert [row[0] for row in page.rows("Superseded decisions")] == ["backbone", "dropout"]
    assert {"class-counts", "sizes", "colour"} <= {row[0] for row in page.rows("Findings behind them")}
    assert "Superseded" not in plan_md(make(PHOTOS, MOBILE, machine(60)), audit_of(PHOTOS))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        ([], "none"),
        (True, "yes"),
        (1e-4, "0.0001"),
        (["a", "b"], "a, b"),
        ([{"name": "head", "thaw": 0}, {"name": "top", "thaw": 3}], "head: thaw 0; top: thaw 3"),
    ],
)
def test_values_for_readers(value: Json, text: str) -> None:
    assert shown(value) == text


def test_answers_take_in_mirror_images_where_the_training_does() -> None:
    two = {"ant": 120, "bee": 120}
    assert recipe(pictures(two), MOBILE).test_augment == ("horizontal_flip",)
    assert recipe(pictures({"left hand": 120, "right hand": 120}), MOBILE).test_augment == ()
    assert recipe(texts(two), READER).test_augment == ()
    crops = make(pictures(two), MOBILE, machine(60), asked={"augment": ["random_resized_crop"]}).live()
    assert (crops["augment"].basis, crops["test_augment"].value) == ("asked", [])
