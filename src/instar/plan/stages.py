"""What is frozen when, for how long and at which rates."""

import math
from dataclasses import asdict

from instar.plan.engine import fastest
from instar.plan.rates import DECAY, peak
from instar.records import Audit, Card, Dataset, Decision, Measurements, Stage, Timing

MINUTES, MINUTES_SMALL = 10.0, 2.0
"""What a stage may take on this machine; and from scratch on a small set."""
SMALL = 2_000
"""Training examples below which a set counts as small."""
FEW_PER_CLASS = 30
"""Training examples a class below which less of the trunk is thawed."""
EPOCHS_PRETRAINED, EPOCHS_TEXT, EPOCHS_SCRATCH = (2, 12), (2, 6), (10, 40)
MEASURED_SHARE = 0.5
"""Share of the trunk that was thawed when `Timing.training` was measured."""


def epoch_seconds(timing: Timing, train: int, val: int, share: float) -> float:
    """Seconds of one epoch with a validation pass.

    Backward through the thawed part takes what training takes beyond inference, in proportion to the share of
    the trunk that is thawed.
    """
    forward, training = 1 / timing.forward, 1 / timing.training
    backward = max(training - forward, 0.0) * share / MEASURED_SHARE
    return train * (forward + backward) + val * forward


def stages(dataset: Dataset, audit: Audit, card: Card, measurements: Measurements) -> Decision:
    """Pre-trained: the head, then the upper part of the trunk with it. From scratch: everything at once."""
    if card.pretrained:
        return _thawing(dataset, audit, card, measurements)
    return _all_at_once(dataset, measurements, peak(card))


def _thawing(dataset: Dataset, audit: Audit, card: Card, measurements: Measurements) -> Decision:
    counts = audit["class-counts"].evidence
    train, val = dataset.part("train").height, dataset.part("val").height
    trunk = sum(group.role == "trunk" for group in card.groups)
    a_class = train / counts["classes"]
    divisor, part = (3, "third") if a_class < FEW_PER_CLASS else (2, "half")
    thaw = math.ceil(trunk / divisor) if trunk else -1
    share = thaw / trunk if trunk else 1.0
    least, most = EPOCHS_TEXT if card.spec.tokenizer else EPOCHS_PRETRAINED
    timing = fastest(measurements)
    seconds = epoch_seconds(timing, train, val, share)
    epochs = min(max(int(MINUTES * 60 / seconds), least), most)
    value = [
        asdict(Stage("head", 0, 1, 1e-3, 1.0)),
        asdict(Stage("top", thaw, epochs, peak(card), DECAY)),
    ]
    opened = f"the upper {part} of the trunk ({thaw} of {trunk} depth groups)" if trunk else "the whole network"
    reason = (
        "First the new head alone, on features of the frozen network, so that a random head does not spoil "
        f"what was learnt before; then {opened} with it, as there are {a_class:,.0f} training "
        f"{dataset.modality}s a class, each group at {DECAY} times the rate of the one above. Frozen groups "
        f"keep their BatchNorm statistics. {_time(train, seconds, epochs, MINUTES)}"
    )
    source = (
        "head first: arXiv 2202.10054; freezing the lower layers: arXiv 1411.1792; rates by depth: "
        "arXiv 1801.06146; speed: measurement; numbers: our judgement"
    )
    return Decision("stages", value, "measured", ("class-counts",), reason, source)


def _all_at_once(dataset: Dataset, measurements: Measurements, lr: float) -> Decision:
    train, val = dataset.part("train").height, dataset.part("val").height
    minutes = MINUTES_SMALL if train < SMALL else MINUTES
    timing = fastest(measurements)
    seconds = epoch_seconds(timing, train, val, 1.0)
    least, most = EPOCHS_SCRATCH
    epochs = min(max(int(minutes * 60 / seconds), least), most)
    value = [asdict(Stage("all", -1, epochs, lr, 1.0))]
    reason = (
        "The network starts at random, so there is nothing worth freezing: everything learns from the first "
        f"step. {_time(train, seconds, epochs, minutes)}"
    )
    return Decision(
        "stages", value, "measured", ("class-counts",), reason, "speed: measurement; numbers: our judgement"
    )


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
