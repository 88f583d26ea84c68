"""What rests on frozen features: single faults among clouds of points are found, and nothing is where nothing is."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from PIL import Image

from frozen_worlds import (
    CLEAN,
    NOISE,
    PLANTED,
    Cloud,
    cloud,
    copied,
    far,
    hopeless,
    overlapping,
    related,
    repeated,
    swapped,
    swapped_among_overlapping,
)
from instar import store
from instar.audit import frozen_far, frozen_labels, frozen_probe
from instar.audit.association import FOLDS
from instar.audit.check import run_checks
from instar.audit.frozen import Mirrored, mean_interval, share_interval
from instar.audit.frozen_checks import FROZEN_CHECKS, run_frozen, skipped
from instar.audit.frozen_confusable import confusable_classes
from instar.audit.frozen_curve import _ahead, learning_curve
from instar.audit.frozen_labels import suspect_labels
from instar.audit.frozen_map import feature_map
from instar.audit.frozen_mirror import mirror
from instar.audit.frozen_near import AROUND, NEIGHBOURS, copies, scan
from instar.audit.frozen_outliers import outliers
from instar.audit.frozen_probe import bearable, crossfit, drawn, fit, folds_of
from instar.audit.frozen_separability import balanced_interval, separability
from instar.audit.frozen_twins import feature_twins
from instar.audit.wording import percent
from instar.modality.modalities import MODALITIES
from instar.pipeline import data
from instar.pipeline.frozen import frozen_findings
from instar.pipeline.options import Options
from instar.records import Audit, Dataset, Finding

QUIET = {"passed", "not applicable"}
SLOW = {"feature-map"}
"""Never loud, and seconds of work: looked at in one world."""


@cache
def found(make: Callable[[int], Cloud], seed: int = 0) -> dict[str, Finding]:
    frozen = make(seed).frozen()
    return {code: check(frozen) for code, check in FROZEN_CHECKS.items() if code not in SLOW}


def loud(findings: dict[str, Finding]) -> dict[str, str]:
    return {c: f.verdict for c, f in findings.items() if f.verdict not in QUIET and c not in NOISE}


def listed(finding: Finding) -> set[int]:
    columns = [c for c in ("id", "other_id") if c in finding.rows.columns]
    return {int(i[1:]) for c in columns for i in finding.rows[c].to_list()}


# --- planted worlds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLEAN)
def test_nothing_is_found_in_a_clean_world(name: str) -> None:
    assert loud(found(CLEAN[name])) == {}


@pytest.mark.parametrize("name", PLANTED)
def test_the_planted_fault_is_found_and_nothing_else(name: str) -> None:
    make, expected = PLANTED[name]
    assert loud(found(make)) == expected


@pytest.mark.parametrize("seed", range(4))
def test_swapped_labels_are_told_from_classes_that_overlap(seed: int) -> None:
    for make, least in ((swapped, 0.5), (swapped_among_overlapping, 0.3)):
        world = make(seed)
        rows = listed(suspect_labels(world.frozen()))
        assert len(rows & world.planted) >= least * len(world.planted)
        assert len(rows - world.planted) <= 0.2 * len(rows)
    assert len(listed(suspect_labels(overlapping(seed).frozen()))) <= 1


def test_suspects_are_ranked_and_suggest_the_true_label() -> None:
    world = swapped(2)
    finding = suspect_labels(world.frozen())
    rows = finding.rows
    assert rows["own"].is_sorted()
    clean = cloud(2).labels
    for row in rows.iter_rows(named=True):
        assert row["suggested"] == f"class {clean[int(row['id'][1:])]}" != row["label"]
    assert finding.evidence["suspects"] == rows.height
    assert finding.evidence["share"] == pytest.approx(rows.height / finding.evidence["n"], abs=1e-6)


def test_the_confident_joint_is_cleanlabs() -> None:
    """The candidates are those of cleanlab's own confident joint, where that library is at hand."""
    count = pytest.importorskip("cleanlab.count")
    frozen = swapped_among_overlapping(1).frozen()
    labels = frozen.labels[frozen.known]
    ours = frozen_labels.candidates(frozen.probe.probabilities, labels)
    _, theirs = count.compute_confident_joint(
        labels, frozen.probe.probabilities, calibrate=False, return_indices_of_off_diagonals=True
    )
    assert set(np.flatnonzero(ours)) == {i for i in theirs if frozen.answers[i] != labels[i]}


