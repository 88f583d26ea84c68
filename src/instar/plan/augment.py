"""Which changes a training example may undergo without changing what it is."""

import re
from collections.abc import Collection

from instar.records import Audit, Decision

SIDES = re.compile(r"(?<![a-z])(left|right)(?![a-z])", re.IGNORECASE)
"""Class names that a mirror would make wrong."""


def augment(audit: Audit, augmentations: Collection[str]) -> Decision:
    """The augmentations that fit the findings, among those that the modality has.

    Args:
        audit: `colour` says whether lack of colour gives classes away, `ordered-labels` names the classes.
        augmentations: what the modality can do; none for texts so far.
    """
    if not augmentations:
        reason = "No change of this kind of data is known that surely keeps the label."
        return Decision("augment", [], "fixed", (), reason, "our judgement")
    labels, colour = audit["ordered-labels"].evidence, audit["colour"].evidence
    sided = [name for name in labels["classes"] if SIDES.search(name)]
    value: list[str] = ["random_resized_crop"]
    parts = ["Random crops show every picture at other places and sizes (arXiv 1409.4842)."]
    if sided:
        parts.append(f"No mirroring: “{sided[0]}” would become wrong.")
    elif labels["ordered"]:
        parts.append("No mirroring: in ordered classes, such as the hands of a dial, direction may count.")
    else:
        value.append("horizontal_flip")
        parts.append("Mirrored pictures keep their class; no class name speaks of left or right.")
    if colour["grey_classes"]:
        value.append("grayscale")
        classes = ", ".join(colour["grey_classes"])
        parts.append(f"Every picture of {classes} is grey: grey copies of the others take that shortcut away.")
    assert set(value) <= set(augmentations), (value, augmentations)
    because = ("ordered-labels", "colour")
    return Decision("augment", value, "rule", because, " ".join(parts), "our judgement")
