"""The step explain: reasons of the trained network, for a reader to see and to doubt."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from instar import steps, store
from instar.errors import UserError
from instar.files import read_yaml
from instar.modality.modalities import MODALITIES
from instar.pipeline.common import at_hand, planned
from instar.pipeline.data import originals_unchanged
from instar.pipeline.networks import trained_network
from instar.pipeline.predicting import known, looked_at
from instar.progress import say
from instar.records import Reasons, Temperature

SHARE, LEAST, MOST = 0.05, 2.0, 45.0
"""Of the time that training took the tests of reasons may take so much, but within these seconds; our judgement."""


def explain(folder: Path) -> Reasons:
    """What in an example speaks for the answer, for the surest right and wrong answers of the test split, and two tests
    of the method: 5-eval/reasons/."""
    originals_unchanged(folder)
    return reveal(folder)


def reveal(folder: Path) -> Reasons:
    """`explain` for a run whose source has just been found unchanged."""
    with planned(folder, "explain") as (recipe, _):
        from instar.explain.account import Subject, account
        from instar.explain.files import write_reasons

        dataset = store.read_dataset(folder)
        at_hand(dataset)
        spec = store.read_card(folder).spec
        feed = MODALITIES[dataset.modality].feed()
        prepared = feed.open(feed.prepare(dataset, recipe, spec), recipe, spec)
        network = trained_network(folder, store.BEST, dataset, recipe)
        inputs = dict(dataset.table.select("id", "input").iter_rows())
        subject = Subject(network, prepared, recipe, [inputs[id_] for id_ in prepared.ids], dataset.classes)
        trained = float(store.read_machine(folder)["steps"]["train"]["seconds"])
        found, pictures = account(
            subject,
            store.read_frame(folder / store.PREDICTIONS),
            store.read_measurements(folder),
            min(max(SHARE * trained, LEAST), MOST),
            recipe.seed,
        )
        write_reasons(folder, found, pictures)
    tell(found)
    return found


def explain_new(folder: Path, arguments: Sequence[str], out: Path) -> Path:
    """Reasons for new examples, prepared by the very functions that prepared the training examples, on a page of its
    own that asks no network. As `predict`, it needs and reads the run directory alone.

    Raises:
        UserError: none of the examples can be read, or the network gives no reasons.
    """
    steps.begin_predict(folder)
    from instar.explain.account import Subject, account_new
    from instar.explain.base import Unexplained
    from instar.explain.page import write_page

    dataset, recipe = known(folder)
    asked = looked_at(arguments, dataset)
    for name, why in asked.filter(pl.col("error").is_not_null()).select("input", "error").iter_rows():
        say(f"{name!r} cannot be read and is left out: {why}")
    readable = asked.filter(pl.col("error").is_null())["input"].to_list()
    if not readable:
        raise UserError("none of the examples can be read; name others")
    warmth = read_yaml(folder / steps.TEMPERATURE, Temperature).value
    network = trained_network(folder, store.BEST, dataset, recipe)
    prepared = MODALITIES[dataset.modality].feed().examples(readable, recipe, store.read_card(folder).spec)
    try:
        answers, shown = account_new(Subject(network, prepared, recipe, readable, dataset.classes), warmth)
    except Unexplained as why:
        raise UserError(f"{why}; instar predict still answers") from why
    write_page(out, dataset.name, answers, shown)
    return out


def tell(found: Reasons) -> None:
    """What came out, in a line for the person who waits."""
    if found.gain is None:
        say(f"no reasons: {found.why_not}")
        return
    gain, alike = found.gain, found.sanity[-1]
    say(
        f"hiding what is marked costs the answer {gain.value:.1%} more probability than hiding as much elsewhere "
        f"({gain.low:.1%} to {gain.high:.1%}, n = {gain.n}); rank correlation with shuffled weights "
        f"{alike.value:.2f}"
    )
