"""The checks of each kind of data, in the order in which a person reads them."""

from instar.audit.balance import class_counts, small_classes
from instar.audit.check import Check
from instar.audit.image_checks import brightness, colour, sizes
from instar.audit.integrity import columns, encoding, unreadable
from instar.audit.labels import conflicting_labels, ordered_labels
from instar.audit.leakage import exact_twins, unlabelled
from instar.audit.text_checks import lengths, mojibake, short_texts

COMMON: tuple[Check, ...] = (
    unreadable,
    columns,
    encoding,
    class_counts,
    small_classes,
    ordered_labels,
    exact_twins,
    conflicting_labels,
    unlabelled,
)
IMAGE_CHECKS: tuple[Check, ...] = (*COMMON, sizes, colour, brightness)
TEXT_CHECKS: tuple[Check, ...] = (*COMMON, lengths, mojibake, short_texts)
