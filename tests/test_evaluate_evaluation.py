"""From predictions to tables: planted answers whose figures follow from a sentence."""

import numpy as np
import polars as pl
import pytest

from instar.evaluate.calibration import reliability
from instar.evaluate.evaluation import evaluate
from instar.metrics import LABELS, METRICS, Floats, Ints
from instar.records import Evaluation

CLASSES = ("ant", "bee", "cow")


def predictions(
    rows: list[tuple[str, str, float]], classes: tuple[str, ...] = CLASSES, split: str = "test"
) -> pl.DataFrame:
    """Rows of label, predicted, confidence; the rest of the probability is spread evenly."""
    table: list[dict[str, object]] = []
    for i, (label, predicted, confidence) in enumerate(rows):
        rest = (1 - confidence) / (len(classes) - 1)
        p = {f"p.{c}": confidence if c == predicted else rest for c in classes}
        row = {"id": f"{split} {i}", "split": split, "group": i, "label": label, "predicted": predicted}
        table.append({**row, "confidence": confidence, **p})
    return pl.DataFrame(table)


def baselines(test: pl.DataFrame, **answers: str) -> pl.DataFrame:
    """A subject per keyword that always gives the same answer."""
    parts = [
        test.select(pl.lit(s).alias("subject"), "id", "label", pl.lit(a).alias("predicted")) for s, a in answers.items()
    ]
    return pl.concat(parts)


ROWS = [("ant", "ant", 0.9)] * 6 + [("bee", "bee", 0.8)] * 2 + [("bee", "ant", 0.7), ("bee", "ant", 0.95)]


def planted() -> Evaluation:
    """Six ants, all right; four bees, two of them taken for ants; no cow."""
    test = predictions(ROWS)
    noise = predictions([("cow", "bee", 0.5)] * 5, split="val")
    base = baselines(test, majority="ant", probe="bee")
    return evaluate(pl.concat([noise, test]), base, CLASSES, ordered=True, opened=2, seed=0)


def test_scores_follow_from_the_planted_answers() -> None:
    e = planted()
    assert e.score("accuracy").value == pytest.approx(0.8)
    assert e.score("accuracy").n == 10
    assert e.score("balanced_accuracy").value == pytest.approx(0.75)
    assert e.score("mae").value == pytest.approx(0.2)
    assert e.score("accuracy", "majority").value == pytest.approx(0.6)
    assert e.score("accuracy", "probe").value == pytest.approx(0.4)
    assert e.score("quadratic_kappa", "majority").value == 0
    assert (e.groups, e.opened, e.majority) == (10, 2, "ant")
    assert [s.subject for s in e.scores if s.metric == "log_loss"] == ["tuned"]
    assert not any(s.metric == "top_5" or s.subject == "cheap" for s in e.scores)
    assert all(s.low <= s.value <= s.high for s in e.scores)


def test_what_one_answer_to_everything_fixes_has_no_width() -> None:
    """The majority baseline alone gives one answer by rule; a probe that happened to do so may not do it again."""
    test = predictions([*ROWS, ("cow", "cow", 0.6)])
    base = baselines(test, majority="ant", probe="ant")
    e = evaluate(test, base, CLASSES, ordered=True, opened=1, seed=0)
    for metric, value in (("balanced_accuracy", 1 / 3), ("quadratic_kappa", 0)):
        fixed, found = e.score(metric, "majority"), e.score(metric, "probe")
        assert (fixed.value, fixed.low, fixed.high, fixed.method) == (value, value, value, "definition")
        assert found.low < found.value < found.high and found.method != "definition"
    for metric in ("accuracy", "macro_f1", "mae"):
        assert e.score(metric, "majority").low < e.score(metric, "majority").value < e.score(metric, "majority").high


def test_a_split_without_one_of_the_classes_fixes_nothing() -> None:
    found = planted().score("balanced_accuracy", "majority")
    assert found.low < found.value < found.high and found.method != "definition"


