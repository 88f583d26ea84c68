"""What a person asks for: settings and hand edits become decisions, and a mistake is one line that helps."""

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from instar import steps, store
from instar.errors import UserError
from instar.metrics import CHOOSING
from instar.plan.edits import absorb, apply, parse_setting
from instar.prepare.flipped import FLIP
from instar.records import Decision, Json, Plan

VALUES: dict[str, Json] = {
    "backbone": "timm:mobilenetv2_100",
    "weights": None,
    "grouping": "near",
    "exclude": [],
    "clean": [],
    "input_size": 224,
    "fit": "crop",
    "augment": ["random_resized_crop"],
    "metric": "accuracy",
    "decode": "argmax",
    "loss_weights": "none",
    "label_smoothing": 0.1,
    "dropout": 0.2,
    "batch_size": 32,
    "stages": [
        {"name": "head", "thaw": 0, "epochs": 1, "lr": 0.0, "layer_decay": 1.0},
        {"name": "top", "thaw": 3, "epochs": 5, "lr": 0.001, "layer_decay": 0.8},
        {"name": "all", "thaw": -1, "epochs": 2, "lr": 0.0005, "layer_decay": 0.7},
    ],
    "weight_decay": 0.05,
    "warmup": 0.1,
    "clip_norm": 1.0,
    "patience": 3,
    "precision": "fp32",
    "channels_last": False,
    "threads": 2,
    "seed": 0,
    "test_augment": [],
}
PLAN = Plan(tuple(Decision(k, v, "fixed", (), "So it is.", "our judgement") for k, v in VALUES.items()))
TEXTS = Plan(
    tuple(
        Decision(k, "head" if k == "fit" else [] if k == "augment" else v, "fixed", (), "So.", "x")
        for k, v in VALUES.items()
    )
)


def changed(settings: str | list[str]) -> Plan:
    settings = [settings] if isinstance(settings, str) else settings
    return apply(PLAN, dict(parse_setting(s) for s in settings))


@pytest.mark.parametrize(
    ("setting", "key", "value"),
    [
        ("lr=1e-4", "lr", 0.0001),
        ("lr=1E+2", "lr", 100.0),
        ("dropout=0.3", "dropout", 0.3),
        (" epochs = 3", "epochs", 3),
        ("weights=", "weights", None),
        ("weights=a=b.safetensors", "weights", "a=b.safetensors"),
        ("augment=[grayscale, color_jitter]", "augment", ["grayscale", "color_jitter"]),
        ("augment=grayscale", "augment", ["grayscale"]),
        ("exclude=suspect-labels", "exclude", ["suspect-labels"]),
        ("clean=", "clean", None),
        ("loss_weights=none", "loss_weights", "none"),
        ("channels_last=true", "channels_last", True),
    ],
)
def test_a_setting_is_read_as_yaml(setting: str, key: str, value: Json) -> None:
    assert parse_setting(setting) == (key, value)


@pytest.mark.parametrize("setting", ["lr", "=3", "augment=[", "x: y"])
def test_a_setting_that_is_none(setting: str) -> None:
    with pytest.raises(UserError, match="--set"):
        parse_setting(setting)


def test_a_setting_becomes_a_decision_and_the_old_one_stays() -> None:
    plan = changed(["dropout=0", "batch_size=8"])
    assert plan.decisions[: len(PLAN.decisions)] == PLAN.decisions
    added = plan.decisions[len(PLAN.decisions) :]
    assert [(d.field, d.value, d.basis) for d in added] == [
        ("dropout", 0.0, "asked"),
        ("batch_size", 8, "asked"),
    ]
    assert added[0].reason == "Asked for: dropout=0."
    assert isinstance(added[0].value, float)


def test_short_forms_reach_every_stage_that_thaws() -> None:
    plan = changed(["lr=1e-4", "epochs=7"])
    assert [(s.lr, s.epochs) for s in store.recipe_of(plan).stages] == [(0.0, 1), (0.0001, 7), (0.0001, 7)]
    assert len(plan.decisions) == len(PLAN.decisions) + 1
    assert plan.live()["stages"].reason == "Asked for: lr=0.0001, epochs=7."


def test_one_stage_by_name() -> None:
    plan = changed(["stages.top.thaw=5", "stages.top.layer_decay=0.5", "stages.all.epochs=9"])
    head, top, whole = store.recipe_of(plan).stages
    assert (head.lr, top.thaw, top.layer_decay, whole.epochs) == (0.0, 5, 0.5, 9)
    assert (head.thaw, top.lr, whole.lr) == (0, 0.001, 0.0005)


