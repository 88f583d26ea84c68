"""What is asked for is checked before the work that it would spoil, and taken in once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from instar import pipeline, store
from instar.errors import UserError
from instar.modality.modalities import MODALITIES
from instar.pipeline import choosing, networks
from instar.pipeline.options import OF_THE_FEED, Options, same_network, wishes
from instar.plan import edits, measure
from instar.plan.input_size import fit
from instar.records import Audit, Json, Measurements, Timing
from test_plan_rules import READER
from test_portable import encoder, pictures, reviews, small_timm

SMALL = ("epochs=1", "batch_size=8", "threads=1")


@pytest.fixture(scope="module", autouse=True)
def hasty() -> Iterator[None]:
    """Page and speed take seconds, and nothing here looks at them."""
    speed = Measurements((Timing("fp32", False, 1, 100.0, 100.0),), "cpu", 1, 1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("instar.report.build.write_report", lambda folder, **_: folder)
        patch.setattr("instar.report.build.told_again", lambda folder, **_: True)
        patch.setattr(measure, "measure", lambda *_, **__: speed)
        yield


def asked(folder: Path, *settings: str, **more: Any) -> Options:
    source = folder / "reviews.csv"
    if not source.exists():
        reviews(source)
    return Options(str(source), **{"backbone": "scratch:words", "settings": (*SMALL, *settings), **more})


@pytest.fixture(scope="module")
def planned(hasty: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planned")
    run = pipeline.start(asked(folder, "input_size=32.0"), folder / "run")
    pipeline.audit(run)
    pipeline.plan(run)
    return run


# --- values ---


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("input_size=abc", r"input_size=abc: .*integer"),
        ("input_size=224.5", r"input_size=224\.5: .*integer"),
        ("input_size=-5", "8 or more"),
        ("clean=3", r"must be a list, as in clean=\[3\]"),
        ("clean=", r"must be a list, as in clean=\[\]"),
        ("clean=mojibak", "did you mean mojibake"),
        ("exclude=suspects", "did you mean suspect-labels"),
        ("fit=ball", "known keys: crop, pad, squash, head, ends"),
        ("epochs=0", "1 or more"),
        ("lr=0", "more than 0"),
        ("stages.top.thaw=-2", "must be -1"),
        ("stages.top.lr=fast", "valid number"),
        ("stages=[{name: a}]", "--set stages"),
        ("weights=5", "valid string"),
        ("backbone=3", "--set backbone=3"),
    ],
)
def test_a_value_that_no_plan_can_have_is_refused_before_anything_is_opened(
    setting: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=says) as caught:
        pipeline.start(asked(tmp_path, setting), tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("key", "value", "typed"),
    [
        ("input_size", 224.0, 224),
        ("clean", ["mojibake"], ["mojibake"]),
        ("stages.head.lr", 0, 0.0),
        ("lr", 1, 1.0),
        ("weights", None, None),
        (
            "stages",
            [{"name": "a", "thaw": 1, "epochs": 1, "lr": "1e-3", "layer_decay": 1}],
            [{"name": "a", "thaw": 1, "epochs": 1, "lr": 0.001, "layer_decay": 1.0, "views": 0}],
        ),
    ],
)
def test_a_value_takes_the_form_that_a_recipe_has(key: str, value: Json, typed: Json) -> None:
    found = edits.fitting(key, value)
    assert (found, type(found)) == (typed, type(typed))


def test_a_size_written_as_a_fraction_is_a_whole_number_in_the_plan(planned: Path) -> None:
    assert wishes(planned)[1]["input_size"] == 32
    assert isinstance(store.read_plan(planned)[0].live()["input_size"].value, int)


# --- networks ---


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"backbone": "timm:mobilenetv2_10"}, "timm has no network 'mobilenetv2_10'; it has .*mobilenetv2_100"),
        ({"backbone": "torchvision:mobilenet_v5"}, "torchvision has no network 'mobilenet_v5'; it has mobilenet_v"),
        ({"backbone": "scratch:timm/mobilenetv2_10"}, "scratch:timm/mobilenetv2_10: timm has no network"),
        ({"backbone": "scratch:wurds"}, "scratch has no network 'wurds'"),
        ({"backbone": "hf:./nowhere/at/all"}, "hf has no network"),
        ({"backbone": None, "weights": "w.safetensors"}, "--weights w.safetensors needs --backbone"),
        ({"backbone": None, "settings": ("weights=w.safetensors",)}, "--weights w.safetensors needs --backbone"),
        ({"weights": "nowhere.safetensors"}, "nowhere.safetensors does not exist"),
    ],
)
def test_a_network_that_there_is_not_is_refused_before_anything_is_opened(
    more: dict[str, Any], says: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=says):
        pipeline.start(asked(tmp_path, **more), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("field", OF_THE_FEED)
def test_features_of_another_feed_are_not_those_of_the_plan(field: str) -> None:
    value = {"fit": "ends", "clean": "mojibake", "precision": "bf16", "channels_last": "true"}.get(field, "16")
    before, after = Options("x"), Options("x", settings=(f"{field}={value}",))
    assert not same_network(before, after)
    assert same_network(before, Options("x", settings=("epochs=3",)))


def test_a_size_above_the_limit_is_no_reason_for_another_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = store.read_dataset(pipeline.start(asked(tmp_path), tmp_path / "run"))
    first = f"hf:{encoder(tmp_path / 'encoder')}"
    kinds = {**MODALITIES}
    kinds["text"] = replace(kinds["text"], backbones=(first, "scratch:words"))
    monkeypatch.setattr(choosing, "MODALITIES", kinds)
    with pytest.raises(UserError, match="takes at most 32 tokens, not 64"):
        choosing.choose_backbone(dataset, None, Options("x"), 64)
    decision, network = choosing.choose_backbone(dataset, None, Options("x"), 16)
    assert (decision.value, network.card.backbone) == (first, first)


def test_a_size_that_a_network_cannot_take_is_one_line(tmp_path: Path) -> None:
    dataset = store.read_dataset(pipeline.start(Options(str(pictures(tmp_path / "data"))), tmp_path / "run"))
    with pytest.raises(UserError, match=r"scratch:torchvision/vit_b_16 does not take input_size=200 \(.*\); ask for"):
        choosing.choose_backbone(dataset, "scratch:torchvision/vit_b_16", Options("x"), 200)
    with pytest.raises(UserError, match="network for texts"):
        networks.load("scratch:words", None, dataset, dropout=0.0, seed=0, input_size=32)


def test_what_was_asked_for_and_cannot_be_had_is_said_before_the_audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> Audit:
        raise AssertionError("the audit has begun")

    monkeypatch.setattr("instar.pipeline.data.run_checks", never)
    small_timm(tmp_path / "w.safetensors")
    options = Options(
        str(pictures(tmp_path / "data")), backbone="timm:mobilenetv2_100", weights=str(tmp_path / "w.safetensors")
    )
    with pytest.raises(UserError, match="does not fit timm:mobilenetv2_100"):
        pipeline.audit(pipeline.start(options, tmp_path / "run"))


# --- the plan ---


def test_what_is_asked_for_again_changes_nothing(planned: Path) -> None:
    pipeline.ask(planned, ["weight_decay=0.2", "lr=1e-3"])
    before, steps = (planned / store.PLAN).read_bytes(), store.read_machine(planned)["steps"]
    pipeline.ask(planned, ["weight_decay=0.2", "lr=0.001"])
    assert (planned / store.PLAN).read_bytes() == before
    assert store.read_machine(planned)["steps"] == steps
    pipeline.ask(planned, ["weight_decay=0.3"])
    assert (planned / store.PLAN).read_bytes() != before


def test_only_the_step_plan_puts_a_broken_plan_aside(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = planned / store.PLAN
    good = path.read_bytes()
    path.write_bytes(good.decode().replace("recipe:", "recipe: [", 1).encode())
    broken = path.read_bytes()
    pipeline.audit(planned)
    assert "the plan cannot be read" in capsys.readouterr().err
    assert path.read_bytes() == broken
    pipeline.plan(planned)
    assert (planned / "3-plan/plan.broken.yaml").read_bytes() == broken
    assert yaml.safe_load(path.read_text())["recipe"]["input_size"] == 32


def test_a_plan_in_another_encoding_is_one_line(planned: Path) -> None:
    path = planned / store.PLAN
    good = path.read_bytes()
    path.write_bytes(good.decode().encode("utf-16"))
    with pytest.raises(UserError, match=r"plan\.yaml is not UTF-8 text .*; save it as UTF-8"):
        store.read_plan(planned)
    path.write_bytes(good)


@pytest.mark.parametrize(
    ("length", "size", "value", "says"),
    [
        (100, None, "head", ""),
        (100, 64, "ends", "64 tokens asked for"),
        (100, 128, "head", ""),
        (900, None, "ends", "reads"),
    ],
)
def test_texts_longer_than_the_asked_size_keep_both_ends(length: int, size: int | None, value: str, says: str) -> None:
    decision = fit(Audit(()), READER, ("head", "ends"), np.full(50, length), size)
    assert decision.value == value
    assert says in decision.reason
