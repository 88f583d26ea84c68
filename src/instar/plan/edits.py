"""What a person asks for, as decisions: `--set key=value`, or a hand edit of plan.yaml."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, fields
from typing import get_type_hints

import pydantic
import yaml

from instar import store
from instar.errors import UserError
from instar.metrics import ORDERED
from instar.modality.modalities import MODALITIES
from instar.plan.bounds import RECIPE, STAGE, Bound, check
from instar.plan.rows import LEAVABLE
from instar.prepare.flipped import FLIP
from instar.records import Decision, Json, Plan, Recipe, Stage

FIELDS = tuple(f.name for f in fields(Recipe))
LATER = frozenset(f.name for f in fields(Recipe) if f.default is not MISSING)
"""Fields that plans of older versions do not decide."""
OF_A_STAGE = tuple(f.name for f in fields(Stage) if f.name != "name")
NAMES = ("exclude", "clean", "augment", "test_augment")
"""Fields that hold a list of names; a lone name stands for a list of one."""
LISTS = (*NAMES, "stages")
SHORT = ("lr", "epochs")
"""Keys that stand for this value in every stage that thaws something."""
KNOWN: dict[str, tuple[str, ...]] = {
    "exclude": LEAVABLE,
    "clean": tuple(name for kind in MODALITIES.values() for name in kind.repairs),
    "augment": tuple(name for kind in MODALITIES.values() for name in kind.augmentations),
    "test_augment": (FLIP,),
    "fit": tuple(name for kind in MODALITIES.values() for name in kind.fits),
}
"""Names that these fields may hold, of all kinds of data."""
ANY: Bound = (lambda _: True), ""
EXPONENT = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+")
"""1e-4, which YAML 1.1 takes for a string."""


def parse_setting(setting: str) -> tuple[str, Json]:
    """`lr=1e-4` -> ("lr", 0.0001). The value is read as YAML."""
    key, equals, text = setting.partition("=")
    if not equals or not key.strip():
        raise UserError(f"--set {setting}: write key=value, for example --set lr=1e-4")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"--set {setting}: the value is not valid YAML; quote it if it is text") from error
    if isinstance(value, str) and EXPONENT.fullmatch(value):
        value = float(value)
    key = key.strip()
    return key, [value] if key in NAMES and isinstance(value, str) else value


def check_key(key: str) -> None:
    """Refuse a key that no plan can have, before any work is done; `fitting` checks the value."""
    whole = re.fullmatch(rf"stages\.[\w-]+\.({'|'.join(OF_A_STAGE)})", key)
    if key not in (*FIELDS, *SHORT) and not whole:
        raise UserError(f"--set {key}: unknown key; {_close(key, (*FIELDS, *SHORT))}")


def fitting(key: str, value: Json) -> Json:
    """The value of a known key as a recipe holds it, checked as far as that needs no data; `apply` checks the rest.

    Raises:
        UserError: a type or a value that no plan can have.
    """
    if key in LISTS and not isinstance(value, list):
        raise UserError(f"--set {key}={value} must be a list, as in {key}=[{'' if value is None else value}]")
    record, bounds = (Recipe, RECIPE) if key in FIELDS else (Stage, STAGE)
    part = key.rpartition(".")[2]
    adapter = pydantic.TypeAdapter[Json](get_type_hints(record)[part])
    try:
        typed = adapter.validate_python(value)
    except pydantic.ValidationError as error:
        raise UserError(f"--set {key}={value}: {error.errors()[0]['msg'].lower()}") from None
    holds, rule = bounds.get(part, ANY)
    if not holds(typed) and not (key.endswith(".lr") and typed == 0):  # which a solved stage has
        raise UserError(f"--set {key}={value} is out of range: {rule}")
    for name in (typed,) if key == "fit" else typed if key in NAMES else ():
        if name not in KNOWN[key]:
            raise UserError(f"--set {key}={name}: {_close(name, KNOWN[key])}")
    return adapter.dump_python(typed, mode="json")


def apply(plan: Plan, settings: Mapping[str, Json]) -> Plan:
    """Append a decision with basis asked for every field that the settings touch.

    Keys: a field of `Recipe`; `lr` and `epochs` (every stage that thaws something); `stages.NAME.thaw`,
    `.epochs`, `.lr`, `.layer_decay`, `.views`.

    Raises:
        UserError: an unknown key (close names are listed), or a value of the wrong type or out of range.
    """
    whole = {key: value for key, value in settings.items() if key in FIELDS}
    parts = {key: value for key, value in settings.items() if key not in FIELDS}
    plan = _asked(plan, whole, {key: _wish({key: value}) for key, value in whole.items()})
    if not parts:
        return plan
    stages = plan.live()["stages"].value
    for key, value in parts.items():
        stages = _staged(stages, key, value)
    return _asked(plan, {"stages": stages}, {"stages": _wish(parts)})


def absorb(plan: Plan, recipe_block: Mapping[str, Json]) -> Plan:
    """Append a decision with basis asked for every value that a hand has changed in plan.yaml's `recipe`.

    A field that instar did not have when the plan was made holds its default and may stay away.

    Raises:
        UserError: a key that is unknown or missing, or a value of the wrong type or out of range.
    """
    if not isinstance(recipe_block, Mapping):
        raise UserError("plan.yaml: recipe must hold a value for every field; run `instar plan` again")
    for key in recipe_block:
        if key not in FIELDS:
            raise UserError(f"plan.yaml: unknown key recipe.{key}; {_close(str(key), FIELDS)}")
    free = LATER - plan.live().keys()
    missing = [name for name in FIELDS if name not in recipe_block and name not in free]
    if missing:
        raise UserError(f"plan.yaml: recipe.{missing[0]} is missing; put it back or run `instar plan` again")
    edited = Plan(tuple(_ask(name, recipe_block[name], "") for name in FIELDS if name in recipe_block))
    before, after = _values(store.recipe_of(plan)), _values(store.recipe_of(edited))
    changed = {name: after[name] for name in FIELDS if after[name] != before[name]}
    return _asked(plan, changed, dict.fromkeys(changed, "Edited in plan.yaml."))


def _asked(plan: Plan, values: Mapping[str, Json], reasons: Mapping[str, str]) -> Plan:
    """Append the decisions, in the form in which the typed recipe holds their values, and check the whole; what has
    been asked for already is not asked for again."""
    for field in LISTS:
        if field in values and not isinstance(values[field], list):
            raise UserError(f"plan: {field}={values[field]} must be a list, as in {field}=[{values[field]}]")
    wished = tuple(_ask(field, value, reasons[field]) for field, value in values.items())
    recipe = store.recipe_of(Plan((*plan.decisions, *wished)))
    check(recipe, _planned(plan, "fit").value)
    _possible(recipe, plan)
    typed, live = _values(recipe), plan.live()
    said = {d.field for d in wished if live[d.field].basis == "asked" and live[d.field].value == typed[d.field]}
    new = (_ask(d.field, typed[d.field], d.reason) for d in wished if d.field not in said)
    return Plan((*plan.decisions, *new))


def _planned(plan: Plan, field: str) -> Decision:
    """What the rules decided, whatever was asked for since."""
    return next(d for d in plan.decisions if d.field == field)


def _possible(recipe: Recipe, plan: Plan) -> None:
    """Refuse what the data do not allow."""
    opened, decoded = _planned(plan, "grouping"), _planned(plan, "decode")
    if recipe.grouping != opened.value:
        raise UserError(
            f"plan: grouping={recipe.grouping}, but these data were split with grouping={opened.value} when they were "
            f"opened; start a new run with --set grouping={recipe.grouping} ({opened.reason})"
        )
    if "ordered-labels" not in decoded.because:
        if recipe.decode == "median":
            raise UserError("plan: decode=median wants ordered classes, and these have no order; use argmax")
        if recipe.metric in ORDERED:
            raise UserError(f"plan: metric={recipe.metric} wants ordered classes, these have no order; use macro_f1")


def _ask(field: str, value: Json, reason: str) -> Decision:
    return Decision(field, value, "asked", (), reason, "the user")


def _values(recipe: Recipe) -> dict[str, Json]:
    """The recipe as YAML holds it."""
    plain = asdict(recipe)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


def _staged(stages: list[dict[str, Json]], key: str, value: Json) -> list[dict[str, Json]]:
    """The stages with one value changed, in one of them or in all that thaw something."""
    names = [stage["name"] for stage in stages]
    if key in SHORT:
        touched, part = [stage["name"] for stage in stages if stage["thaw"] != 0], key
        if not touched:
            raise UserError(f"--set {key}: no stage thaws anything; use stages.NAME.{key}")
    else:
        known = [f"stages.{name}.{part}" for name in names for part in OF_A_STAGE]
        if key not in known:
            raise UserError(f"unknown key {key}; {_close(key, (*FIELDS, *SHORT), known)}")
        _, name, part = key.split(".")
        touched = [name]
    return [{**stage, part: value} if stage["name"] in touched else stage for stage in stages]


def _close(key: str, names: Sequence[str], more: Sequence[str] = ()) -> str:
    """Names like the one that is not known, else the names that there are."""
    close = difflib.get_close_matches(key, [*names, *more], n=3, cutoff=0.5)
    return f"did you mean {' or '.join(close)}?" if close else f"known keys: {', '.join(names)}"


def _wish(settings: Mapping[str, Json]) -> str:
    """The settings as they were asked for."""
    flow = {k: yaml.safe_dump(v, default_flow_style=True, width=1000) for k, v in settings.items()}
    pairs = [f"{key}={text.removesuffix('...' + chr(10)).strip()}" for key, text in flow.items()]
    return f"Asked for: {', '.join(pairs)}."