def test_a_part_of_stages_that_were_asked_for_too() -> None:
    stages = "stages=[{name: once, thaw: 1, epochs: 2, lr: 1e-3, layer_decay: 1}]"
    assert [s.epochs for s in store.recipe_of(changed([stages, "stages.once.epochs=4"])).stages] == [4]


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("learning_rate=1", "unknown key learning_rate"),
        ("drop_out=0.1", "did you mean dropout"),
        ("stages.tpo.lr=1", r"did you mean .*stages\.top\.lr"),
        ("stages.top.speed=1", "unknown key"),
        ("stages.top.name=x", "unknown key"),
        ("zzz=1", "known keys: .*batch_size"),
        ("lr=0", "more than 0"),
        ("lr=.nan", "more than 0"),
        ("lr=.inf", "more than 0"),
        ("lr=fast", "lr"),
        ("epochs=0", "1 or more"),
        ("epochs=1.5", "epochs"),
        ("batch_size=0", "1 or more"),
        ("batch_size=many", "batch_size"),
        ("dropout=1", "less than 1"),
        ("dropout=-0.1", "0 or more"),
        ("warmup=1", "less than 1"),
        ("clip_norm=0", "more than 0"),
        ("stages.top.thaw=-2", "-1"),
        ("stages.top.layer_decay=1.1", "at most 1"),
        ("stages.top.views=-1", "0 or more"),
        ("stages.all.views=2", "thaw=-1 freezes nothing; take views=0"),
        ("stages=[]", "must have a stage"),
        ("stages=fast", "stages"),
        ("stages=[{name: a, thaw: 1}]", "stages"),
        ("fit=head", "one of crop, pad, squash"),
        ("augment=[upside_down]", "one of random_resized_crop"),
        ("augment=3", r"must be a list, as in augment=\[3\]"),
        ("grouping=none", "one of exact, near"),
        ("grouping=exact", "start a new run with --set grouping=exact"),
        ("clean=mojibake", "no repair is known for images"),
        ("exclude=suspects", "one of suspect-labels"),
        ("decode=mean", "one of argmax, median"),
        ("decode=median", "ordered classes"),
        ("metric=f1", "one of accuracy"),
        ("loss_weights=square", "none, balanced"),
        ("precision=fp16", "fp32, bf16"),
        ("backbone=mobilenet", "SOURCE:NAME"),
        ("backbone=tim:mobilenet", "SOURCE:NAME"),
        ("threads=0", "1 or more"),
        ("seed=-1", "0 or more"),
        ("input_size=2", "8 or more"),
    ],
)
def test_a_mistake_is_one_line_that_helps(setting: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        changed(setting)
    assert "\n" not in str(caught.value)


ORDERED = Plan(tuple(replace(d, because=("ordered-labels",)) if d.field == "decode" else d for d in PLAN.decisions))


@pytest.mark.parametrize("metric", CHOOSING)
def test_a_metric_of_ordered_classes_wants_an_order(metric: str) -> None:
    assert apply(ORDERED, {"metric": metric}).live()["metric"].value == metric
    if metric == "quadratic_kappa":
        with pytest.raises(UserError, match=r"quadratic_kappa wants ordered classes.*use macro_f1"):
            apply(PLAN, {"metric": metric})
    else:
        assert apply(PLAN, {"metric": metric}).live()["metric"].value == metric


@pytest.mark.parametrize("setting", ["epochs=3", "lr=0.1", "layer_decay=0.5", "views=1"])
def test_what_would_do_nothing_in_a_solved_stage_is_refused(setting: str) -> None:
    field, _, value = setting.partition("=")
    with pytest.raises(UserError, match=rf"stages\.head\.{field}={value} would do nothing.*stages\.head\.thaw=1"):
        changed(f"stages.head.{setting}")
    thawing = changed(["stages.head.thaw=1", "stages.head.lr=0.1", f"stages.head.{setting}"])
    assert str(getattr(store.recipe_of(thawing).stages[0], field)) == value


def test_a_stage_that_thaws_needs_a_rate() -> None:
    with pytest.raises(UserError, match=r"stages\.head\.lr=0\.0 is out of range"):
        changed("stages.head.thaw=1")


def test_two_stages_of_one_name() -> None:
    stage = {"name": "a", "thaw": 1, "epochs": 1, "lr": 0.1, "layer_decay": 1.0}
    with pytest.raises(UserError, match="two stages are named a"):
        apply(PLAN, {"stages": [stage, stage]})


def test_texts_know_other_fits_and_no_augmentation() -> None:
    assert apply(TEXTS, {"fit": "ends"}).live()["fit"].value == "ends"
    with pytest.raises(UserError, match="head, ends"):
        apply(TEXTS, {"fit": "crop"})
    with pytest.raises(UserError, match="no augmentation"):
        apply(TEXTS, {"augment": ["grayscale"]})


def test_kept_views_are_asked_for_by_stage_and_differ_only_where_something_is_augmented() -> None:
    assert [stage.views for stage in store.recipe_of(PLAN).stages] == [0, 0, 0]  # a plan from before there were any
    assert [stage.views for stage in store.recipe_of(changed("stages.top.views=4")).stages] == [0, 4, 0]
    assert store.recipe_of(apply(TEXTS, {"stages.top.views": 1})).stages[1].views == 1
    with pytest.raises(UserError, match=r"stages\.top\.views=2, but nothing is augmented.*take views=1"):
        apply(TEXTS, {"stages.top.views": 2})
    with pytest.raises(UserError, match=r"learns from one view and there are 3; take views=3"):
        changed(["stages.top.epochs=3", "stages.top.views=4"])


def test_no_stage_to_reach() -> None:
    only_head = apply(PLAN, {"stages": [VALUES["stages"][0]]})
    with pytest.raises(UserError, match=r"stages\.NAME\.lr"):
        apply(only_head, {"lr": 0.1})


def test_an_untouched_block_changes_nothing(tmp_path: Path) -> None:
    store.write_plan(tmp_path, PLAN)
    assert absorb(*store.read_plan(tmp_path)) == PLAN


def test_a_hand_edit_becomes_a_decision_once(tmp_path: Path) -> None:
    store.write_plan(tmp_path, PLAN)
    path = tmp_path / steps.PLAN
    recipe, decisions = path.read_text().split("decisions:")
    recipe = recipe.replace("dropout: 0.2", "dropout: 0.4").replace("lr: 0.0005", "lr: 3e-4")
    path.write_text(f"{recipe}decisions:{decisions}")
    plan = absorb(*store.read_plan(tmp_path))
    assert [(d.field, d.basis) for d in plan.decisions[len(PLAN.decisions) :]] == [
        ("dropout", "asked"),
        ("stages", "asked"),
    ]
    assert store.recipe_of(plan).dropout == 0.4
    assert plan.live()["stages"].value[2]["lr"] == 0.0003
    store.write_plan(tmp_path, plan)
    assert absorb(*store.read_plan(tmp_path)) == plan


def test_numbers_written_otherwise_are_no_edit() -> None:
    block = {**VALUES, "clip_norm": 1, "dropout": "2e-1", "weight_decay": 5e-2}
    assert absorb(PLAN, block) == PLAN


def test_a_plan_of_an_older_version_lacks_what_it_never_decided() -> None:
    older = Plan(tuple(d for d in PLAN.decisions if d.field != "test_augment"))
    block = {k: v for k, v in VALUES.items() if k != "test_augment"}
    assert absorb(older, block) == older
    assert store.recipe_of(older).test_augment == ()


def test_keys_of_the_block() -> None:
    with pytest.raises(UserError, match=r"unknown key recipe\.drop_out; did you mean dropout"):
        absorb(PLAN, {**VALUES, "drop_out": 0.1})
    with pytest.raises(UserError, match=r"recipe\.seed is missing"):
        absorb(PLAN, {k: v for k, v in VALUES.items() if k != "seed"})
    decided = Plan((*PLAN.decisions, Decision("test_augment", [FLIP], "rule", (), "", "")))
    with pytest.raises(UserError, match=r"recipe\.test_augment is missing"):
        absorb(decided, {k: v for k, v in VALUES.items() if k != "test_augment"})
    block = deepcopy(VALUES)
    block["stages"][1]["speed"] = 1
    with pytest.raises(UserError, match=r"speed"):
        absorb(PLAN, block)
    with pytest.raises(UserError, match="dropout"):
        absorb(PLAN, {**VALUES, "dropout": "much"})
    with pytest.raises(UserError, match="recipe must hold"):
        absorb(PLAN, yaml.safe_load("recipe:")["recipe"])
