"""What the training minimises, and what chooses the checkpoint."""

from instar.audit.balance import UNEVEN, VERY_UNEVEN
from instar.modality.modalities import MODALITIES
from instar.records import Audit, Basis, Card, Decision

MANY_CLASSES = 10
"""Classes from which smoothed labels are used (our judgement)."""
SMOOTHING = 0.1


def metric(audit: Audit) -> Decision:
    """macro_f1 where classes are of uneven size or ordered, else accuracy."""
    ratio = audit["class-counts"].evidence["ratio"]
    ordered = audit["ordered-labels"].evidence["ordered"]
    because: tuple[str, ...] = ("class-counts", "ordered-labels")
    if ratio > UNEVEN:
        reason = (
            f"The largest class is {ratio:.2f} times the smallest (more than {UNEVEN}); macro-F1 counts "
            "every class alike, accuracy would favour the large ones."
        )
        because = ("class-counts",)
    elif ordered:
        because = ("ordered-labels",)
        reason = "The classes are ordered; macro-F1 keeps the checkpoint from giving up the ones in the middle."
    else:
        reason = f"The largest class is {ratio:.2f} times the smallest (no more than {UNEVEN}): accuracy is fair."
    value = "macro_f1" if ratio > UNEVEN or ordered else "accuracy"
    return Decision("metric", value, "rule", because, reason, "our judgement")


def loss_weights(audit: Audit) -> Decision:
    """Balanced only where small classes would be ignored otherwise."""
    ratio = audit["class-counts"].evidence["ratio"]
    if ratio > VERY_UNEVEN:
        value = "balanced"
        reason = (
            f"The largest class is {ratio:.2f} times the smallest (more than {VERY_UNEVEN:.0f}): without "
            "weights the small ones would hardly move the network."
        )
    else:
        value = "none"
        reason = (
            f"The largest class is {ratio:.2f} times the smallest (no more than {VERY_UNEVEN:.0f}); weights "
            "would cost calibration and gain little."
        )
    return Decision("loss_weights", value, "rule", ("class-counts",), reason, "our judgement")


def label_smoothing(audit: Audit, card: Card) -> Decision:
    """Smoothed labels for pictures of many unordered classes on a pre-trained network."""
    classes = audit["class-counts"].evidence["classes"]
    plain = MODALITIES[card.modality].habits.plain_labels
    because: tuple[str, ...] = ("class-counts", "ordered-labels")
    if plain:
        value, reason, because = 0.0, plain, ()
    elif not card.pretrained:
        value, reason, because = 0.0, "The network starts at random and has nothing yet to be overconfident about.", ()
    elif audit["ordered-labels"].evidence["ordered"]:
        value, reason = 0.0, "The classes are ordered: smoothing would favour far classes as much as near ones."
        because = ("ordered-labels",)
    elif classes < MANY_CLASSES:
        value, reason = (
            0.0,
            f"{classes} classes are few (fewer than {MANY_CLASSES}): plain labels keep calibration.",
        )
        because = ("class-counts",)
    else:
        value = SMOOTHING
        reason = f"{classes} unordered classes: smoothing keeps the network from growing overconfident in one."
    basis: Basis = "rule" if because else "fixed"
    source = "arXiv 1906.02629; when to use it: our judgement"
    return Decision("label_smoothing", value, basis, because, reason, source)
