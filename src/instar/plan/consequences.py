"""What each finding changed in the plan, or why it changed nothing."""

from typing import NamedTuple

from instar.plan.rows import OPEN
from instar.records import Audit, Plan

KEPT = (
    "rows are kept and reported, and a person may leave them and their exact copies out of the training with "
    "--set exclude="
)
PAIRS = (
    "both of a pair are kept and reported, and a person may leave one of them (the one in train, where one is) and its "
    "exact copies out of the training with --set exclude="
)
REASONS: dict[str, str] = {
    "unreadable": "what cannot be read was set aside when the data were opened, and takes no part in anything",
    "files": "what a file holds is told by its content, whatever it is called, and other files take no part",
    "columns": "the columns were chosen when the data were opened; to name others, start a new run",
    "idle-columns": "the network sees the input alone, and no other column",
    "encoding": "the table was decoded when the data were opened, and everything after that rests on what was read",
    "label-columns": "the network sees the input alone, so no other column can tell it the label",
    "small-classes": "only more examples would help; what follows from the sizes of classes rests on class-counts",
    "unlabelled": "rows without a label are kept apart, and are neither trained on nor scored",
    "brightness": f"{KEPT}brightness",
    "channels": "a network is fed with the mean and deviation that it was trained with, whatever those of the set are",
    "blur": f"{KEPT}blur",
    "borders": "it is known how much of a picture its border takes, not on which side; where it is the same on all, "
    "cut it off before",
    "one-word-labels": "short texts are as good an input as others; that copies of them stand on one side of a split "
    "alone follows from exact-twins",
    "short-texts": f"{KEPT}short-texts",
    "language": "no rule knows which languages a network has read: for another network name it with --backbone; "
    f"{KEPT}language",
    "vocabulary": "whether these words should tell the classes apart is for a person to judge",
    "confusable-classes": "no setting aims at single pairs of classes; whether labels are wrong there, or two classes "
    "are one, is for a person to judge",
    "suspect-labels": f"{KEPT}suspect-labels",
    "conflicting-labels": f"{KEPT}conflicting-labels",
    "junk-classes": "what is left over is an answer like any other while its class is there; to be rid of it, make a "
    "set without it with `instar compose`",
    "outliers": f"{KEPT}outliers",
    "feature-twins": "what a split keeps together was settled when the data were opened, before there were features; "
    f"{PAIRS}feature-twins",
    "feature-map": "it is a picture for a reader",
}
"""Why no rule makes anything of a finding."""
OTHERWISE: dict[str, str] = {
    "near-twins": f"near copies are not kept together here, as the reason of the grouping tells; {PAIRS}near-twins",
    "separability": "the backbone is the first that can be loaded, unless several are named for the plan to score, and "
    "how much is thawed goes by a probe only where that is nearly always right; for another network name it with "
    "--backbone",
    "shortcuts": "no value rests on it here; what becomes of its trait stands in the reasons of augment, fit and clean",
    "whitespace-label": "capitals belong to what is written, and no repair touches them",
    "mirror": "the names of the classes or their order forbid mirroring, whatever a probe makes of it",
    "learning-curve": "only more examples would bring what it promises, and how much is thawed goes by those there are",
}
"""Why a finding that a rule looks at may have no say in this plan."""
NEWER = "the plan is older than this finding; plan again"
"""Why a finding that a rule looks at has no say where its absence is the only reason."""


class Consequence(NamedTuple):
    """What a finding changed."""

    code: str
    fields: tuple[str, ...]
    """Fields of the recipe whose live decisions rest on it."""
    reason: str
    """Where there are none: no consequence, because ..."""


def consequences(plan: Plan, audit: Audit) -> tuple[Consequence, ...]:
    """For each finding that is an issue or worth a note, and for each other that a decision in force rests on, in the
    order of the audit.
    """
    live = plan.live()
    named = {code for decision in live.values() for code in decision.because}
    named |= set(live["exclude"].value) if "exclude" in live else set()
    return tuple(_of(f.code, plan) for f in audit.findings if f.verdict in OPEN or f.code in named)


def _of(code: str, plan: Plan) -> Consequence:
    live = plan.live()
    fields = tuple(
        name for name, d in live.items() if code in d.because or (name == "exclude" and code in (d.value or ()))
    )
    if fields:
        return Consequence(code, fields, "")
    overruled = list(dict.fromkeys(d.field for d in plan.decisions if code in d.because))
    if overruled:
        because = f"{' and '.join(overruled)}, which rested on it, {'was' if len(overruled) == 1 else 'were'} asked for"
    else:
        because = OTHERWISE.get(code) or REASONS.get(code, NEWER)
    return Consequence(code, (), f"no consequence, because {because}")
