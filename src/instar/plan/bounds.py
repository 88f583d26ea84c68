"""What a value of the recipe may be, beyond its type."""

import math
import re
from collections.abc import Callable

from instar.data.grouping import KINDS
from instar.errors import UserError
from instar.metrics import CHOOSING
from instar.modality.modalities import MODALITIES
from instar.models.sources import SOURCE
from instar.plan.rows import LEAVABLE
from instar.prepare.flipped import FLIP
from instar.records import Json, Recipe, Stage

Bound = tuple[Callable[[Json], bool], str]


def _one_of(*names: str) -> Bound:
    return (lambda value: value in names), f"must be one of {', '.join(names)}"


def _whole(least: int) -> Bound:
    return (lambda value: value >= least), f"must be {least} or more"


SHARE: Bound = (lambda value: 0 <= value < 1), "must be 0 or more and less than 1"
POSITIVE: Bound = (lambda value: 0 < value < math.inf), "must be more than 0"
NOT_NEGATIVE: Bound = (lambda value: 0 <= value < math.inf), "must be 0 or more"

RECIPE: dict[str, Bound] = {
    "backbone": (
        lambda value: re.fullmatch(rf"({'|'.join(SOURCE)}):.+", value) is not None,
        f"must be SOURCE:NAME with SOURCE one of {', '.join(SOURCE)}",
    ),
    "grouping": _one_of(*KINDS),
    "decode": _one_of("argmax", "median"),
    "input_size": _whole(8),
    "metric": _one_of(*CHOOSING),
    "loss_weights": _one_of("none", "balanced"),
    "label_smoothing": SHARE,
    "dropout": SHARE,
    "batch_size": _whole(1),
    "stages": (lambda value: len(value) > 0, "must have a stage"),
    "weight_decay": NOT_NEGATIVE,
    "warmup": SHARE,
    "clip_norm": POSITIVE,
    "patience": _whole(1),
    "precision": _one_of("fp32", "bf16"),
    "threads": _whole(1),
    "seed": _whole(0),
}
STAGE: dict[str, Bound] = {
    "name": (
        lambda value: re.fullmatch(r"[\w-]+", value) is not None,
        "must be letters, digits, - and _ alone",
    ),
    "thaw": (
        lambda value: value >= -1,
        "must be -1 (everything), 0 (the head alone) or a number of depth groups",
    ),
    "epochs": _whole(1),
    "lr": POSITIVE,
    "layer_decay": (lambda value: 0 < value <= 1, "must be more than 0 and at most 1"),
    "views": _whole(0),
}
SOLVED: dict[str, Json] = {"epochs": 1, "lr": 0.0, "layer_decay": 1.0, "views": 0}
"""What stands in a stage that thaws nothing: its head is solved to the optimum, without steps, epochs or rates."""


def check(recipe: Recipe, planned_fit: str) -> None:
    """Refuse values that no training can use.

    Args:
        recipe: of the right types already.
        planned_fit: the value of `fit` that the rules chose; it tells which kind of data this is.

    Raises:
        UserError: names the field, the value and what it may be.
    """
    for field, bound in RECIPE.items():
        _hold(field, getattr(recipe, field), bound)
    for stage in recipe.stages:
        for field in (f for f in STAGE if stage.thaw != 0 or f not in SOLVED):
            _hold(f"stages.{stage.name}.{field}", getattr(stage, field), STAGE[field])
        if stage.thaw == 0:
            _solved(stage)
        if stage.views:
            _kept(stage, recipe)
    _distinct(recipe.stages)
    modality = next(m for m in MODALITIES.values() if planned_fit in m.fits)
    _hold("fit", recipe.fit, _one_of(*modality.fits))
    for code in recipe.exclude:
        _hold("exclude", code, _one_of(*LEAVABLE))
    repairs = tuple(modality.repairs)
    cleanable = _one_of(*repairs) if repairs else ((lambda _: False), f"no repair is known for {modality.many}")
    for name in recipe.clean:
        _hold("clean", name, cleanable)
    known = tuple(modality.augmentations)
    allowed = _one_of(*known) if known else ((lambda _: False), f"no augmentation is known for {modality.many}")
    for name in recipe.augment:
        _hold("augment", name, allowed)
    for name in recipe.test_augment:
        _hold("test_augment", name, _one_of(FLIP) if FLIP in known else allowed)


def _hold(field: str, value: Json, bound: Bound) -> None:
    holds, rule = bound
    if not holds(value):
        raise UserError(f"plan: {field}={value} is out of range: {rule}")


def _solved(stage: Stage) -> None:
    for field, value in SOLVED.items():
        if getattr(stage, field) != value:
            raise UserError(
                f"plan: stages.{stage.name}.{field}={getattr(stage, field)} would do nothing: with thaw=0 the head is "
                f"solved to its optimum, without steps; leave it at {value}, or thaw something "
                f"(stages.{stage.name}.thaw=1)"
            )


def _kept(stage: Stage, recipe: Recipe) -> None:
    """Refuse views of which there is nothing to keep, or that are all the same."""
    field = f"stages.{stage.name}.views={stage.views}"
    if stage.thaw == -1:
        raise UserError(
            f"plan: {field} keeps what the frozen part makes of the examples, and thaw=-1 freezes nothing; take views=0"
        )
    if stage.views > stage.epochs:
        raise UserError(
            f"plan: {field}, but an epoch learns from one view and there are {stage.epochs}; take views={stage.epochs}"
        )
    if stage.views > 1 and not recipe.augment:
        raise UserError(f"plan: {field}, but nothing is augmented, so all views are the same; take views=1")


def _distinct(stages: tuple[Stage, ...]) -> None:
    names = [stage.name for stage in stages]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"plan: two stages are named {twice}; give each its own name")
