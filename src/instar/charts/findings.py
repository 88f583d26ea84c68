"""A chart for every finding that has something to draw, and why the others have none."""

from collections.abc import Callable

import polars as pl

from instar.charts import findings_common as common
from instar.charts import findings_frozen as frozen
from instar.charts import findings_images as images
from instar.charts import findings_texts as texts
from instar.charts.findings_forms import Drawing
from instar.records import Finding

Draw = Callable[[Finding, pl.DataFrame], tuple[Drawing, ...]]
"""(finding, table of the labelled examples: label where it is not sealed, measure.*) -> charts; none where there is
nothing to see. Strings must be free of control characters, which end the renderer."""

CHARTS: dict[str, Draw] = {
    "unreadable": common.unreadable,
    "idle-columns": common.idle_columns,
    "class-counts": common.class_sizes,
    "small-classes": common.small_classes,
    "junk-classes": common.junk_classes,
    "exact-twins": common.exact_twins,
    "conflicting-labels": common.conflicting_labels,
    "unlabelled": common.unlabelled,
    "label-columns": common.label_columns,
    "near-twins": common.near_twins,
    "shortcuts": images.shortcuts,
    "sizes": images.sizes,
    "colour": images.colour,
    "brightness": images.brightness,
    "channels": images.channels,
    "blur": images.blur,
    "borders": images.borders,
    "lengths": texts.lengths,
    "mojibake": texts.mojibake,
    "markup": texts.markup,
    "short-texts": texts.short_texts,
    "language": texts.language,
    "vocabulary": texts.vocabulary,
    "one-word-labels": texts.one_word_labels,
    "whitespace-label": texts.whitespace_label,
    "separability": frozen.separability,
    "learning-curve": frozen.learning_curve,
    "confusable-classes": frozen.confusable_classes,
    "suspect-labels": frozen.suspect_labels,
    "outliers": frozen.outliers,
    "feature-twins": frozen.feature_twins,
    "mirror": frozen.mirror,
    "feature-map": frozen.feature_map,
}
"""By the code of the finding."""
WITHOUT_ROWS = ("brightness", "blur", "mirror", "separability")
"""Codes whose charts do not rest on the rows of the finding; all others have nothing to draw without rows."""
WITHOUT = {
    "columns": "it names columns; there is no number in it to draw",
    "files": "it is names and a few counts, which the sentence and the table hold",
    "encoding": "it is one word and one number, which the sentence holds",
    "ordered-labels": "it is an order of names, which the sentence holds",
}
"""Codes without a chart, and why."""


def drawings(found: Finding, table: pl.DataFrame) -> tuple[Drawing, ...]:
    """The charts of a finding; none of one that did not run or has nothing to draw."""
    if found.verdict in ("skipped", "not applicable") or found.code not in CHARTS:
        return ()
    if not found.rows.height and found.code not in WITHOUT_ROWS:
        return ()
    return CHARTS[found.code](found, table)
