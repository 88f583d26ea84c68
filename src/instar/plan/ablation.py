"""Single decisions switched off, to learn what each is worth: what "off" means for each, and why that is neutral."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

from instar import store
from instar.audit.wording import listed
from instar.errors import UserError
from instar.plan.bounds import SOLVED
from instar.plan.describe import shown
from instar.records import Card, Json, Recipe, Stage

How = Literal["reused", "head", "full"]
"""What the comparison costs. reused: the networks are there already; head: the head is solved again on features of the
frozen network; full: the whole training again."""
Off = Callable[[Recipe], Recipe | None]
"""The recipe without a decision; None where it has no say in this recipe, or is off already."""


@dataclass(frozen=True)
class Switch:
    """A decision that can be switched off."""

    name: str
    field: str
    off: Off
    why: str
    """Why what is left is neutral."""


@dataclass(frozen=True)
class Ablation:
    """A recipe without one decision."""

    name: str
    field: str
    value: Json
    """Of the plan."""
    off: Json
    """Instead of it."""
    recipe: Recipe
    how: How


def _live(recipe: Recipe) -> bool:
    """Whether anything but the solved head learns: by steps, from varied examples, with dropout and decay."""
    return any(stage.thaw != 0 for stage in recipe.stages)


def _unless(field: str, neutral: Json, *, by_steps: bool) -> Off:
    """The neutral value of a field; `by_steps`: a head that is solved knows nothing of it."""

    def off(recipe: Recipe) -> Recipe | None:
        if getattr(recipe, field) == neutral or (by_steps and not _live(recipe)):
            return None
        return replace(recipe, **{field: neutral})

    return off


def _frozen(recipe: Recipe) -> Recipe | None:
    if not _live(recipe):
        return None
    head = Stage("head", 0, int(SOLVED["epochs"]), SOLVED["lr"], SOLVED["layer_decay"])
    return replace(recipe, stages=(next((s for s in recipe.stages if s.thaw == 0), head),))


def _random_head(recipe: Recipe) -> Recipe | None:
    first = next((i for i, stage in enumerate(recipe.stages) if stage.thaw != 0), 0)
    return replace(recipe, stages=recipe.stages[first:]) if first else None


def _one_rate(recipe: Recipe) -> Recipe | None:
    stages = tuple(replace(s, layer_decay=1.0) if s.thaw != 0 else s for s in recipe.stages)
    return replace(recipe, stages=stages) if stages != recipe.stages else None


def _seen_anew(recipe: Recipe) -> Recipe | None:
    stages = tuple(replace(s, views=0) for s in recipe.stages)
    return replace(recipe, stages=stages) if stages != recipe.stages else None


def _as_they_are(recipe: Recipe) -> Recipe | None:
    if not recipe.augment or not _live(recipe):
        return None
    stages = tuple(replace(s, views=min(s.views, 1)) for s in recipe.stages)  # all views would be the same
    return replace(recipe, augment=(), stages=stages)


SWITCHES = (
    Switch("thaw", "stages", _frozen, "the network stays as it came, and its head alone is solved"),
    Switch("init", "stages", _random_head, "the head starts at random, as it does where nobody solves it"),
    Switch("rates", "stages", _one_rate, "all that is thawed learns at the rate of the head"),
    Switch("views", "stages", _seen_anew, "every example is varied anew in every epoch"),
    Switch("augment", "augment", _as_they_are, "every epoch shows each example as it is"),
    Switch("exclude", "exclude", _unless("exclude", (), by_steps=False), "every training row is learnt from"),
    Switch("clean", "clean", _unless("clean", (), by_steps=False), "every text is read as it came"),
    Switch("loss_weights", "loss_weights", _unless("loss_weights", "none", by_steps=False), "every example counts one"),
    Switch("label_smoothing", "label_smoothing", _unless("label_smoothing", 0.0, by_steps=True), "labels as they are"),
    Switch("dropout", "dropout", _unless("dropout", 0.0, by_steps=True), "the head sees every feature"),
    Switch("weight_decay", "weight_decay", _unless("weight_decay", 0.0, by_steps=True), "weights are not drawn to 0"),
    Switch("warmup", "warmup", _unless("warmup", 0.0, by_steps=True), "the first step takes the full rate"),
    Switch(
        "test_augment", "test_augment", _unless("test_augment", (), by_steps=False), "each example is answered once"
    ),
    Switch("decode", "decode", _unless("decode", "argmax", by_steps=False), "the most probable class is the answer"),
)
KEPT = {
    "backbone": "another network is another run",
    "weights": "other weights are another network",
    "grouping": "other splits have other examples to judge by",
    "input_size": "no size is neutral",
    "fit": "every example has to be fitted somehow",
    "metric": "it is what is judged by",
    "batch_size": "no size is neutral",
    "clip_norm": "it holds off single bad steps, which may not come up",
    "patience": "it saves time alone",
    "precision": "it was chosen for its speed alone",
    "channels_last": "it was chosen for its speed alone",
    "threads": "it was chosen for its speed alone",
    "seed": "no seed is neutral; --seeds repeats with others",
}
"""Fields that have no "off", and why."""


def ablations(recipe: Recipe, card: Card, names: Sequence[str] = ()) -> tuple[Ablation, ...]:
    """The recipes without one decision each: of those that are named (by the name of a switch, or by a field, which
    stands for all its switches), else of all that are on.

    A network that starts at random has nothing to freeze or to keep, so that neither thawing nor the solved head is a
    decision of its own there.

    Raises:
        UserError: a name of no switch, or of one that is off already.
    """
    for name in names:
        if name in KEPT:
            raise UserError(f"{name} cannot be switched off: {KEPT[name]}")
        if name not in {s.name for s in SWITCHES} | {s.field for s in SWITCHES}:
            raise UserError(f"no decision is named {name}; choose among {', '.join(s.name for s in SWITCHES)}")
    found = [
        Ablation(s.name, s.field, _value(recipe, s.field), _value(off, s.field), off, _how(recipe, off))
        for s in SWITCHES
        if (card.pretrained or s.name not in ("thaw", "init")) and (off := s.off(recipe)) is not None
    ]
    if not names:
        return tuple(found)
    for name in names:
        if not any(name in (a.name, a.field) for a in found):
            on = listed([a.name for a in found]) or "nothing"
            raise UserError(f"{name} is off already, or has no say in this plan; {on} can be switched off")
    return tuple(a for a in found if a.name in names or a.field in names)


def _value(recipe: Recipe, field: str) -> Json:
    return store.plain(asdict(recipe)[field])


def _how(recipe: Recipe, off: Recipe) -> How:
    if replace(off, decode=recipe.decode, test_augment=recipe.test_augment) == recipe or (
        replace(off, stages=recipe.stages) == recipe and not _live(off)
    ):
        return "reused"
    return "full" if _live(off) else "head"


def instead(ablation: Ablation) -> str:
    """What the plan has and what stood in its place, for a reader."""
    why = next(s.why for s in SWITCHES if s.name == ablation.name)
    if ablation.field == "stages":
        return why
    return f"{shown(ablation.off)} instead of {shown(ablation.value)}"
