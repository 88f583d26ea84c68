"""Every finding moves a decision, or the plan says why it does not."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from instar import store
from instar.errors import UserError
from instar.modality.modalities import MODALITIES
from instar.plan import assemble, backbone, text
from instar.plan.consequences import OTHERWISE, REASONS, consequences
from instar.plan.describe import plan_md
from instar.plan.edits import absorb, apply
from instar.plan.rows import LEAVABLE, OPEN, leaving
from instar.records import (
    Audit,
    Card,
    Dataset,
    Decision,
    Finding,
    Group,
    InputSpec,
    Json,
    Measurements,
    Plan,
    Timing,
    Verdict,
)
from planted_worlds import PLANTED, World, in_class, pictures, texts

MACHINE = Measurements((Timing("fp32", False, 2, 300.0, 100.0),), "cpu", 2, 8.0)
GROUPS = tuple(Group(f"blocks.{i}", "trunk", (f"blocks.{i}",), 1000) for i in range(4))
CARDS = {
    "image": Card("timm:net", "Net", "image", InputSpec(224), GROUPS, 64, 9000, True, "a file"),
    "text": Card("hf:net", "Net", "text", InputSpec(64, tokenizer="hashed:5000"), GROUPS, 64, 9000, True, "a file"),
}
PROBED: dict[str, dict[str, Json]] = {
    "separability": {
        "backbone": "Net", "n": 306, "folds": 5, "accuracy": 0.8, "low": 0.75, "high": 0.85, "macro_f1": 0.8,
        "cheap_accuracy": 0.4, "cheap_low": 0.35, "cheap_high": 0.45, "majority": 0.33, "seconds": 1.0,
        "cheap": "TF-IDF", "cheap_balanced": 0.41, "cheap_balanced_high": 0.46, "balanced": 0.7, "balanced_low": 0.65,
        "balanced_high": 0.75, "balanced_majority": 0.25, "ratio": 1.2, "judged_by": "accuracy",
    },
    "learning-curve": {
        "points": [{"n": 50, "accuracy": 0.6}, {"n": 100, "accuracy": 0.7}, {"n": 200, "accuracy": 0.8}],
        "gain_if_doubled": 0.08, "low": 0.05, "high": 0.11, "accuracy": 0.8,
    },
    "confusable-classes": {"pairs": 1},
    "suspect-labels": {"suspects": 2, "share": 0.01, "n": 306, "worst_class": "ant"},
    "outliers": {"outliers": 1, "n": 306, "threshold": 3.0},
    "feature-twins": {"pairs": 1, "across_classes": 0, "across_splits": 1, "test_with_near_copy": 1, "class_pairs": []},
    "mirror": {
        "n": 306, "changed": 0.05, "accuracy": 0.8, "mirrored_accuracy": 0.79, "difference": -0.01, "low": -0.03,
        "high": 0.01, "swapped": [], "swap": 0.5,
    },
    "feature-map": {"explained": 0.5},
}  # fmt: skip
"""What the checks of frozen features give."""
CODES = {f.code for world in (pictures(), texts()) for f in world.audit().findings} | set(PROBED)


def probed(audit: Audit, modality: str, **changed: dict[str, Json]) -> Audit:
    """The audit with findings on frozen features."""
    nobody = pl.DataFrame({"id": []}, {"id": pl.String})
    more = [
        Finding(code, "note", "So it is.", {**evidence, **changed.get(code, {})}, nobody)
        for code, evidence in PROBED.items()
        if modality == "image" or code != "mirror"
    ]
    return Audit((*audit.findings, *more))


def make(data: Dataset, audit: Audit, asked: dict[str, Json] | None = None) -> Plan:
    modality, card = MODALITIES[data.modality], CARDS[data.modality]
    chosen = backbone.choose(data, [(card.backbone, "")], None)
    names, fits = tuple(modality.augmentations), modality.fits
    return assemble.make(data, audit, card, MACHINE, chosen, None, asked or {}, seed=0, augmentations=names, fits=fits)


@cache
def planted(name: str) -> tuple[Dataset, Audit, Plan]:
    world = PLANTED[name][0](0)
    data, audit = world.seal(), world.audit()
    return data, audit, make(data, audit)


def decided(world: World, field: str, audit: Audit | None = None) -> Decision:
    return make(world.seal(), audit or world.audit()).live()[field]


@pytest.mark.parametrize("name", PLANTED)
def test_what_was_found_has_a_consequence_or_a_reason(name: str) -> None:
    _, audit, plan = planted(name)
    told = consequences(plan, audit)
    named = {code for decision in plan.live().values() for code in decision.because}
    assert [c.code for c in told] == [f.code for f in audit.findings if f.verdict in OPEN or f.code in named]
    for code, touched, reason in told:
        assert bool(touched) != bool(reason), code
        assert all(code in plan.live()[name].because for name in touched)
        assert not reason or reason.startswith("no consequence, because ")


@pytest.mark.parametrize("name", PLANTED)
def test_decisions_rest_on_findings_that_exist(name: str) -> None:
    _, audit, plan = planted(name)
    codes = {f.code for f in audit.findings}
    for decision in plan.decisions:
        assert set(decision.because) <= codes
        assert decision.reason.endswith(".") and "  " not in decision.reason, decision


def test_every_code_is_named_by_a_rule_or_has_a_reason_not_to_be() -> None:
    plans = [planted(name)[2] for name in PLANTED]
    for world in (pictures(), texts()):
        plans.append(make(world.seal(), probed(world.audit(), world.modality)))
    few = pictures(dict.fromkeys(("ant", "bee", "cat"), 35))
    flat = probed(few.audit(), "image", **{"learning-curve": {"gain_if_doubled": 0.0, "low": -0.01, "high": 0.005}})
    plans.append(make(few.seal(), flat))
    solved = Finding("separability", "passed", "So it is.", {**PROBED["separability"], "low": 0.99})
    plans.append(make(few.seal(), Audit((*few.audit().findings, solved))))
    nearly = pictures().where(in_class("bee"), measure__grey=True).where(in_class("bee", 6), measure__grey=False)
    plans.append(make(nearly.seal(), nearly.audit()))
    named = {code for plan in plans for decision in plan.decisions for code in decision.because}
    assert named | set(REASONS) == CODES
    assert not named & set(REASONS)
    assert set(OTHERWISE) <= named


def test_findings_on_frozen_features_have_consequences_too() -> None:
    for world in (pictures(), texts(), replace(pictures(), ordered=True)):
        audit = probed(world.audit(), world.modality)
        told = {c.code: c for c in consequences(make(world.seal(), audit), audit)}
        assert set(PROBED) - set(told) <= {"mirror"}
        assert told["separability"].reason.startswith("no consequence, because the backbone is the first that can be")
        assert told["suspect-labels"].reason.endswith("--set exclude=suspect-labels")
    assert told["mirror"].reason.startswith("no consequence, because the names of the classes")


def test_a_finding_that_passed_and_moves_a_decision_is_told_too() -> None:
    world = pictures()
    audit = probed(world.audit(), "image")
    audit = Audit(tuple(replace(f, verdict="passed") if f.code == "mirror" else f for f in audit.findings))
    told = {c.code: c for c in consequences(make(world.seal(), audit), audit)}
    assert told["mirror"].fields == ("augment", "test_augment")


def test_a_finding_that_is_newer_than_the_plan_has_no_say_yet() -> None:
    _, audit, older = planted("mojibake")
    newer = Audit(tuple(replace(f, verdict="note") if f.code == "markup" else f for f in audit.findings))
    told = {c.code: c.reason for c in consequences(older, newer)}
    assert told["markup"] == "no consequence, because the plan is older than this finding; plan again"


def test_what_was_overruled_changed_nothing() -> None:
    world = PLANTED["mojibake"][0](0)
    audit = world.audit()
    plan = make(world.seal(), audit, {"clean": []})
    told = {c.code: c.reason for c in consequences(plan, audit)}
    assert told["mojibake"] == "no consequence, because clean, which rested on it, was asked for"


def test_the_page_tells_what_each_finding_changed() -> None:
    _, audit, plan = planted("mojibake")
    table = plan_md(plan, audit).split("## What each finding changed")[1].split("## ")[0]
    assert "| mojibake | issue | clean: mojibake |" in table
    _, audit, plan = planted("blurred picture")
    assert "| blur | note | no consequence, because rows are kept" in plan_md(plan, audit)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("mojibake", ["mojibake"]),
        ("rare mojibake", ["mojibake"]),
        ("markup", ["entities"]),
        ("trailing blank", ["whitespace"]),
        ("shouting", []),
        ("long class", []),
        ("another script", []),
        ("grey class", []),
    ],
)
def test_texts_are_repaired_where_something_is_broken(name: str, clean: list[str]) -> None:
    assert planted(name)[2].live()["clean"].value == clean


def test_one_text_holds_and_several_hold() -> None:
    one = pl.int_range(pl.len()) == 0
    garbled = decided(texts().where(one, measure__replacement=1), "clean")
    assert garbled.reason.startswith("1 text (0.28 %) holds characters of a wrong encoding")
    assert "texts (" in (said := planted("mojibake")[2].live()["clean"].reason) and "%) hold characters" in said
    found = planted("markup")[1]
    several, single = ({**found["markup"].evidence, "rows": n} for n in (2, 1))
    for evidence, start in ((several, "2 texts hold HTML entities"), (single, "1 text holds HTML entities")):
        changed = replace(found["markup"], evidence=evidence)
        assert text.clean(Audit(tuple(changed if f.code == "markup" else f for f in found.findings))).reason.startswith(
            start
        )
    typed = found["whitespace-label"]
    for traits, verb in ((["a leading blank"], "tells"), (["a leading blank", "a double blank"], "tell")):
        told = replace(typed, verdict="issue", evidence={**typed.evidence, "carrying": traits})
        made = text.clean(Audit(tuple(told if f.code == told.code else f for f in found.findings)))
        assert f"As {', '.join(traits)} {verb} the label, blanks are collapsed." in made.reason


def test_what_no_repair_takes_away_is_said() -> None:
    assert "capitals belong" in planted("shouting")[2].live()["clean"].reason
    assert "no repair takes that away" in planted("long class")[2].live()["clean"].reason
    for name in ("shouting", "long class"):
        assert not {"whitespace-label", "shortcuts"} & {
            code for code in planted(name)[2].live()["clean"].because if planted(name)[1][code].verdict in OPEN
        }


def marked(trait: str, *texts: str) -> Decision:
    """The repairs where such texts are found and a trait of theirs tells the label best."""
    audit = PLANTED["markup"][0](0).audit()
    rows = pl.DataFrame({"text": texts})
    told = Finding("shortcuts", "issue", "So it is.", {"best": trait, "classes_given_away": []})
    changed = {"markup": replace(audit["markup"], rows=rows), "shortcuts": told}
    return text.clean(Audit(tuple(changed.get(f.code, f) for f in audit.findings)))


def test_a_repair_takes_away_what_it_repairs_and_nothing_else() -> None:
    assert "best: the repairs take that away." in marked("entities", "fish &amp; chips").reason
    assert "but tags stay" in marked("entities", "fish &amp; chips", "so <br> long").reason
    assert "no repair takes that away" in marked("replacement", "fish &amp; chips").reason
    assert marked("entities", "fish &amp; chips").because == ("markup",)


def test_rows_are_grouped_as_they_were_opened() -> None:
    near = pictures().change(near_groups=3, rows_in_near_groups=7)
    assert decided(near, "grouping").value == "near" and "7 rows in 3 groups" in decided(near, "grouping").reason
    exact = pictures().change(grouping="exact", grouping_reason="grouping=exact was asked for")
    assert decided(exact, "grouping").value == "exact" and "asked for" in decided(exact, "grouping").reason
    assert "a copy of 2.0 % of its test images" in planted("twins")[2].live()["grouping"].reason
    assert planted("twins")[2].live()["grouping"].because == ("exact-twins",)
    assert decided(pictures(), "grouping").because == ()


def test_near_copies_that_are_not_kept_together_have_no_consequence() -> None:
    world = pictures().change(grouping="exact", grouping_reason="grouping=exact was asked for")
    audit = world.audit()
    found = [replace(f, verdict="note") if f.code == "near-twins" else f for f in audit.findings]
    told = {c.code: c for c in consequences(make(world.seal(), Audit(tuple(found))), Audit(tuple(found)))}
    assert told["near-twins"].fields == () and "not kept together here" in told["near-twins"].reason


def test_another_grouping_wants_another_run(tmp_path: Path) -> None:
    _, _, plan = planted("twins")
    assert apply(plan, {"grouping": "near"}).live()["grouping"].basis == "asked"
    with pytest.raises(UserError, match="start a new run with --set grouping=exact"):
        apply(plan, {"grouping": "exact"})
    store.write_plan(tmp_path, plan)
    path = tmp_path / store.PLAN
    path.write_text(path.read_text().replace("grouping: near", "grouping: exact", 1))
    with pytest.raises(UserError, match="start a new run"):
        absorb(*store.read_plan(tmp_path))


def test_doubtful_rows_are_kept_and_counted() -> None:
    for name in ("one text, two labels", "class of leftovers", "mojibake"):
        assert planted(name)[2].live()["exclude"].value == []
    conflicting = planted("one text, two labels")[2].live()["exclude"]
    assert conflicting.because == ()
    assert "2 rows by --set exclude=conflicting-labels" in conflicting.reason
    assert "make a set without it" in planted("class of leftovers")[2].live()["exclude"].reason
    world = pictures()
    audit = probed(world.audit(), "image")
    rows = world.seal().part("train", "val").select("id")
    suspects = [replace(f, rows=rows) if f.code == "suspect-labels" else f for f in audit.findings]
    excluded = decided(world, "exclude", Audit(tuple(suspects)))
    assert excluded.because == ()
    assert "Of 252 training rows would go: 252 rows by --set exclude=suspect-labels" in excluded.reason


def test_only_findings_about_examples_can_be_left_out() -> None:
    rows = {f.code: f.rows.columns for name in PLANTED for f in planted(name)[1].findings if f.verdict in OPEN}
    about = {code for code, columns in rows.items() if "id" in columns}
    kept = {"unreadable", "unlabelled", "exact-twins", "files"}
    assert about - kept == set(LEAVABLE) - set(PROBED)
    plan = apply(planted("mojibake")[2], {"exclude": ["mojibake", "suspect-labels"]})
    assert store.recipe_of(plan).exclude == ("mojibake", "suspect-labels")
    with pytest.raises(UserError, match="exclude=sizes"):
        apply(planted("mojibake")[2], {"exclude": ["sizes"]})


def test_the_median_is_for_ordered_classes() -> None:
    stars, plain = planted("stars")[2], planted("mojibake")[2]
    assert (stars.live()["decode"].value, plain.live()["decode"].value) == ("median", "argmax")
    assert stars.live()["decode"].because == ("ordered-labels",)
    assert store.recipe_of(apply(stars, {"decode": "argmax"})).decode == "argmax"
    with pytest.raises(UserError, match="ordered classes"):
        apply(plain, {"decode": "median"})


def test_repairs_are_for_texts() -> None:
    assert store.recipe_of(apply(planted("stars")[2], {"clean": ["whitespace"]})).clean == ("whitespace",)
    with pytest.raises(UserError, match="one of mojibake, entities, whitespace"):
        apply(planted("stars")[2], {"clean": ["spelling"]})
    with pytest.raises(UserError, match="no repair is known for images"):
        apply(planted("twins")[2], {"clean": ["mojibake"]})


@pytest.mark.parametrize(
    ("mirrored", "low", "high", "flips"),
    [(0.79, -0.03, 0.01, True), (0.7, -0.13, -0.07, False), (0.79, -0.02, -0.005, True), (0.9, 0.07, 0.13, True)],
)
def test_a_mirror_is_tried_before_it_is_used(mirrored: float, low: float, high: float, flips: bool) -> None:
    world = pictures()
    evidence = {"mirrored_accuracy": mirrored, "low": low, "high": high}
    made = decided(world, "augment", probed(world.audit(), "image", mirror=evidence))
    assert ("horizontal_flip" in made.value) is flips
    assert made.basis == "measured" and "mirror" in made.because


def test_one_class_that_surely_turns_forbids_a_mirror() -> None:
    world = pictures()
    swap: dict[str, Json] = {"class": "ant", "into": "bee", "right": 16, "turned": 15, "surely": 0.55}
    made = decided(world, "augment", probed(world.audit(), "image", mirror={"swapped": [swap]}))
    assert "horizontal_flip" not in made.value and "mirror" in made.because
    assert "“ant” becomes “bee” in 15 of 16 pictures" in made.reason


def test_names_of_sides_and_order_forbid_a_mirror_whatever_was_measured() -> None:
    hands = pictures({"left hand": 120, "right hand": 120})
    for world in (hands, replace(pictures(), ordered=True)):
        made = decided(world, "augment", probed(world.audit(), "image"))
        assert "horizontal_flip" not in made.value
        assert made.basis == "rule" and "mirror" not in made.because


def test_grey_copies_where_grey_gives_a_class_away() -> None:
    assert "grayscale" in planted("grey class")[2].live()["augment"].value
    assert "grayscale" not in planted("some grey")[2].live()["augment"].value
    assert "grayscale" not in planted("dark class")[2].live()["augment"].value
    nearly = pictures().where(in_class("bee"), measure__grey=True).where(in_class("bee", 6), measure__grey=False)
    assert not nearly.audit()["colour"].evidence["grey_classes"]
    made = decided(nearly, "augment")
    assert "grayscale" in made.value and "shortcuts" in made.because
    assert "no augmentation here takes that away" in planted("dark class")[2].live()["augment"].reason


def test_the_fit_says_what_becomes_of_a_shape_that_tells_the_class() -> None:
    cropped = decided(pictures().where(in_class("bee"), measure__width=330), "fit")
    assert (cropped.value, cropped.because) == ("crop", ("sizes",))
    assert "hardly to be seen" in cropped.reason
    padded = planted("class of another size")[2].live()["fit"]
    assert (padded.value, padded.because) == ("pad", ("sizes",))
    assert "--set fit=crop" in padded.reason
    assert planted("dark class")[2].live()["fit"].because == ("sizes",)


def test_the_length_is_that_of_the_tokens_after_the_repairs() -> None:
    broken = " itï¿½ï¿½ï¿½ï¿½ï¿½ï¿½ï¿½ï¿½ï¿½s"
    junk = pl.when(pl.int_range(pl.len()) % 6 == 0).then(pl.col("input") + broken * 4).otherwise("input")
    world = texts().change(junk.alias("input"))
    damaged = world.where(pl.int_range(pl.len()) % 6 == 0, measure__replacement=36)
    ignored, repaired = (decided(w, "input_size") for w in (world, damaged))
    assert (ignored.value, repaired.value) == (64, 32)
    assert repaired.basis == "measured" and "None of these is cut" in repaired.reason


def test_frozen_features_tell_what_the_backbone_is_worth() -> None:
    world = pictures()
    audit = world.audit()

    def told(verdict: Verdict) -> Decision:
        tried = Finding("separability", verdict, "So it is.", PROBED["separability"])
        return decided(world, "backbone", Audit((*audit.findings, tried)))

    assert told("passed").because == ()
    assert "40.0 % for TF-IDF: what was learnt elsewhere serves here." in told("passed").reason
    assert "it is not sure" in told("note").reason
    assert "not surely better than always the largest class (33.0 %)" in told("issue").reason
    assert "frozen features" not in told("skipped").reason
    uneven = Finding("separability", "issue", "", {**PROBED["separability"], "judged_by": "balanced accuracy"})
    reason = decided(world, "backbone", Audit((*audit.findings, uneven))).reason
    assert "gets 70.0 % right on the mean over the classes" in reason and "always the largest class (25.0 %)" in reason
    assert "against 41.0 % for TF-IDF" in reason


def test_rows_left_out_of_the_training_are_not_counted() -> None:
    world = pictures(dict.fromkeys(("ant", "bee", "cat"), 40))
    data = world.seal()
    train = data.part("train")
    some = train.filter(pl.int_range(pl.len()).over("label") < 10)["id"]
    audit = Audit((*world.audit().findings, Finding("outliers", "note", "So.", {}, pl.DataFrame({"id": some}))))
    stages = [make(data, audit, asked).live()["stages"].reason for asked in ({}, {"exclude": ["outliers"]})]
    rest = train.height - leaving(audit["outliers"], train).height
    assert rest < train.height
    for reason, n in zip(stages, (train.height, rest), strict=True):
        assert f"An epoch of {n} examples" in reason and f"{round(n / 3)} training images a class" in reason