def test_far_points_and_only_they_are_listed() -> None:
    world = far()
    finding = outliers(world.frozen())
    assert listed(finding) == world.planted
    assert (finding.rows["distance"] > finding.evidence["threshold"]).all()


def test_near_copies_are_listed_with_their_splits() -> None:
    world = copied()
    finding = feature_twins(world.frozen())
    assert listed(finding) == world.planted
    assert finding.evidence["pairs"] == finding.evidence["test_with_near_copy"] == 8
    assert finding.rows.select(pl.sum_horizontal(pl.col("label", "other_label").is_null())).sum().item() == 8
    assert feature_twins(repeated().frozen()).rows.is_empty()


def test_the_search_for_copies_is_exact() -> None:
    world = copied(3)
    near = scan(world.points, world.labels, world.classes)
    centred = world.points - world.points.mean(0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    apart = 1 - unit @ unit.T
    np.fill_diagonal(apart, np.inf)
    np.testing.assert_allclose(near.distances, np.sort(apart, axis=1)[:, :NEIGHBOURS], atol=1e-5)
    for c in range(world.classes):
        np.testing.assert_allclose(near.by_class[:, c], apart[:, world.labels == c].min(1), atol=1e-5)
    pairs, distances = copies(near)
    assert (pairs[:, 0] < pairs[:, 1]).all() and (distances >= 0).all()


def test_classes_that_lie_together_are_named() -> None:
    assert feature_twins(related().frozen()).evidence["class_pairs"] == [["class 0", "class 1"]]
    assert feature_twins(cloud().frozen()).evidence["class_pairs"] == []


def test_a_mirror_that_swaps_classes_is_noticed_and_a_harmless_one_is_not() -> None:
    finding = mirror(replace(cloud(), mirrored=1.0).frozen())
    assert {"class 0": "class 1"}.items() <= {s["class"]: s["into"] for s in finding.evidence["swapped"]}.items()
    assert finding.evidence["high"] < -0.5
    plain = mirror(cloud().frozen())
    assert plain.verdict == "passed" and plain.evidence["changed"] < 0.02
    assert mirror(replace(cloud().frozen(), mirrored=None)).verdict == "not applicable"


@pytest.mark.parametrize("both", [True, False])
def test_one_class_of_many_that_surely_turns_is_an_issue(both: bool) -> None:
    """Among forty classes one or two that a mirror swaps hardly move the mean."""
    frozen = cloud(classes=40, each=20).frozen()
    assert frozen.mirrored is not None
    labels = frozen.labels[frozen.known]
    places = np.arange(len(labels))
    answers = frozen.answers.copy()
    answers[labels == 0] = 1
    answers[(labels == 1) & both] = 0
    finding = mirror(replace(frozen, mirrored=Mirrored(places, answers)))
    assert finding.verdict == "issue" and finding.evidence["high"] > -0.06
    assert [s["class"] for s in finding.evidence["swapped"]] == ["class 0", "class 1"][: 1 + both]
    assert "“class 0” becomes “class 1” in 16 of 16 pictures" in finding.sentence
    rng = np.random.default_rng(0)
    tossed = np.where((labels < 2) & (rng.random(len(labels)) < 0.5), 1 - labels, frozen.answers)
    assert mirror(replace(frozen, mirrored=Mirrored(places, tossed))).evidence["swapped"] == []


def test_many_copies_of_one_thing_are_near_copies_too() -> None:
    """Thirty variants of one point: the nearest twenty of each are copies, and are no measure of what is around."""
    world = cloud()
    own = np.flatnonzero(world.labels == 0)[:30]
    points = world.points.copy()
    points[own] = points[own[0]] + np.random.default_rng(1).normal(0, 0.05, (30, points.shape[1]))
    rows = feature_twins(replace(world, points=points).frozen()).rows
    assert rows.height == 30 * 29 / 2
    assert listed(feature_twins(replace(world, points=points).frozen())) == set(own.tolist())
    assert AROUND + 30 <= NEIGHBOURS


def test_a_share_of_the_test_part_counts_its_rows() -> None:
    world = copied()
    frozen = world.frozen()
    leaking = feature_twins(frozen).evidence["test_with_near_copy"]
    twins = frozen.twins.copy()
    of_test = np.flatnonzero(world.test)
    copy = next(i for i in of_test.tolist() if i in world.planted)
    others = [i for i in of_test.tolist() if i not in world.planted][:3]
    points = frozen.features.copy()
    points[others], twins[others] = points[copy], twins[copy]
    evidence = feature_twins(replace(frozen, features=points, twins=twins)).evidence
    assert evidence["test_with_near_copy"] == leaking + 3
    assert evidence["test_share"] == pytest.approx((leaking + 3) / len(of_test), abs=1e-6)


def test_the_share_of_the_test_part_with_a_near_copy_is_said() -> None:
    held = int(copied().test.sum())
    share = percent(round(8 / held, 6))
    assert f"; 8 test images ({share}) have such a copy in train or val" in feature_twins(copied().frozen()).sentence
    apart = feature_twins(copied(across=False).frozen())
    assert apart.evidence["pairs"] == 8 and apart.evidence["test_share"] == 0
    assert "; no test image has such a copy in train or val" in apart.sentence


def test_uneven_classes_are_judged_by_the_mean_over_the_classes() -> None:
    """A probe that always says the large class is right in 99.5 %, and tells nothing."""
    frozen = hopeless(1).frozen()
    known = frozen.known
    labels = frozen.labels.copy()
    labels[known] = 0
    labels[known[:6]] = 1
    says = np.zeros_like(frozen.probe.probabilities)
    says[:, 0] = 1
    always = replace(frozen, labels=labels, cheap=None, probe=replace(frozen.probe, probabilities=says))
    finding = separability(always)
    assert finding.evidence["accuracy"] > 0.98 and finding.evidence["judged_by"] == "balanced accuracy"
    assert (finding.evidence["balanced"], finding.verdict) == (0.5, "issue")
    assert "always the largest" in finding.sentence and "guess" not in finding.sentence
    assert "none of its 6 is found" in finding.sentence
    even = separability(cloud().frozen()).evidence
    assert even["judged_by"] == "accuracy" and even["balanced"] == pytest.approx(even["accuracy"], abs=0.01)


def test_the_interval_of_the_mean_over_the_classes_covers() -> None:
    """In 400 draws of small classes and large ones it holds the true mean about 19 times in 20."""
    rng, truth, sizes = np.random.default_rng(0), np.array([0.9, 0.6, 0.97]), (15, 40, 400)
    labels = np.repeat(np.arange(3), sizes)
    held = 0
    for _ in range(400):
        mean, low, high = balanced_interval(rng.random(len(labels)) < truth[labels], labels, np.arange(len(labels)))
        assert low <= mean <= high
        held += low <= truth.mean() <= high
    assert 0.92 <= held / 400 <= 0.99


def test_folds_that_keep_exact_copies_alone_are_named() -> None:
    assert (
        "Only exact copies were kept in one fold" in separability(replace(cloud().frozen(), grouping="exact")).sentence
    )
    assert "Only exact" not in separability(cloud().frozen()).sentence


def test_no_more_is_foretold_than_the_last_doubling_gave() -> None:
    curves = np.array([[0.45, 0.75, 0.8, 0.8], [0.5, 0.8, 0.95, 0.98], [0.5, 0.6, 0.68, 0.74], [0.8, 0.7, 0.6, 0.5]])
    ahead = _ahead(curves)
    assert ahead[0] == 0 and ahead[3] == 0
    assert ahead[1] == pytest.approx(0.01)
    assert 0.03 < ahead[2] < 0.06
    assert (ahead <= np.maximum(np.diff(curves)[:, -1], 0)).all()


def test_an_eighth_of_tiny_classes_cannot_be_taken() -> None:
    finding = learning_curve(cloud(each=10).frozen())
    assert finding.verdict == "skipped" and "fewer than 8 groups" in finding.sentence
    assert learning_curve(cloud(each=15).frozen()).verdict != "skipped"


def test_outliers_are_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
        calls.append(len(features))
        return frozen_far.unusual(features, labels)

    monkeypatch.setattr("instar.audit.frozen.unusual", counted)
    world = swapped().frozen()
    suspect_labels(world)
    outliers(world)
    assert calls == [len(world.known)]


def test_no_head_learns_from_more_than_it_can_bear(monkeypatch: pytest.MonkeyPatch) -> None:
    world = cloud()
    assert bearable(world.labels, 32, 8).all()
    monkeypatch.setattr(frozen_probe, "WORK", 32 * 8 * 160)
    may = bearable(world.labels, 32, 8)
    assert may.sum() == 200 and np.ptp(np.bincount(world.labels[may])) <= 1
    fitted = crossfit(world.points, world.labels, folds_of(world.labels, world.twins), 8, strength=10.0)
    assert (fitted.learnt == may).all() and (fitted.probabilities.argmax(1) == world.labels).mean() > 0.95


def test_labels_that_have_nothing_to_do_with_the_features() -> None:
    frozen = hopeless().frozen()
    assert separability(frozen).verdict == "issue"
    assert confusable_classes(frozen).verdict == "passed"


def test_more_data_help_as_much_as_foretold() -> None:
    """Over some worlds the gain that is foretold is the one that comes with twice as many points."""
    foretold, came = [], []
    for seed in range(6):
        small, large = (learning_curve(cloud(seed, apart=3.2, each=each).frozen()).evidence for each in (30, 60))
        assert small["points"][0]["accuracy"] < small["accuracy"] and small["low"] <= small["gain_if_doubled"]
        foretold.append(small["gain_if_doubled"])
        came.append(large["accuracy"] - small["accuracy"])
    assert np.mean(foretold) > 0.01
    assert np.mean(foretold) == pytest.approx(np.mean(came), abs=0.03)
    easy = learning_curve(cloud().frozen())
    assert easy.verdict == "passed" and easy.evidence["high"] < 0.01


# --- the parts ----------------------------------------------------------------------------------------------


def test_folds_hold_whole_groups_and_all_classes() -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 150, 600)
    labels = groups % 4
    folds = folds_of(labels, groups)
    assert all(len(set(folds[groups == g])) == 1 for g in set(groups))
    for c in range(4):
        sizes = [len(set(groups[(labels == c) & (folds == f)])) for f in range(FOLDS)]
        assert max(sizes) - min(sizes) <= 1
    assert np.array_equal(folds, folds_of(labels, groups))