def test_top_5_is_scored_from_ten_classes_on_and_order_only_when_asked() -> None:
    classes = tuple("abcdefghij")
    test = predictions([(c, c, 0.5) for c in classes], classes)
    e = evaluate(test, baselines(test, majority="a"), classes, ordered=False, opened=1, seed=0)
    assert e.score("top_5").value == 1
    assert {s.metric for s in e.scores if s.subject == "majority"} == set(LABELS)


def test_two_guesses_are_counted_from_four_classes_on() -> None:
    for classes, metric in (("abc", None), ("abcd", "top_2"), ("abcdefghi", "top_2"), ("abcdefghij", "top_5")):
        test = predictions([(c, c, 0.7) for c in classes], tuple(classes))
        e = evaluate(test, baselines(test, majority="a"), tuple(classes), ordered=False, opened=1, seed=0)
        assert [s.metric for s in e.scores if s.metric.startswith("top")] == ([metric] if metric else [])


def test_who_tells_probabilities_is_judged_by_them() -> None:
    """The probe answers as the network does; the majority knows how common the classes are, and ranks nothing."""
    test = predictions([*ROWS, ("cow", "bee", 0.6)])
    p = [f"p.{c}" for c in CLASSES]
    probe = test.select(pl.lit("probe").alias("subject"), "id", "label", "predicted", *p)
    common = {"p.ant": 0.5, "p.bee": 0.3, "p.cow": 0.2}
    majority = test.select(pl.lit("majority").alias("subject"), "id", "label", pl.lit("ant").alias("predicted"))
    majority = majority.with_columns(pl.lit(share).alias(name) for name, share in common.items())
    e = evaluate(test, pl.concat([probe, majority]), CLASSES, ordered=True, opened=1, seed=0)
    told = {subject: {s.metric for s in e.scores if s.subject == subject} for subject in ("tuned", "probe", "majority")}
    assert told["tuned"] == told["probe"] == told["majority"] == (set(METRICS) - {"top_2", "top_5"}) | {"auroc"}
    assert e.score("brier", "majority").value == pytest.approx((6 * 0.38 + 4 * 0.78 + 0.98) / 11)
    assert e.score("auroc", "probe").value == e.score("auroc").value > 0.5
    fixed = e.score("auroc", "majority")
    assert (fixed.value, fixed.low, fixed.high, fixed.method) == (0.5, 0.5, 0.5, "definition")
    assert {g.metric for g in e.gains if g.subject == "majority"} == told["tuned"]
    for metric in ("log_loss", "brier"):  # lower is better, and a gain is better when above 0
        gain = e.gain(metric, "majority")
        assert gain is not None
        assert gain.value == pytest.approx(e.score(metric, "majority").value - e.score(metric).value)
        assert gain.low <= gain.value <= gain.high
        assert (same := e.gain(metric, "probe")) is not None and same.value == 0


def test_per_class_figures_have_intervals_and_say_what_cannot_be_told() -> None:
    rows = {row["label"]: row for row in planted().per_class.iter_rows(named=True)}
    for metric in ("precision", "recall", "f1", "auroc"):
        assert rows["bee"][f"{metric}_low"] < rows["bee"][metric] <= rows["bee"][f"{metric}_high"], metric
    assert rows["cow"]["auroc"] is None and rows["cow"]["auroc_low"] is None
    assert (rows["cow"]["precision_low"], rows["cow"]["precision_high"]) == (0.0, 1.0)
    assert rows["bee"]["f1"] == pytest.approx(2 / 3)


def test_per_class_names_what_a_class_was_taken_for() -> None:
    rows = {row["label"]: row for row in planted().per_class.iter_rows(named=True)}
    assert list(rows) == list(CLASSES)
    assert (rows["bee"]["recall"], rows["bee"]["precision"]) == (0.5, 1.0)
    assert (rows["bee"]["most_confused_with"], rows["bee"]["confused_n"]) == ("ant", 2)
    assert rows["ant"]["precision"] == pytest.approx(0.75)
    assert rows["ant"]["most_confused_with"] is None
    assert (rows["cow"]["n"], rows["cow"]["recall_low"], rows["cow"]["recall_high"]) == (0, 0.0, 1.0)
    assert rows["bee"]["recall_low"] < 0.5 < rows["bee"]["recall_high"]


