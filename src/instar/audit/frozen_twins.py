"""Near copies as the network sees them: mirrored, cropped and re-coloured ones too."""

from dataclasses import replace

import numpy as np
import polars as pl

from instar.audit.frozen import Frozen, Ints
from instar.audit.frozen_near import AROUND, MUCH_NEARER, class_pairs, copies, scan
from instar.audit.leakage import LEAK
from instar.audit.wording import DIGITS, listed, number, percent, several
from instar.records import Finding, Json, Verdict

MOST = 50_000
"""Different examples that are compared with each other (two minutes); of more, as many are drawn."""


def feature_twins(frozen: Frozen) -> Finding:
    """Pairs of examples, and of classes, that frozen features hardly tell apart; exact twins are one example here.

    Test rows take part with their content only. What counts as a pair: `frozen_near.copies` and `class_pairs`.
    """
    _, first = np.unique(frozen.twins, return_index=True)
    at = np.sort(first)
    different = len(at)
    if different <= 2 * AROUND:
        return Finding("feature-twins", "skipped", f"{several(different, 'different example')} are too few to tell.")
    if different > MOST:
        at = np.sort(np.random.default_rng(0).permutation(at)[:MOST])
    labels = frozen.labels[at]
    near = scan(frozen.features[at], labels, len(frozen.classes))
    pairs, apart = copies(near)
    rows = _rows(frozen, at, pairs, apart)
    seen = labels >= 0
    known = replace(near, by_class=near.by_class[seen])
    classes = [[frozen.classes[a], frozen.classes[b]] for a, b in class_pairs(known, labels[seen], len(frozen.classes))]
    test, other_test = pl.col("split") == "test", pl.col("other_split") == "test"
    across = rows.filter(test != other_test)
    leaking, held = _leaking(frozen, at, pl.concat([across.filter(test)["id"], across.filter(other_test)["other_id"]]))
    evidence: dict[str, Json] = {
        "compared": len(at),
        "of": different,
        "nearer": MUCH_NEARER,
        "pairs": rows.height,
        "examples": int(np.unique(pairs).size),
        "across_classes": rows.filter(pl.col("label") != pl.col("other_label")).height,
        "across_splits": across.height,
        "test_with_near_copy": leaking,
        "test_share": round(leaking / held, DIGITS) if held else 0.0,
        "class_pairs": classes,
    }
    if not rows.height and not classes:
        sentence = f"To {frozen.backbone} no two of {number(len(at))} different {frozen.modality}s are near copies"
        return Finding("feature-twins", "passed", sentence + _closing(evidence), evidence, rows)
    said = []
    if rows.height:
        part = (
            f"To {frozen.backbone} {several(rows.height, 'pair')} of {frozen.modality}s "
            f"{'is' if rows.height == 1 else 'are'} near copies, though not exact ones"
        )
        if evidence["across_classes"]:
            part += f", {number(evidence['across_classes'])} with different labels"
        if leaking:
            part += (
                f"; {several(leaking, f'test {frozen.modality}')} ({percent(evidence['test_share'])}) "
                f"{'has' if leaking == 1 else 'have'} such a copy in train or val"
            )
        elif held:
            part += f"; no test {frozen.modality} has such a copy in train or val"
        said.append(part)
    if classes:
        named = listed([f"“{a}” and “{b}”" for a, b in classes], 4)
        said.append(f"As classes, {named} are each other's nearest, as near as examples of one class are")
    serious = evidence["across_classes"] >= LEAK * len(frozen.known) or evidence["test_share"] >= LEAK
    verdict: Verdict = "issue" if serious else "note"
    return Finding("feature-twins", verdict, ". ".join(said) + _closing(evidence), evidence, rows)


def _leaking(frozen: Frozen, at: Ints, ids: pl.Series) -> tuple[int, int]:
    """How many examples of test have one of these contents, and how many have any that was compared."""
    named = set(ids)
    contents = {frozen.ids[i]: int(frozen.twins[i]) for i in at.tolist()}
    test = frozen.twins[np.array(frozen.splits) == "test"]
    leaking = np.isin(test, [contents[i] for i in named])
    return int(leaking.sum()), int(np.isin(test, list(contents.values())).sum())


def _closing(evidence: dict[str, Json]) -> str:
    if evidence["compared"] == evidence["of"]:
        return "."
    return f". Compared were {number(evidence['compared'])} of {number(evidence['of'])} examples, drawn by chance."


def _rows(frozen: Frozen, at: Ints, pairs: Ints, apart: np.ndarray) -> pl.DataFrame:
    """id, other_id, label, other_label, split, other_split, similarity; the most alike first."""
    schema = dict.fromkeys(("id", "other_id", "label", "other_label", "split", "other_split"), pl.String)
    first, second = at[pairs[:, 0]].tolist(), at[pairs[:, 1]].tolist()

    def label(i: int) -> str | None:
        return frozen.classes[frozen.labels[i]] if frozen.labels[i] >= 0 else None

    columns = {
        "id": [frozen.ids[i] for i in first],
        "other_id": [frozen.ids[i] for i in second],
        "label": [label(i) for i in first],
        "other_label": [label(i) for i in second],
        "split": [frozen.splits[i] for i in first],
        "other_split": [frozen.splits[i] for i in second],
        "similarity": (1 - apart).round(4),
    }
    frame = pl.DataFrame(columns, {**schema, "similarity": pl.Float64})
    return frame.sort("similarity", "id", "other_id", descending=[True, False, False])
