"""Planted wrong labels among the mistakes: they are suspect, honest mistakes are not."""

import numpy as np
import polars as pl
import pytest

from instar.evaluate.evaluation import UNAUDITED, UNKNOWN
from instar.evaluate.suspects import mistakes
from instar.metrics import Floats
from instar.records import Audit, Finding

CLASSES = ("ant", "bee", "cow", "dog", "elk")
C = len(CLASSES)


def answers(n: int, seed: int, overconfident: float = 1.0) -> tuple[pl.DataFrame, Floats]:
    """Test rows of a model that keeps its word: each label is drawn by the probabilities that it answers with.

    overconfident: power to which the probabilities are raised afterwards.
    """
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, C)) * 2.5 + 4 * np.eye(C)[rng.integers(0, C, n)]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    label = np.array([rng.choice(C, p=row) for row in p])
    told = p**overconfident / (p**overconfident).sum(axis=1, keepdims=True)
    return _frame(label, told), told


def _frame(label: np.ndarray, p: Floats) -> pl.DataFrame:
    names = np.array(CLASSES)
    n = len(label)
    return pl.DataFrame(
        {
            "id": [f"row {i}" for i in range(n)],
            "split": ["test"] * n,
            "group": np.arange(n),
            "label": names[label],
            "predicted": names[p.argmax(1)],
            "confidence": p.max(1),
            **{f"p.{c}": p[:, i] for i, c in enumerate(CLASSES)},
        }
    )


def voices(test: pl.DataFrame, share: float = 0.9, **subjects: float) -> pl.DataFrame:
    """Baselines that give the network's answer in this share of the rows, and the first class elsewhere."""
    rng = np.random.default_rng(1)
    frames = []
    for subject, agrees in {"probe": share, **subjects}.items():
        same = pl.Series(rng.random(test.height) < agrees)
        answer = pl.when(same).then("predicted").otherwise(pl.lit(CLASSES[0])).alias("predicted")
        frames.append(test.select(pl.lit(subject).alias("subject"), "id", "label", answer))
    return pl.concat(frames)


@pytest.mark.parametrize("overconfident", [1.0, 3.0])
def test_flipped_labels_are_suspect(overconfident: float) -> None:
    test, p = answers(1500, 0, overconfident)
    rng = np.random.default_rng(2)
    flipped = rng.choice(np.flatnonzero((test["label"] == test["predicted"]).to_numpy()), 40, replace=False)
    label = test["label"].replace_strict(list(CLASSES), range(C), return_dtype=pl.Int64).to_numpy().copy()
    label[flipped] = (label[flipped] + rng.integers(1, C, 40)) % C
    test = _frame(label, p)
    found = mistakes(test, voices(test, cheap=0.5), CLASSES, UNKNOWN, UNAUDITED)
    assert found.height == (test["label"] != test["predicted"]).sum()
    assert found["confidence"].is_sorted(descending=True)
    suspect, planted = found.filter("suspect"), {f"row {i}" for i in flipped}
    hits = suspect["id"].is_in(list(planted)).sum()
    assert hits >= 0.4 * len(planted)
    assert hits >= 0.7 * suspect.height  # of 150 to 300 honest mistakes
    assert set(suspect["why"]) == {"probe", "probe, cheap"}
    assert found.filter(~pl.col("suspect"))["why"].unique().to_list() == [""]
    others = found.filter(~pl.col("suspect"))
    assert suspect["belief"].to_numpy().max() < np.median(others["belief"].to_numpy())


@pytest.mark.parametrize("seed", range(3))
def test_honest_mistakes_are_not(seed: int) -> None:
    test, _ = answers(1500, 10 + seed)
    found = mistakes(test, voices(test), CLASSES, UNKNOWN, UNAUDITED)
    assert found.height > 100 and found["suspect"].sum() <= 2


def test_a_probe_that_answers_otherwise_speaks_for_the_label() -> None:
    test, p = answers(1500, 0)
    label = test["label"].replace_strict(list(CLASSES), range(C), return_dtype=pl.Int64).to_numpy().copy()
    sure = np.flatnonzero(test["confidence"].to_numpy() > 0.999)[:30]
    label[sure] = (p.argmax(1)[sure] + 1) % C
    test = _frame(label, p)
    assert mistakes(test, voices(test, 1.0), CLASSES, UNKNOWN, UNAUDITED)["suspect"].sum() > 15
    other = mistakes(test, voices(test, 0.0), CLASSES, UNKNOWN, UNAUDITED).filter("suspect")
    assert set(other["predicted"]) <= {CLASSES[0]}  # which this probe answers to everything
    none = voices(test).filter(pl.col("subject") == "cheap")
    assert not mistakes(test, none, CLASSES, UNKNOWN, UNAUDITED)["suspect"].any()


def test_copies_that_all_bear_the_answered_class_are_witnesses() -> None:
    """Four sure mistakes with a probability of the label that chance may give: of an exact copy in train and of a near
    one in test, each once with the answered class and once with the given one."""
    test, p = answers(1500, 3)
    label = test["label"].replace_strict(list(CLASSES), range(C), return_dtype=pl.Int64).to_numpy().copy()
    honest = np.flatnonzero((label == p.argmax(1)) & (label > 0))
    marked, partners = honest[:4], honest[4:6]
    p[marked] = 0.01
    p[marked, label[marked]] = 0.97
    answer = [CLASSES[i] for i in label[marked]]
    label[marked] = (label[marked] + 1) % C
    given = [CLASSES[i] for i in label[marked]]
    label[partners] = [CLASSES.index(answer[2]), CLASSES.index(given[3])]
    test = _frame(label, p)
    ids, other = [f"row {i}" for i in marked], [f"row {i}" for i in partners]
    twin = np.arange(1500)
    table = pl.concat(
        [
            test.select("id", pl.Series("twin", twin), pl.lit(None, pl.String).alias("label")),
            pl.DataFrame({"id": ["a", "b"], "twin": twin[marked[:2]], "label": [answer[0], given[1]]}),
        ]
    )
    pairs = pl.DataFrame({"id": [ids[2], other[1]], "other_id": [other[0], ids[3]]})
    audit = Audit((Finding("near-twins", "note", "", {}, pairs),))
    found = mistakes(test, voices(test, 1.0), CLASSES, table, audit)
    why = dict(found.select("id", "why").iter_rows())
    assert [why[i] for i in ids] == ["probe, copies", "", "probe, copies", ""]
