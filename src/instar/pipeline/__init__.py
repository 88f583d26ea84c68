"""The steps of a run, each a function on its run directory: audit, plan, prepare, train, evaluate, deck.

Each step reads what earlier ones wrote, refuses when that has changed since, and can be repeated. torch is
imported by the steps that need it only.
"""

from pathlib import Path

from instar import store
from instar.pipeline.common import settled, step
from instar.pipeline.data import Options, audit, start
from instar.pipeline.learning import evaluate, predict, prepare, train
from instar.pipeline.planning import ask, options_of, plan
from instar.pipeline.readme import readme
from instar.records import Slide

__all__ = [
    "Options",
    "ask",
    "audit",
    "deck",
    "evaluate",
    "finish",
    "options_of",
    "plan",
    "predict",
    "prepare",
    "run",
    "start",
    "train",
]


def run(options: Options, out: Path | None = None) -> Path:
    """All steps, from data to deck. A second call with the same options goes on where the first one stopped.

    Returns:
        The run directory.
    """
    return finish(start(options, out))


def finish(folder: Path) -> Path:
    """The steps of a run directory that are not whole, or that rest on something older than it is now."""
    if store.finished(folder, "plan"):
        settled(folder)
    for function in (audit, plan, prepare, train, evaluate, deck):
        if not store.current(folder, function.__name__):
            function(folder)
    return folder


def deck(folder: Path) -> tuple[Slide, ...]:
    """The presentation: deck.pptx and deck.html."""
    with step(folder, "deck"):
        from instar.deck.build import build

        slides = build(folder)
        store.write_text(folder / "README.md", readme(folder))
    return slides
