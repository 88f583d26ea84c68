"""Examples that are like no others."""

import numpy as np
import polars as pl

from instar.audit.frozen import Frozen
from instar.audit.frozen_far import least
from instar.audit.wording import DIGITS, number, several
from instar.records import Finding, Json


def outliers(frozen: Frozen) -> Finding:
    """Labelled examples whose nearest others, whatever their label, are much farther than is usual in their class.

    The distance is the mean over the nearest ones (Angiulli and Pizzuti 2002, PKDD) in the first
    principal components, without exact twins; an example of a wrong class is near to the right one and therefore not
    listed. The logarithms of the distances of a class are compared with their median and median absolute deviation
    (Iglewicz and Hoaglin 1993), and listed from where one normal example in a thousand sets would be.
    """
    at, scores = frozen.far
    empty = {"id": pl.String, "label": pl.String, "distance": pl.Float64}
    if not len(scores):
        return Finding("outliers", "skipped", f"{several(len(at), 'different example')} are too few to tell.")
    labels, threshold = frozen.labels[at], least(len(at))
    far = np.flatnonzero(scores > threshold)
    far = far[np.argsort(-scores[far], kind="stable")]
    rows = pl.DataFrame(
        {
            "id": [frozen.ids[i] for i in at[far]],
            "label": [frozen.classes[code] for code in labels[far]],
            "distance": scores[far].round(2),
        },
        empty,
    )
    evidence: dict[str, Json] = {"outliers": rows.height, "n": len(at), "threshold": threshold}
    if not rows.height:
        sentence = (
            f"None of {number(len(at))} different {frozen.modality}s of train and val is farther from its nearest "
            f"others than chance has it (more than {threshold:.2f} deviations of its class)."
        )
        return Finding("outliers", "passed", sentence, evidence, rows)
    evidence |= {"first": rows["id"][0], "first_label": rows["label"][0], "first_distance": rows["distance"][0]}
    sentence = (
        f"{number(rows.height)} of {number(len(at))} different {frozen.modality}s of train and val "
        f"{'is' if rows.height == 1 else 'are'} like no others: farther from their nearest ones than is usual in their "
        f"class by more than {threshold:.2f} deviations, most {rows['id'][0]} ({evidence['first_label']}, "
        f"{evidence['first_distance']:.1f})."
    )
    return Finding("outliers", "note", sentence, {**evidence, "share": round(rows.height / len(at), DIGITS)}, rows)