def test_a_head_knows_only_what_it_has_seen() -> None:
    world = cloud(classes=4)
    two = world.labels < 2
    head = fit(world.points[two], world.labels[two], 4, 10.0)
    told = head.probabilities(world.points)
    assert np.allclose(told.sum(1), 1) and not told[:, 2:].any()
    assert (told[two].argmax(1) == world.labels[two]).all()
    one = fit(world.points[world.labels == 3], world.labels[world.labels == 3], 4, 10.0)
    assert (one.probabilities(world.points) == [0, 0, 0, 1]).all()


def test_intervals_of_groups_are_wider() -> None:
    right = np.repeat(np.random.default_rng(0).random(100) < 0.8, 5)
    alone, grouped = np.arange(500), np.repeat(np.arange(100), 5)
    narrow, wide = share_interval(right, alone), share_interval(right, grouped)
    assert wide[0] < narrow[0] < right.mean() < narrow[1] < wide[1]
    assert share_interval(np.ones(50, dtype=bool), np.arange(50))[0] == pytest.approx(0.9287, abs=1e-3)  # Wilson
    mean, low, high = mean_interval(right.astype(float), grouped)
    assert low < mean < high


def test_what_is_drawn_keeps_the_shares_of_the_classes() -> None:
    labels = np.repeat([0, 1, 2], [600, 300, 100])
    at = drawn(labels, 100)
    assert np.bincount(labels[at]).tolist() == pytest.approx([60, 30, 10], abs=1)
    assert np.array_equal(drawn(labels[:50], 100), np.arange(50))


