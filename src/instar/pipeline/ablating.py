"""Single decisions of a trained plan switched off: what was each of them worth, on the validation split?"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from instar import store
from instar.errors import UserError
from instar.evaluate.paired import holm
from instar.evaluate.worth import worths, write_worth
from instar.metrics import ORDERED
from instar.modality.modalities import MODALITIES
from instar.pipeline.common import amend, at_work, settled
from instar.pipeline.trials import PLANNED, Base, Trial, answers_of, run, seconds_of
from instar.plan.ablation import Ablation, How, ablations
from instar.plan.describe import shown
from instar.plan.worth import measured
from instar.progress import say


def ablate(folder: Path, names: Sequence[str] = (), *, seeds: int = 1, minutes: float | None = None) -> pl.DataFrame:
    """Train again without each decision, from what is cached where that is possible, and write what each was worth:
    6-ablate/worth.csv and worth.yaml, and into the plan as decisions of the same value with basis *measured*.

    Killed and called again it goes on where it was; what is measured already, of the same training, is kept.

    Args:
        names: of decisions; without any, all that are on.
        seeds: how often to train, with and without each; the first time with is the run's own.
        minutes: trainings that would take longer than that together, by estimate, are left out.

    Returns:
        The rows of worth.csv.

    Raises:
        UserError: a name of nothing that can be switched off, or no training rests on the plan as it is now.
    """
    with at_work(folder, "train"):
        if not store.finished(folder, "plan"):
            store.begin(folder, "train")  # says what is missing
        plan = settled(folder)
        store.begin(folder, "train")
        if not store.current(folder, "train"):
            raise UserError(f"{folder} has no training of its plan as it is now; run `instar train {folder}` first")
        recipe, card = store.recipe_of(plan), store.read_card(folder)
        base = Base(folder, store.read_dataset(folder), recipe, store.read_epochs(folder))
        wanted = ablations(recipe, card, names)
        todo = [t for seed in range(seeds) for t in _trials(base, wanted, seed) if seconds_of(base, t) is None]
        for trial in _affordable(todo, minutes):
            run(base, trial, _planned(base, trial.seed))
        worth = _worth(base, ablations(recipe, card))
        if not worth.height:
            raise UserError(f"{folder}: nothing was switched off; {_why(wanted, minutes)}")
        write_worth(folder, worth)
        amend(folder, measured(plan, worth, MODALITIES[base.dataset.modality].many), plan)
    return worth


def _why(wanted: Sequence[Ablation], minutes: float | None) -> str:
    if wanted and minutes is not None:
        return f"no training is over in {minutes:g} min"
    return "every decision of its plan is off already"


def _planned(base: Base, seed: int) -> Trial:
    """The plan as it is; with its own seed that is the run's own training."""
    recipe = replace(base.recipe, seed=base.recipe.seed + seed)
    how: How = "full" if seed else "reused"
    return Trial(PLANNED, seed, recipe, how, base.seconds(recipe, how))


def _without(base: Base, ablation: Ablation, seed: int) -> Trial:
    recipe = replace(ablation.recipe, seed=base.recipe.seed + seed)
    return Trial(ablation.name, seed, recipe, ablation.how, base.seconds(recipe, ablation.how))


def _trials(base: Base, wanted: Sequence[Ablation], seed: int) -> Iterator[Trial]:
    """The plan itself, then what is quick first."""
    if wanted:
        yield _planned(base, seed)
        yield from sorted((_without(base, a, seed) for a in wanted), key=lambda trial: trial.seconds)


def _affordable(todo: Sequence[Trial], minutes: float | None) -> list[Trial]:
    """The trials that there is time for, told with their estimate; without the plan of a seed none of that seed."""
    chosen: list[Trial] = []
    late: list[Trial] = []
    for trial in todo:
        spent = sum(other.seconds for other in chosen) + trial.seconds
        alone = any((other.name, other.seed) == (PLANNED, trial.seed) for other in late)
        (late if alone or (minutes is not None and spent > 60 * minutes) else chosen).append(trial)
    told = ", ".join(f"{trial.called} {trial.seconds / 60:.1f}" for trial in chosen if trial.seconds)
    if told:
        total = sum(trial.seconds for trial in chosen) / 60
        say(f"ablate: about {total:.1f} min of training, by the epochs of this run ({told})")
    if late and minutes is not None:
        say(f"ablate: left out, more than {minutes:g} min together: {', '.join(trial.called for trial in late)}")
    return chosen


def _worth(base: Base, on: Sequence[Ablation]) -> pl.DataFrame:
    """A row for each decision that is measured and each metric: the plan's own metric first."""
    first = _planned(base, 0)
    seeds = [first]
    while seconds_of(base, more := _planned(base, len(seeds))) is not None:
        seeds.append(more)
    whole = [
        (a, {p.seed: t for p in seeds if seconds_of(base, t := _without(base, a, p.seed)) is not None}) for a in on
    ]
    without = [(a, tried) for a, tried in whole if 0 in tried]
    if not without:
        return pl.DataFrame()
    planned = {p.seed: answers_of(base, p) for p in seeds}
    metrics = tuple(dict.fromkeys((base.recipe.metric, "accuracy", *(ORDERED if base.dataset.ordered else ()))))
    answers = {a.name: {s: answers_of(base, t) for s, t in tried.items()} for a, tried in without}
    found = worths(planned, answers, base.dataset.classes, metrics, base.recipe.seed)
    corrected = dict(zip(found, holm([differences[0].p for differences in found.values()]), strict=True))
    groups = planned[0]["group"].n_unique()
    rows = [
        {
            "decision": a.name,
            "field": a.field,
            "value": shown(a.value),
            "off": shown(a.off),
            "metric": d.metric,
            "with": d.with_it,
            "without": d.without,
            "worth": d.worth,
            "low": d.low,
            "high": d.high,
            "p": d.p,
            "p_holm": corrected[a.name] if d.metric == base.recipe.metric else None,
            "n": planned[0].height,
            "groups": groups,
            "seeds": d.seeds,
            "spread": d.spread,
            "seconds_with": seconds_of(base, first),
            "seconds": seconds_of(base, tried[0]),
            "how": a.how,
        }
        for a, tried in without
        for d in found[a.name]
    ]
    order = {name: i for i, name in enumerate(sorted(found, key=lambda name: -found[name][0].worth))}
    frame = pl.DataFrame(rows, schema_overrides={"p_holm": pl.Float64}, infer_schema_length=None)
    return frame.sort(pl.col("decision").replace_strict(order, return_dtype=pl.Int64), maintain_order=True)
