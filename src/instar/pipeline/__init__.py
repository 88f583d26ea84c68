"""The steps of a run, each a function on its run directory: audit, plan, prepare, train, evaluate, explain, deck.

Each step reads what earlier ones wrote, refuses when that has changed since, and can be repeated. torch is
imported by the steps that need it only.
"""

from collections.abc import Callable
from pathlib import Path

from instar import steps, store
from instar.pipeline.ablating import ablate
from instar.pipeline.candidates import backbones
from instar.pipeline.common import at_hand, at_work, planned, settled
from instar.pipeline.data import audit, originals, originals_unchanged, start
from instar.pipeline.evaluating import evaluate, score
from instar.pipeline.explaining import explain, explain_new, reveal
from instar.pipeline.learning import bring, prepare, train
from instar.pipeline.options import Options, options_of
from instar.pipeline.planning import ask, plan
from instar.pipeline.predicting import predict
from instar.pipeline.rates import rates
from instar.pipeline.readme import readme
from instar.records import Slide

__all__ = [
    "Options",
    "ablate",
    "ask",
    "audit",
    "backbones",
    "deck",
    "evaluate",
    "explain",
    "explain_new",
    "finish",
    "options_of",
    "plan",
    "predict",
    "prepare",
    "rates",
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


def finish(folder: Path, *, last: str = "deck", like: Path | None = None) -> Path:
    """The steps of a run directory that are not whole, or that rest on something older than it is now.

    Args:
        last: the step to stop after.
        like: another run whose measurements hold for this one too, see `plan`.
    """
    with at_work(folder, "audit"):
        if store.finished(folder, "plan"):
            settled(folder)
        for name, function in STEPS.items():
            if not store.current(folder, name):
                plan(folder, like) if name == "plan" else function(folder)
            if name == last:
                break
    return folder


def deck(folder: Path, template: Path | None = None) -> tuple[Slide, ...]:
    """The presentation: deck.pptx (in the template, if one is given), deck.html, report.md and the two cards."""
    originals_unchanged(folder)
    return present(folder, template)


def present(folder: Path, template: Path | None = None) -> tuple[Slide, ...]:
    """`deck` for a run whose source has just been found unchanged."""
    with planned(folder, "deck") as (_, record):
        from instar.deck.build import build

        dataset = store.read_dataset(folder)
        at_hand(dataset)
        with originals(dataset):
            slides = build(folder, template)
        store.write_text(folder / "README.md", readme(folder))
        if (study := folder.resolve().parent / steps.STUDY).exists():
            record["study"] = store.digest(study)
    return slides


STEPS: dict[str, Callable[[Path], object]] = {
    "audit": audit,
    "plan": plan,
    "prepare": bring,
    "train": train,
    "evaluate": score,
    "explain": reveal,
    "deck": present,
}
"""The steps after `start`, which has opened the data or found them unchanged."""