def test_the_map_is_the_same_every_time_and_keeps_classes_together() -> None:
    frozen = cloud(each=15).frozen()
    rows = feature_map(frozen).rows
    assert rows.equals(feature_map(frozen).rows)
    assert set(rows["id"]) == {frozen.ids[i] for i in frozen.known}
    x, y, names = rows["x"].to_numpy(), rows["y"].to_numpy(), rows["label"].to_numpy()
    apart = np.hypot(x[:, None] - x, y[:, None] - y) + np.diag(np.full(len(x), np.inf))
    assert (names[apart.argmin(1)] == names).mean() > 0.95


# --- what is said -------------------------------------------------------------------------------------------


def figures(value: Any) -> set[str]:
    """Every way in which a figure of the evidence may stand in a sentence, as strings of digits."""
    if isinstance(value, dict):
        return set().union(*(figures(part) for part in (*value, *value.values())))
    if isinstance(value, list | tuple):
        return set().union(*(figures(part) for part in value))
    if isinstance(value, bool) or value is None:
        return set()
    if isinstance(value, str):
        return set(re.findall(r"\d+(?:[.,]\d+)*", value))
    value = abs(value)
    shown = {f"{value:,}", f"{value:.1f}", f"{value:.2f}"}
    return shown | {percent(value).removesuffix(" %"), f"{100 * value:.1f}"} if isinstance(value, float) else shown


