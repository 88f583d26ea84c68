"""Made-up reasons for a made-up run, as the step explain writes them."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from instar.explain.choose import shown
from instar.explain.draw import panels
from instar.explain.files import write_reasons
from instar.records import Dataset, Reasons, Score
from instar.steps import REASONS


def make_reasons(run: Path, dataset: Dataset, predictions: pl.DataFrame, rng: Any, **changes: Any) -> Reasons:
    """Write 5-eval/reasons/ for the surest answers of the predictions."""
    examples = shown(predictions, dataset.classes)
    texts = dict(dataset.table.select("id", "input").iter_rows())
    image = dataset.modality == "image"
    paths = [f"{REASONS}{i + 1}.png" if image else "" for i in range(examples.height)]
    pictures = {
        path: panels(rng.integers(0, 255, (64, 64, 3), np.uint8), [rng.normal(size=49), rng.normal(size=49)])
        for path in paths
        if path
    }
    tokens = [
        {"id": id_, "class": name, "place": place, "word": word, "joined": False, "weight": float(rng.normal())}
        for id_, *names in examples.select("id", "predicted", "other").iter_rows()
        for name in names
        for place, word in enumerate(texts[id_].split())
    ]
    shares = (0.0, 0.1, 0.5)
    curves = [
        {"order": order, "share": share, "probability": at, "low": at - 0.1, "high": at + 0.1, "n": 24}
        for order, fall in (("marked", 1.4), ("random", 0.6))
        for share in shares
        for at in [0.85 - fall * share]
    ]
    made = Reasons(
        method="gradient-times-activation" if image else "integrated-gradients",
        place="network.blocks.6",
        kept=(
            Score("marked", "kept_probability", 0.31, 0.22, 0.4, 24, "bootstrap"),
            Score("random", "kept_probability", 0.62, 0.5, 0.7, 24, "bootstrap"),
        ),
        gain=Score("marked", "kept_probability", 0.31, 0.25, 0.38, 24, "paired"),
        sanity=tuple(
            Score(level, "rank_correlation", value, value - 0.1, value + 0.1, 24, "bootstrap")
            for level, value in (("head", 0.22), ("half", 0.11), ("all", 0.04))
        ),
        examples=examples.with_columns(path=pl.Series(paths, dtype=pl.String)),
        deletion=pl.DataFrame(curves),
        tokens=pl.DataFrame() if image else pl.DataFrame(tokens),
    )
    made = Reasons(**{**vars(made), **changes})
    write_reasons(run, made, pictures)
    return made