def test_copies_make_neither_recall_nor_reliability_surer() -> None:
    """Each answer stands five times in the test part: the intervals stay those of the single answers."""
    once = predictions([(c, c if i % 3 else "ant", 0.5 + i / 100) for i, c in enumerate(CLASSES * 8)])
    copied = pl.concat([once.with_columns(pl.format("{} copy {}", "id", pl.lit(k)).alias("id")) for k in range(5)])
    few, many = (
        evaluate(test, baselines(test, majority="ant"), CLASSES, ordered=False, opened=1, seed=0)
        for test in (once, copied)
    )
    ends = ["recall_low", "recall_high"]
    assert np.allclose(few.per_class.select(ends), many.per_class.select(ends))
    alone = reliability(copied["confidence"].to_numpy(), np.ones(120), np.arange(120) % 24)
    assert (alone["high"] - alone["low"] > 0.4).all()  # each bin of twenty rows holds four or five examples


def test_each_score_says_how_its_interval_was_found() -> None:
    e = planted()
    assert e.score("accuracy").method == "wilson" and e.score("macro_f1").method == "bootstrap"
    assert {gain.method for gain in e.gains} == {"paired"}


def test_confusion_lists_the_pairs_that_occur() -> None:
    assert planted().confusion.rows() == [("ant", "ant", 6), ("bee", "ant", 2), ("bee", "bee", 2)]


def test_errors_are_the_mistakes_most_confident_first() -> None:
    errors = planted().errors
    assert errors.columns == ["id", "label", "predicted", "confidence", "belief", "suspect", "why"]
    told = errors.select("id", "label", "predicted", "confidence").rows()
    assert told == [("test 9", "bee", "ant", 0.95), ("test 8", "bee", "ant", 0.7)]


def test_the_order_of_rows_does_not_matter() -> None:
    test = predictions(ROWS)
    base = baselines(test, majority="ant", probe="bee")
    one = evaluate(test, base, CLASSES, ordered=False, opened=1, seed=4)
    mixed = base.sample(fraction=1, shuffle=True, seed=1)
    other = evaluate(test.reverse(), mixed, CLASSES, ordered=False, opened=1, seed=4)
    assert one.scores == other.scores
    assert one.errors.equals(other.errors)
    assert one.per_class.equals(other.per_class)


def drawn(n: int, power: float) -> tuple[Floats, Floats, Ints]:
    """Confidences, whether each answer is right, and groups of one; right, with probability confidence ** power."""
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.3, 1, n)
    return confidence, (rng.random(n) < confidence**power).astype(np.float64), np.arange(n)


def test_a_calibrated_model_lies_on_the_line_and_an_overconfident_one_below() -> None:
    honest, vain = reliability(*drawn(20_000, 1)), reliability(*drawn(20_000, 2))
    inside = honest.filter(pl.col("confidence").is_between("low", "high")).height
    assert inside >= honest.height - 1
    assert honest["n"].sum() == 20_000
    assert honest["confidence"].is_sorted()
    assert (vain["accuracy"] < vain["confidence"]).all()
    apart = [np.average((t["confidence"] - t["accuracy"]).abs(), weights=t["n"]) for t in (honest, vain)]
    assert apart[0] < 0.02 < 0.1 < apart[1]


def test_few_answers_make_few_bins_and_equal_confidences_share_one() -> None:
    assert reliability(*drawn(15, 1)).height == 1
    assert reliability(*drawn(65, 1)).height == 3
    table = reliability(np.ones(500), np.ones(500), np.arange(500))
    assert table.rows() == [(1.0, 1.0, table["low"][0], 1.0, 500)]
