"""What the user asked for when a run was made, and what the run's plan has been asked for since."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from instar import steps, store
from instar.data.grouping import KINDS
from instar.errors import UserError
from instar.models import named, sources
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
    folds: int | None = None
    """How many test parts share out the examples; None: one part of 15 %."""
    fold: int = 1
    """Which of the folds is the test part, from 1."""


OF_THE_FEED = ("input_size", "fit", "clean", "precision", "channels_last", "threads")
"""Fields of the recipe that features depend on."""


def firm(options: Options) -> Options:
    """The options checked as far as that needs no data, and with absolute paths: a later call may stand elsewhere.

    Raises:
        UserError: an unknown key, a value that no plan can have, a backbone that names no source, or weights without
            one backbone.
    """
    options = _of_one(options)
    settings = tuple(map(firm_setting, options.settings))
    if options.folds is not None and not (options.folds >= 2 and 1 <= options.fold <= options.folds):
        raise UserError(f"fold {options.fold} of {options.folds}: there are at least two, counted from 1")
    backbone, weights = _backbone_and_weights(options)
    if weights and not backbone:
        raise UserError(
            f"--weights {weights} needs --backbone SOURCE:NAME, which says what network the file belongs to"
        )
    if weights and named.several(backbone):
        raise UserError(f"--weights {weights} with several backbones: write SOURCE:NAME=FILE for each that needs one")
    return replace(
        options,
        source=_absolute(options.source),
        backbone=options.backbone and _absolute_backbones(options.backbone),
        weights=options.weights and _absolute(options.weights),
        settings=settings,
    )


def _of_one(options: Options) -> Options:
    """The options with the file of a lone backbone's weights, where its name carries one, as `weights`."""
    if not options.backbone or options.backbone == named.CATALOGUE:
        return options
    parts = named.named(options.backbone)
    if len(parts) > 1 or parts[0].weights is None:
        return options
    return replace(options, backbone=parts[0].backbone, weights=options.weights or parts[0].weights)


def at_hand_by_name(options: Options) -> None:
    """Refuse, before any work is done, a network that its library does not have, and a file of weights that is not
    there. What only its place on the hub can tell is told when the network is loaded.

    Raises:
        UserError: with names that resemble the network's.
    """
    backbone, weights = _backbone_and_weights(options)
    if weights and not Path(weights).is_file():
        raise UserError(f"--weights {weights} does not exist; name a .safetensors file")
    if backbone and backbone != named.CATALOGUE:
        parts = named.named(backbone)
        named.missing(parts)
        for part in parts:
            _named(part.backbone, part.backbone)


def _named(backbone: str, asked: str) -> None:
    source, _, name = backbone.partition(":")
    library, _, network = name.partition("/")
    found = sources.SOURCE[source]().like(name)
    if source == "scratch" and found and network:
        _named(f"{library}:{network}", asked)
    elif found != [name] and (source != "hf" or _is_path(name)):
        near = f"; it has {', '.join(found)}" if found else ""
        raise UserError(f"--backbone {asked}: {source} has no network {name!r}{near}")


def _is_path(name: str) -> bool:
    """Whether this can be no name of the hub, where OWNER/NAME is the longest."""
    return name.startswith(("/", ".", "~")) or name.count("/") > 1


def firm_setting(setting: str) -> str:
    """A setting with a known key, a value that some plan can have and, where that is a file or a folder, its absolute
    path."""
    key, value = _parsed(setting)
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


def _parsed(setting: str) -> tuple[str, Json]:
    """Key and value of a setting, the value as a recipe holds it."""
    key, value = edits.parse_setting(setting)
    edits.check_key(key)
    if key == "backbone" and isinstance(value, str):
        if named.several(value):
            raise UserError(f"--set backbone={value}: several candidates go to --backbone when a run is made")
        sources.check(value)  # with what may have been meant
    if key == "grouping" and value not in KINDS:
        raise UserError(f"--set grouping={value}: choose {' or '.join(KINDS)}")
    return key, edits.fitting(key, value)


def first_asked(options: Options) -> dict[str, Json]:
    """The settings of the command that made the run, key -> value."""
    return dict(map(_parsed, options.settings))


def _backbone_and_weights(options: Options) -> tuple[str | None, str | None]:
    """As asked for, by an option of its own or as a setting."""
    asked = first_asked(options)
    return asked.get("backbone", options.backbone), asked.get("weights", options.weights)


def wishes(folder: Path, *, anew: bool = False) -> tuple[Options, dict[str, Json]]:
    """What a plan of this run must honour: the options with backbone and weights as last asked for, and every other
    setting.

    What was asked for in an earlier plan of the run (by `--set` or by editing plan.yaml) is asked for again;
    before there is one, the settings of the first command count. Of these, grouping has been honoured when the
    data were opened. A plan that cannot be read counts as none.

    Args:
        anew: whether a new plan is being made: one that cannot be read is then kept under another name.
    """
    options = options_of(folder)
    asked = _asked_before(folder, anew)
    if asked is None:
        asked = first_asked(options)
        asked.pop("grouping", None)
    backbone, weights = asked.pop("backbone", options.backbone), asked.pop("weights", options.weights)
    return replace(options, backbone=backbone, weights=weights), asked


def _asked_before(folder: Path, anew: bool) -> dict[str, Json] | None:
    """What an earlier plan of this run was asked for; None where there is no plan, or none that can be read."""
    if not store.finished(folder, "plan") or not (folder / store.PLAN).exists():
        return None
    try:
        earlier = edits.absorb(*store.read_plan(folder))
    except UserError as error:
        if not anew:
            say(f"the plan cannot be read ({error}); what it asks for is left out of account")
            return None
        broken = (folder / store.PLAN).rename(folder / "3-plan/plan.broken.yaml")
        say(f"the earlier plan cannot be read ({error}); it is kept as {broken}, and the plan is made anew")
        return None
    asked = {d.field for d in earlier.decisions if d.basis == "asked"}  # what was asked for may be measured since
    return {field: d.value for field, d in earlier.live().items() if field in asked}


def same_network(one: Options, other: Options) -> bool:
    """Whether two sets of options lead to the same network before any training, fed alike."""
    return _network(one) == _network(other)


def _network(options: Options) -> Sequence[Json]:
    asked = first_asked(options)
    return (*_backbone_and_weights(options), *(asked.get(field) for field in OF_THE_FEED))


def _absolute(path: str) -> str:
    return str(Path(path).resolve()) if Path(path).exists() else path


def _absolute_backbone(backbone: str) -> str:
    source, colon, name = backbone.partition(":")
    if source == "hub":
        folder, last, entry = name.rpartition(":")
        return f"{source}{colon}{_absolute(folder)}{last}{entry}"
    return f"{source}{colon}{_absolute(name)}" if source == "hf" else backbone


def _absolute_backbones(text: str) -> str:
    if not named.several(text) or text == named.CATALOGUE:
        return text if text == named.CATALOGUE else _absolute_backbone(text)
    parts = (
        named.Named(_absolute_backbone(one.backbone), one.weights and _absolute(one.weights))
        for one in named.named(text)
    )
    return named.joined(tuple(parts))
