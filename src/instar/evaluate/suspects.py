"""Which mistakes look like wrong labels? A suspicion that sends a person to look, never a verdict."""

import numpy as np
import polars as pl

from instar.audit.frozen_labels import beyond_chance, candidates, tempered
from instar.metrics import Floats, Ints
from instar.records import Audit

PAIRS = ("near-twins", "feature-twins")
"""Findings whose rows are pairs of near copies: id, other_id."""
LIKELY = 0.5
"""Confidence, as it is and tempered, from which an answer can cast doubt on a label: likelier than all others
together. Without it a weak network suspected the labels of what it could not place."""
UNLIKELY = 0.05
"""Tempered probability of the given label up to which copies are believed more than it. Of texts of two words, copies
stand there under several labels without any of them being wrong (our judgement)."""


def mistakes(
    predictions: pl.DataFrame, baselines: pl.DataFrame, classes: tuple[str, ...], table: pl.DataFrame, audit: Audit
) -> pl.DataFrame:
    """The mistakes on the test rows, most confident first, and which of their labels are suspect.

    predictions: of val and test, with p.<class> for each class; baselines: subject, id, predicted; table: id, twin and
    label of the data set, those of test rows being null; audit: its pairs of near copies are witnesses.

    Returns id, label, predicted, confidence, belief (probability of the given label, tempered: the self-confidence of
    confident learning, and the order of suspicion), suspect, and why: what says so beside the network, of
      probe   it answers the same class, the network does with a confidence that is `LIKELY`, and the label is so
              improbable that chance would account for at most a fifth of as many labels (`audit.frozen_labels`:
              Northcutt, Jiang, Chuang 2021, arXiv 1911.00068; there with a probe out of fold, here with the tuned
              network, which learnt from no test row either);
      cheap   as a second voice only: the cheap baseline answers the same class too;
      copies  all of the example's exact and near copies bear the class that network and probe answer; then it is
              enough that the given label is `UNLIKELY`.
    """
    labels, probabilities = _coded(predictions, classes)
    at = np.flatnonzero((predictions["split"] == "test").to_numpy())
    rows = predictions[at].select("id", "label", "predicted", "confidence")
    for subject in ("probe", "cheap"):
        answers = baselines.filter(pl.col("subject") == subject).select("id", pl.col("predicted").alias(subject))
        rows = rows.join(answers, on="id", how="left", maintain_order="left")
    agreed = {s: (rows[s] == rows["predicted"]).fill_null(False).to_numpy() for s in ("probe", "cheap")}
    answered = (rows["label"] != rows["predicted"]).to_numpy()
    believed = tempered(probabilities, labels, np.ones(len(labels), dtype=np.bool_))[at]
    own = believed[np.arange(len(at)), labels[at]]
    firm = np.minimum(rows["confidence"].to_numpy(), believed.max(axis=1)) >= LIKELY
    doubted = candidates(probabilities, labels)[at] & agreed["probe"] & answered & firm
    listed, _ = beyond_chance(believed, labels[at], doubted)
    copied = rows["id"].is_in(_contradicted(rows, predictions, table, audit).implode()).to_numpy()
    suspect = listed | (doubted & copied & (own <= UNLIKELY))
    voices = {"probe": suspect, "cheap": suspect & agreed["cheap"], "copies": suspect & copied}
    told = rows.select("id", "label", "predicted", "confidence").with_columns(
        pl.Series("belief", own),
        pl.Series("suspect", suspect),
        pl.Series("why", [", ".join(v for v, says in voices.items() if says[i]) for i in range(len(at))], pl.String),
    )
    return told.filter(pl.Series(answered)).sort("confidence", "id", descending=[True, False])


def _coded(predictions: pl.DataFrame, classes: tuple[str, ...]) -> tuple[Ints, Floats]:
    """Class indices (N,) and probabilities (N, C)."""
    labels = predictions["label"].replace_strict(list(classes), range(len(classes)), return_dtype=pl.Int64)
    return labels.to_numpy(), predictions.select([f"p.{c}" for c in classes]).to_numpy().astype(np.float64)


def _contradicted(rows: pl.DataFrame, predictions: pl.DataFrame, table: pl.DataFrame, audit: Audit) -> pl.Series:
    """Ids of the rows whose copies all bear the predicted class."""
    opened = predictions.select("id", pl.col("label").alias("opened"))
    known = table.select("id", "twin", "label").join(opened, on="id", how="left", maintain_order="left")
    known = known.with_columns(pl.coalesce("label", "opened").alias("label")).filter(pl.col("label").is_not_null())
    wrong = rows.filter(pl.col("label") != pl.col("predicted")).select("id", "predicted")
    exact = wrong.join(known.select("id", "twin"), on="id").join(known.select("twin", "id", "label"), on="twin")
    exact = exact.filter(pl.col("id") != pl.col("id_right")).select("id", "predicted", "label")
    near = [exact]
    for finding in (audit.get(code) for code in PAIRS):
        if finding is not None and "other_id" in finding.rows.columns:
            pairs = finding.rows.select("id", "other_id")
            both = pl.concat([pairs, pairs.select(pl.col("other_id").alias("id"), pl.col("id").alias("other_id"))])
            of = both.join(known.select(pl.col("id").alias("other_id"), "label"), on="other_id")
            near.append(wrong.join(of, on="id").select("id", "predicted", "label"))
    copies = pl.concat(near).group_by("id", maintain_order=True)
    return copies.agg((pl.col("label") == pl.col("predicted")).all().alias("all")).filter("all")["id"]