@pytest.mark.parametrize("make", [cloud, overlapping, *(make for make, _ in PLANTED.values())])
def test_sentences_hold_no_figure_without_evidence(make: Callable[[int], Cloud]) -> None:
    for code, finding in found(make).items():
        said = set(re.findall(r"\d+(?:[.,]\d+)*", finding.sentence))
        assert said - figures(finding.evidence) <= {"95", "5"}, (code, finding.sentence, finding.evidence)
        assert yaml.safe_load(yaml.safe_dump(finding.evidence)) == finding.evidence, code
        assert finding.sentence.endswith(".") and ".." not in finding.sentence and "  " not in finding.sentence


def test_labels_of_test_rows_change_nothing() -> None:
    world = copied()
    other = world.labels.copy()
    other[world.test] = np.random.default_rng(0).permutation(other[world.test])
    one, two = (replace(world, labels=labels).frozen() for labels in (world.labels, other))
    for a, b in zip(run_frozen(one), run_frozen(two), strict=True):
        assert a == b and a.rows.equals(b.rows), a.code


# --- with a network -----------------------------------------------------------------------------------------

PLAIN = {"red": (200, 40, 40), "green": (40, 160, 60), "blue": (50, 70, 200)}


def pictures(folder: Path, each: int) -> Path:
    """A colour per class, brighter at one side, and noise."""
    noise = np.random.default_rng(0)
    for name, colour in PLAIN.items():
        (folder / name).mkdir(parents=True)
        for i in range(each):
            shade = np.linspace(0.4, 1, 48)[None, :, None] * np.array(colour)
            pixels = np.clip(shade + noise.normal(0, 30, (40, 48, 3)), 0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{i}.png")
    return folder


def opened(folder: Path, options: Options) -> tuple[Dataset, Audit]:
    data.start(options, folder)
    dataset = store.read_dataset(folder)
    return dataset, run_checks(dataset, MODALITIES[dataset.modality].checks)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Dataset, Audit]:
    """A set of pictures and a tiny network with weights in a file."""
    from safetensors.torch import save_file
    from timm import create_model

    base = tmp_path_factory.mktemp("frozen")
    network = create_model("mobilenetv3_small_050", pretrained=False)
    save_file(network.state_dict(), base / "tiny.safetensors")
    options = Options(
        str(pictures(base / "set", 24)),
        backbone="timm:mobilenetv3_small_050",
        weights=str(base / "tiny.safetensors"),
        settings=("input_size=32", "threads=1"),
    )
    return (base / "run", *opened(base / "run", options))


