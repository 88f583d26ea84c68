"""Which changes a training example may undergo without changing what it is."""

import re
from collections.abc import Collection

from instar.audit.frozen_mirror import HARM, turned
from instar.audit.shortcuts import percent_points
from instar.audit.wording import listed, number, percent
from instar.plan.rows import OPEN
from instar.prepare.flipped import FLIP
from instar.records import Audit, Basis, Decision, Finding

SIDES = re.compile(r"(?<![a-z])(left|right)(?![a-z])", re.IGNORECASE)
"""Class names that a mirror would make wrong."""
VISIBLE = ("brightness", "contrast", "sharpness", "border")
"""Traits of `shortcuts` that a network sees whatever the size of its input."""
JUDGEMENT = "our judgement"


def augment(audit: Audit, augmentations: Collection[str]) -> Decision:
    """The augmentations that fit the findings, among those that the modality has.

    Args:
        audit: `ordered-labels` names the classes, `mirror` tells what a mirror does to the answers of a probe (where
            frozen features were looked at), `colour` and `shortcuts` whether lack of colour gives classes away; the
            last has a say only where it does.
        augmentations: what the modality can do; none for texts so far.
    """
    if not augmentations:
        reason = "No change of this kind of data is known that surely keeps the label."
        return Decision("augment", [], "fixed", (), reason, JUDGEMENT)
    flips, mirrored, measured = _mirrored(audit)
    grey, coloured, told = _grey(audit)
    value = ["random_resized_crop", *([FLIP] if flips else []), *(["grayscale"] if grey else [])]
    assert set(value) <= set(augmentations), (value, augmentations)
    parts = ["Random crops show every picture at other places and sizes (arXiv 1409.4842).", mirrored, coloured]
    because = ["ordered-labels", "colour"]
    because += ["mirror"] if measured else []
    because += ["shortcuts"] if told else []
    basis: Basis = "measured" if measured else "rule"
    source = f"mirroring: measurement on frozen features; the rest: {JUDGEMENT}" if measured else JUDGEMENT
    return Decision("augment", value, basis, tuple(because), " ".join(part for part in parts if part), source)


def test_augment(augment: Decision, names: Collection[str]) -> Decision:
    """Whether an answer is the mean over an example and its mirror image: where the training has shown both.

    Args:
        augment: the decision on the augmentations of the training.
        names: these, as decided or as the user wants them.
    """
    if FLIP not in names:
        reason = "The training shows no mirror images, so none are asked when an example is answered."
        return Decision("test_augment", [], "fixed", (), reason, JUDGEMENT)
    reason = (
        "The training shows pictures and their mirror images as the same, so an answer is the mean of the "
        "probabilities of both, for twice the time to answer. To save it: --set test_augment=[]."
    )
    source = "test-time augmentation: doi:10.1145/3065386; measured in docs/LOG.md"
    return Decision("test_augment", [FLIP], "rule", augment.because, reason, source)


def _mirrored(audit: Audit) -> tuple[bool, str, bool]:
    """Whether to mirror, why, and whether a measurement had a say.

    Names that speak of sides, and order, forbid it whatever was measured: a network that has learnt from mirrored
    pictures, as most have, hardly tells a mirrored one from the other, right or wrong.
    """
    labels, mirror = audit["ordered-labels"].evidence, audit.get("mirror")
    measured = mirror if mirror is not None and mirror.verdict in (*OPEN, "passed") else None
    sided = [name for name in labels["classes"] if SIDES.search(name)]
    if sided:
        return False, f"No mirroring: “{sided[0]}” would become wrong.", False
    if labels["ordered"]:
        return False, "No mirroring: in ordered classes, such as the hands of a dial, direction may count.", False
    if measured is None:
        return True, "Mirrored pictures keep their class; no class name speaks of left or right.", False
    return _tried(measured)


def _tried(mirror: Finding) -> tuple[bool, str, bool]:
    """What the probe on frozen features made of mirrored pictures that it had not learnt from."""
    found = mirror.evidence
    figures = (
        f"a mirror changes {percent(found['changed'])} of the answers of a probe on frozen features to "
        f"{number(found['n'])} pictures, and {percent(found['mirrored_accuracy'])} are right where it was "
        f"{percent(found['accuracy'])} (difference {percent_points(found['difference'])}, 95 % interval "
        f"{percent_points(found['low'])} to {percent_points(found['high'])} points)"
    )
    if found["swapped"]:
        swap = found["swapped"][0]
        return (
            False,
            f"No mirroring: in a mirror {turned(swap)}, by the answers of a probe on frozen features, which is surely "
            f"more than {percent(found['swap'])} of such pictures (lower bound {percent(swap['surely'])}, for all "
            "classes together), so one class alone forbids it.",
            True,
        )
    if found["high"] <= -HARM:
        return False, f"No mirroring: {figures}, so direction tells something.", True
    return True, f"Mirrored pictures keep their class: {figures}, and no class name speaks of left or right.", True


def _grey(audit: Audit) -> tuple[bool, str, bool]:
    """Whether to take colours away now and then, why, and whether it is `shortcuts` that says so."""
    shortcuts, classes, told = audit["shortcuts"], list(audit["colour"].evidence["grey_classes"]), False
    parts: list[str] = []
    if classes:
        parts.append(f"Every picture of {listed(classes)} is grey: grey copies of the others take that shortcut away.")
    elif shortcuts.verdict in OPEN:
        classes = [name for name, trait in shortcuts.evidence["classes_given_away"] if trait == "grey"]
        if classes:
            told = True
            parts.append(
                f"Lack of colour gives {listed(classes)} away: grey copies of the others take that shortcut away."
            )
    if shortcuts.verdict in OPEN and (best := shortcuts.evidence["best"]) in VISIBLE:
        parts.append(f"Of what is not content, {best} tells the class best, and no augmentation here takes that away.")
    elif shortcuts.verdict in OPEN and best not in ("grey", "mode"):
        parts.append(f"Of what is not content, {best} tells the class best; that is a matter of the file or of `fit`.")
    return bool(classes), " ".join(parts), told
