"""What is frozen when, for how long and at which rates."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from instar.audit.shortcuts import percent_points
from instar.audit.wording import number, percent, several
from instar.modality.modalities import MODALITIES
from instar.plan.batch import batch_size
from instar.plan.bounds import SOLVED
from instar.plan.engine import fastest
from instar.plan.rates import DECAY, RANDOM, peak
from instar.plan.rows import OPEN
from instar.records import Audit, Card, Dataset, Decision, Json, Measurements, Stage, Timing

MINUTES, MINUTES_SMALL = 10.0, 1.0
"""What a stage may take on this machine; and from scratch on a small set."""
SMALL = 2_000
"""Training examples below which a set counts as small."""
FEW_PER_CLASS = 30
"""Training examples a class below which less of the trunk is thawed."""
SOLVED_BY_PROBE = 0.99
"""Lower end of the interval of a frozen probe's accuracy (balanced accuracy, where classes are uneven) from which
thawing is not worth its time."""
ROOM = 0.05
"""Errors of a probe below which nothing holds it back that thawing could mend (our judgement)."""
LITTLE = 0.01
"""Gain in accuracy from twice the examples that counts as none."""
EPOCHS_SCRATCH = (10, 40)
MEASURED_SHARE = 0.5
"""Share of the trunk that was thawed when `Timing.training` was measured."""
HEAD_FIRST = "head first: arXiv 2202.10054"
JUDGEMENT = "our judgement"


def epoch_seconds(timing: Timing, train: int, val: int, share: float) -> float:
    """Seconds of one epoch with a validation pass.

    Backward through the thawed part takes what training takes beyond inference, in proportion to the share of
    the trunk that is thawed.
    """
    forward, training = 1 / timing.forward, 1 / timing.training
    backward = max(training - forward, 0.0) * share / MEASURED_SHARE
    return train * (forward + backward) + val * forward


@dataclass(frozen=True)
class Length:
    """What the user asked for of what makes the number of steps; None is left to the rules."""

    epochs: int | None = None
    batch_size: int | None = None


NOTHING = Length()


def stages(dataset: Dataset, audit: Audit, card: Card, measurements: Measurements, asked: Length = NOTHING) -> Decision:
    """Pre-trained: the head, then the upper part of the trunk with it. From scratch: everything at once."""
    if card.pretrained:
        return _thawing(dataset, audit, card, measurements, asked)
    return _all_at_once(dataset, card, measurements)


def _thawing(dataset: Dataset, audit: Audit, card: Card, measurements: Measurements, asked: Length) -> Decision:
    head = asdict(Stage("head", 0, int(SOLVED["epochs"]), SOLVED["lr"], SOLVED["layer_decay"]))
    solved = _solved(dataset, audit, card)
    if solved:
        reason = (
            f"The new head alone, on features of the frozen network: a probe on them gets {solved}, so thawing more "
            f"could gain less than {percent(1 - SOLVED_BY_PROBE)}."
        )
        return Decision(
            "stages", [head], "measured", ("separability",), reason, f"{HEAD_FIRST}; the limit: {JUDGEMENT}"
        )
    thaw, opened, because = _opened(dataset, audit, card)
    train, val = dataset.part("train").height, dataset.part("val").height
    trunk = sum(group.role == "trunk" for group in card.groups)
    least, most = MODALITIES[card.modality].habits.epochs
    seconds = epoch_seconds(fastest(measurements), train, val, thaw / trunk if trunk else 1.0)
    epochs = min(max(int(MINUTES * 60 / seconds), least), most)
    rate = peak(card, (asked.epochs or epochs) * -(-train // (asked.batch_size or batch_size(dataset).value)))
    value = [head, asdict(Stage("top", thaw, epochs, rate.value, DECAY))]
    reason = (
        "First the new head alone, on features of the frozen network, so that a random head does not spoil "
        f"what was learnt before; then {opened}, each group at {DECAY} times the rate of the one above. {rate.reason} "
        f"BatchNorm, where there is any, keeps its pre-trained statistics, on which the head was solved. "
        f"{_time(train, seconds, epochs, MINUTES)}{_timed(card, measurements)}"
    )
    source = (
        f"{HEAD_FIRST}; freezing the lower layers: arXiv 1411.1792; rates by depth: arXiv 1801.06146; "
        f"peak: {rate.source}; speed: measurement; numbers: {JUDGEMENT}"
    )
    return Decision("stages", value, "measured", because, reason, source)


def _solved(dataset: Dataset, audit: Audit, card: Card) -> str:
    """How well a probe does that surely beats what is cheap and leaves next to nothing to gain; else nothing, also
    where the audit probed another network, as it does before candidates are scored."""
    found = audit.get("separability")
    if found is None or found.verdict != "passed":
        return ""
    e = found.evidence
    if e["backbone"] != card.title:
        return ""
    key, low, high, how = "accuracy", "low", "high", ""
    if e["judged_by"] != "accuracy":
        key, low, high, how = "balanced", "balanced_low", "balanced_high", ", on the mean over the classes,"
    if e[low] < SOLVED_BY_PROBE:
        return ""
    return (
        f"{percent(e[key])}{how} of {number(e['n'])} {dataset.modality}s right that it had not learnt from "
        f"(95 % interval {percent(e[low])} to {percent(e[high])})"
    )


def _opened(dataset: Dataset, audit: Audit, card: Card) -> tuple[int, str, tuple[str, ...]]:
    """How many depth groups are thawed, in words too, and the findings that say so."""
    trunk = sum(group.role == "trunk" for group in card.groups)
    if not trunk:
        return -1, "the whole network with it", ("class-counts",)
    a_class = dataset.part("train").height / audit["class-counts"].evidence["classes"]
    why = f"as there are {several(round(a_class), f'training {dataset.modality}')} a class"
    because: tuple[str, ...] = ("class-counts",)
    divisor, part = 2, "half"
    if a_class < FEW_PER_CLASS:
        divisor, part = 3, "third"
        curve = looked_at(audit, "learning-curve")
        if curve is not None and curve["high"] < LITTLE and curve["accuracy"] < 1 - ROOM:
            divisor, part, because = 2, "half", ("class-counts", "learning-curve")
            why += (
                f", which are few, but twice as many would hardly help the frozen features (by "
                f"{percent_points(curve['gain_if_doubled'])} points, 95 % interval {percent_points(curve['low'])} to "
                f"{percent_points(curve['high'])}), with which a probe gets {percent(curve['accuracy'])} right: it "
                "is the features that hold it back"
            )
    thaw = math.ceil(trunk / divisor)
    return thaw, f"the upper {part} of the trunk ({thaw} of {trunk} depth groups) with it, {why}", because


def looked_at(audit: Audit, code: str) -> Mapping[str, Json] | None:
    """Evidence of a finding on frozen features, or None where it could not be had."""
    finding = audit.get(code)
    return finding.evidence if finding is not None and finding.verdict in (*OPEN, "passed") else None


def _timed(card: Card, measurements: Measurements) -> str:
    unit = MODALITIES[card.modality].unit
    return f" Timed at {measurements.extent} {unit}." if measurements.extent else ""


def _all_at_once(dataset: Dataset, card: Card, measurements: Measurements) -> Decision:
    train, val = dataset.part("train").height, dataset.part("val").height
    minutes = MINUTES_SMALL if train < SMALL else MINUTES
    seconds = epoch_seconds(fastest(measurements), train, val, 1.0)
    least, most = EPOCHS_SCRATCH
    epochs = min(max(int(minutes * 60 / seconds), least), most)
    value = [asdict(Stage("all", -1, epochs, RANDOM, 1.0))]
    reason = (
        "The network starts at random, so there is nothing worth freezing: everything learns from the first "
        f"step. {_time(train, seconds, epochs, minutes)}{_timed(card, measurements)}"
    )
    return Decision("stages", value, "measured", ("class-counts",), reason, f"speed: measurement; numbers: {JUDGEMENT}")


def _time(train: int, seconds: float, epochs: int, minutes: float) -> str:
    """How the number of epochs follows from the speed of this machine."""
    total = epochs * seconds / 60
    text = (
        f"An epoch of {train:,} examples takes about {seconds:.1f} s here, so {epochs} epochs take about "
        f"{total:.1f} min"
    )
    if total > minutes:
        return f"{text}: more than the {minutes:g} min allowed, but fewer epochs would not do."
    return f"{text}, within the {minutes:g} min allowed for a stage."