def test_all_findings_of_pictures(run: tuple[Path, Dataset, Audit], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, dataset, audit = run
    findings = frozen_findings(folder, dataset, audit)
    by_code = {f.code: f for f in findings}
    assert list(by_code) == list(FROZEN_CHECKS)
    assert all(f.verdict != "skipped" for f in findings)
    evidence = by_code["separability"].evidence
    assert evidence["n"] == dataset.part("train", "val").height
    assert evidence["accuracy"] > 0.8 and evidence["cheap_accuracy"] > 0.8
    assert by_code["mirror"].evidence["n"] == evidence["n"]
    store.write_audit(folder, Audit((*audit.findings, *findings)))
    kept = store.read_audit(folder)
    assert kept["separability"].evidence == dict(evidence)


def test_a_second_audit_says_the_same_without_a_pass(
    run: tuple[Path, Dataset, Audit], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, dataset, audit = run
    first = frozen_findings(folder, dataset, audit)
    sealed = store.read_sealed(folder)
    shuffled = sealed.with_columns(pl.col("label").shuffle(seed=1))
    sealed_path = folder / store.SEALED
    monkeypatch.setattr("instar.prepare.features.one_pass", lambda *_: pytest.fail("features were computed again"))
    before = sealed_path.read_bytes()
    store.write_frame(sealed_path, shuffled)
    again = frozen_findings(folder, dataset, audit)
    sealed_path.write_bytes(before)
    for a, b in zip(first, again, strict=True):
        assert a == b and a.rows.equals(b.rows), a.code


def test_training_finds_the_features_again(run: tuple[Path, Dataset, Audit], monkeypatch: pytest.MonkeyPatch) -> None:
    """What training asks for first, as the plan will have it, lies in the cache."""
    from instar.pipeline import frozen
    from instar.pipeline.choosing import choose_backbone
    from instar.pipeline.learning import rows_of
    from instar.pipeline.options import wishes
    from instar.prepare.features import features

    folder, dataset, audit = run
    frozen_findings(folder, dataset, audit)
    options, asked = wishes(folder)
    chosen, network = choose_backbone(dataset, options.backbone, options, asked.get("input_size"))
    recipe = frozen.provisional(dataset, audit, network.card, chosen, options.weights, asked)
    assert (recipe.input_size, recipe.threads, recipe.precision) == (32, 1, "fp32")
    feed = MODALITIES[dataset.modality].feed()
    cache = feed.prepare(dataset, recipe, network.card.spec)
    prepared = feed.open(cache, recipe, network.card.spec)
    rows, _ = rows_of(dataset, prepared.ids, "train")
    monkeypatch.setattr("instar.prepare.features.one_pass", lambda *_: pytest.fail("features were computed again"))
    features(network, prepared, rows, augment=(), seed=0, cache=cache, what="again", recipe=recipe)


def test_without_a_trained_network_all_are_skipped_with_the_reason(tmp_path: Path) -> None:
    options = Options(str(pictures(tmp_path / "set", 24)), backbone="scratch:convnet")
    findings = frozen_findings(tmp_path / "run", *opened(tmp_path / "run", options))
    assert [f.code for f in findings] == list(FROZEN_CHECKS)
    assert all(f.verdict == "skipped" and "starts at random" in f.sentence for f in findings)


def test_a_network_that_cannot_be_loaded_is_a_reason_too(tmp_path: Path) -> None:
    options = Options(str(pictures(tmp_path / "set", 24)), backbone="timm:mobilenetv3_small_075")
    findings = frozen_findings(tmp_path / "run", *opened(tmp_path / "run", options))
    assert all(f.verdict == "skipped" and "mobilenetv3_small_075" in f.sentence for f in findings)


def test_tiny_sets_are_skipped_before_anything_is_loaded(tmp_path: Path) -> None:
    options = Options(str(pictures(tmp_path / "set", 12)), backbone="timm:mobilenetv3_small_075")
    findings = frozen_findings(tmp_path / "run", *opened(tmp_path / "run", options))
    assert all(f.verdict == "skipped" and "too few" in f.sentence for f in findings)
    assert skipped("why")[0].sentence == "why"
