"""What the user asked for when a run was made, and what the run's plan has been asked for since."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from instar import steps, store
from instar.errors import UserError
from instar.models import sources
from instar.plan import edits
from instar.progress import say
from instar.records import Json


@dataclass(frozen=True)
class Options:
    """What the user asked for. `source` is whatever `data.fetching.resolve` finds: a folder, a table, a name."""

    source: str
    text: str | None = None
    image: str | None = None
    label: str | None = None
    backbone: str | None = None
    weights: str | None = None
    limit: int | None = None
    seed: int = 0
    settings: tuple[str, ...] = ()
    """key=value, each a decision with basis asked."""


GROUPINGS = ("exact", "near")


def firm(options: Options) -> Options:
    """The options checked as far as that needs no data, and with absolute paths: a later call may stand elsewhere.

    Raises:
        UserError: an unknown key, a value that no plan can have, or a backbone that names no source.
    """
    settings = tuple(map(firm_setting, options.settings))
    asked = dict(edits.parse_setting(setting) for setting in settings)
    for backbone in (options.backbone, asked.get("backbone")):
        if backbone:
            sources.check(str(backbone))
    if asked.get("grouping", "near") not in GROUPINGS:
        raise UserError(f"--set grouping={asked['grouping']}: choose {' or '.join(GROUPINGS)}")
    return replace(
        options,
        source=_absolute(options.source),
        backbone=options.backbone and _absolute_backbone(options.backbone),
        weights=options.weights and _absolute(options.weights),
        settings=settings,
    )


def firm_setting(setting: str) -> str:
    """A setting with a known key and, where it names a file or a folder, with its absolute path."""
    key, value = edits.parse_setting(setting)
    edits.check_key(key)
    if key == "weights" and isinstance(value, str):
        return f"{key}={_absolute(value)}"
    if key == "backbone" and isinstance(value, str):
        return f"{key}={_absolute_backbone(value)}"
    return setting


def options_of(folder: Path) -> Options:
    """What the user asked for when the run was made."""
    steps.check_format(folder)
    known = store.read_machine(folder).get("options")
    if known is None:
        raise UserError(f"{folder} is not a run of instar; start one with `instar run DATA`")
    return Options(**{**known, "settings": tuple(known["settings"])})


def first_asked(options: Options) -> dict[str, Json]:
    """The settings of the command that made the run, key -> value."""
    return dict(edits.parse_setting(setting) for setting in options.settings)


def wishes(folder: Path) -> tuple[Options, dict[str, Json]]:
    """What a plan of this run must honour: the options with backbone and weights as last asked for, and every other
    setting.

    What was asked for in an earlier plan of the run (by `--set` or by editing plan.yaml) is asked for again;
    before there is one, the settings of the first command count. Of these, grouping has been honoured when the
    data were opened.
    """
    options = options_of(folder)
    asked = _asked_before(folder)
    if asked is None:
        asked = first_asked(options)
        asked.pop("grouping", None)
    backbone, weights = asked.pop("backbone", options.backbone), asked.pop("weights", options.weights)
    return replace(options, backbone=backbone, weights=weights), asked


def _asked_before(folder: Path) -> dict[str, Json] | None:
    """What an earlier plan of this run was asked for; None where there is no plan, or none that can be read."""
    if not store.finished(folder, "plan") or not (folder / store.PLAN).exists():
        return None
    try:
        earlier = edits.absorb(*store.read_plan(folder))
    except UserError as error:
        broken = (folder / store.PLAN).rename(folder / "3-plan/plan.broken.yaml")
        say(f"the earlier plan cannot be read ({error}); it is kept as {broken}, and the plan is made anew")
        return None
    return {d.field: d.value for d in earlier.live().values() if d.basis == "asked"}


def same_network(one: Options, other: Options) -> bool:
    """Whether two sets of options lead to the same network before any training."""
    return _network(one) == _network(other)


def _network(options: Options) -> Sequence[Json]:
    asked = first_asked(options)
    return (
        asked.get("backbone", options.backbone),
        asked.get("weights", options.weights),
        asked.get("input_size"),
    )


def _absolute(path: str) -> str:
    return str(Path(path).resolve()) if Path(path).exists() else path


def _absolute_backbone(backbone: str) -> str:
    source, colon, name = backbone.partition(":")
    return f"{source}{colon}{_absolute(name)}" if source == "hf" else backbone
