"""A plan among several backbones, on small pictures: scored once, told, refused where nothing is to be had."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import save_file
from timm import create_model

from instar import files, pipeline, steps, store
from instar.deck.facts import Facts
from instar.errors import UserError
from instar.pipeline.options import firm
from instar.plan import measure
from instar.records import Measurements, Timing
from test_portable import pictures

NAMES = ("mobilenetv3_small_050", "mobilenetv3_small_075", "lcnet_050")


@pytest.fixture(autouse=True, scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Page and measuring take seconds, and nothing here looks at what they make."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTAR_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr("instar.report.build.write_report", lambda folder, **_: folder)
        speeds = (Timing("fp32", False, 1, 50.0, 50.0),)
        patch.setattr(measure, "measure", lambda *_, **__: Measurements(speeds, "cpu", 1, 1.0))
        yield


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Backbones with files of weights."""
    base = tmp_path_factory.mktemp("weights")
    found = []
    for name in NAMES:
        torch.manual_seed(0)
        save_file(create_model(name).state_dict(), base / f"{name}.safetensors")
        found.append(f"timm:{name}={base / name}.safetensors")
    return found


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> Path:
    base = tmp_path_factory.mktemp("several")
    asked = pipeline.Options(
        str(pictures(base / "set")),
        backbone=",".join([*parts, "timm:resnet18"]),
        settings=("input_size=32", "epochs=1", "threads=1"),
    )
    folder = pipeline.start(asked, base / "run")
    pipeline.audit(folder)
    pipeline.plan(folder)
    return folder


def test_the_plan_scores_them_takes_one_and_says_why(planned: Path) -> None:
    plan, _ = store.read_plan(planned)
    recipe, decision = store.recipe_of(plan), plan.live()["backbone"]
    found = files.read_frame(planned / steps.SCORES)
    chosen = found.row(by_predicate=pl.col("verdict") == "chosen", named=True)
    assert decision.basis == "measured" and recipe.backbone == chosen["backbone"] == store.read_card(planned).backbone
    assert recipe.weights == chosen["weights"] and Path(str(recipe.weights)).stem == recipe.backbone[5:]
    assert found["default"].to_list().count(True) == 1 and found["accuracy"].count() == 3
    gone = found.row(by_predicate=pl.col("verdict") == "not at hand", named=True)
    assert gone["backbone"] == "timm:resnet18" and gone["reason"]
    assert "timm:resnet18" in (planned / "3-plan/plan.md").read_text()


def test_a_second_plan_is_the_same_and_computes_nothing(planned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("instar.prepare.features.one_pass", "instar.pipeline.candidates.crossfit"):
        monkeypatch.setattr(place, lambda *_, **__: pytest.fail("computed again"))
    before, scores = store.recipe_of(store.read_plan(planned)[0]), (planned / steps.SCORES).read_bytes()
    plan = pipeline.plan(planned)
    assert store.recipe_of(plan) == before and plan.live()["backbone"].basis == "measured"
    assert (planned / steps.SCORES).read_bytes() == scores


def test_neither_validation_nor_test_labels_have_a_say(planned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from instar.pipeline.candidates import compare
    from instar.pipeline.choosing import candidates_of
    from instar.pipeline.options import wishes

    dataset, (options, asked) = store.read_dataset(planned), wishes(planned)
    turned = pl.when(pl.col("split") != "train").then(pl.lit(dataset.classes[0])).otherwise("label").alias("label")
    other = replace(dataset, table=dataset.table.with_columns(turned))
    found = compare(other, store.read_audit(planned), candidates_of(options.backbone, other), asked, 0, planned)
    assert found.write_csv() == (planned / steps.SCORES).read_text()


def test_other_backbones_are_scored_on_a_planned_run_that_stays_as_it_is(
    tmp_path: Path, parts: list[str], planned: Path
) -> None:
    name, _, weights = parts[0].partition("=")
    source = pipeline.options_of(planned).source
    asked = pipeline.Options(source, backbone=name, weights=weights, settings=("input_size=32", "threads=1"))
    folder = pipeline.start(asked, tmp_path / "run")
    with pytest.raises(UserError, match="no finished step"):
        pipeline.backbones(folder, parts)
    pipeline.audit(folder)
    pipeline.plan(folder)
    assert not (folder / steps.SCORES).exists()
    before = (folder / store.PLAN).read_bytes()
    found = pipeline.backbones(folder, [*parts[1:], parts[0]])
    assert found["backbone"].to_list().count(name) == 1
    assert found.filter("default")["backbone"].to_list() == [name]
    assert (folder / store.PLAN).read_bytes() == before and store.current(folder, "plan")
    pipeline.plan(folder)
    assert not (folder / steps.SCORES).exists(), "a new plan that scores nothing keeps no scores"


def test_none_at_hand_is_one_line_with_every_reason(planned: Path, tmp_path: Path) -> None:
    source = pipeline.options_of(planned).source
    folder = pipeline.start(pipeline.Options(source, backbone="timm:resnet18,timm:resnet34"), tmp_path / "run")
    with pytest.raises(UserError, match=r"no backbone can be loaded \(timm:resnet18: .*timm:resnet34: "):
        pipeline.audit(folder)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"backbone": "timm:resnet18,timm:resnet34", "weights": "w.safetensors"}, "write SOURCE:NAME=FILE for each"),
        ({"settings": ("backbone=timm:resnet18,timm:resnet34",)}, "several candidates go to --backbone"),
        ({"backbone": "timm:resnet18,resnet"}, None),
    ],
)
def test_several_are_asked_for_in_one_way(changed: dict[str, object], said: str | None) -> None:
    options = pipeline.Options("set", **changed)  # type: ignore[arg-type]
    if said is None:
        assert firm(options).backbone == options.backbone, "what its library does not have is told by its name, later"
        return
    with pytest.raises(UserError, match=said):
        firm(options)


def test_a_lone_backbone_may_carry_its_file(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    file.touch()
    made = firm(pipeline.Options("set", backbone=f"timm:resnet18={file}"))
    assert (made.backbone, made.weights) == ("timm:resnet18", str(file))


def test_facts_know_the_scores(planned: Path) -> None:
    assert "candidates" in Facts.__dataclass_fields__ and steps.BACKBONES in steps.STEPS["deck"].reads
