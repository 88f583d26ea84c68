"""`instar demo`: both kinds of data, made here, through the one pipeline."""

from collections.abc import Iterator
from pathlib import Path

from instar import pipeline
from instar.demo.butterflies import make_butterflies
from instar.demo.reviews import make_reviews
from instar.progress import say


def play(out: Path) -> Iterator[Path]:
    """Make the two sets below `out`, run each, and yield its run directory."""
    say("demo: drawing butterflies and writing reviews")
    make_butterflies(out / "data" / "butterflies")
    make_reviews(out / "data" / "reviews.csv")
    yield pipeline.run(pipeline.Options(str(out / "data" / "butterflies")), out / "butterflies")
    reviews = pipeline.Options(str(out / "data" / "reviews.csv"), text="review", label="rating")
    yield pipeline.run(reviews, out / "reviews")
