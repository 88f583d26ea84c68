"""The checks of each kind of data, in the order in which a person reads them."""

from instar.audit.balance import class_counts, small_classes
from instar.audit.check import Check
from instar.audit.columns import idle_columns, label_columns
from instar.audit.files import files
from instar.audit.image_checks import brightness, colour, sizes
from instar.audit.image_quality import blur, borders, channels
from instar.audit.integrity import columns, encoding, unreadable
from instar.audit.junk import junk_classes
from instar.audit.labels import conflicting_labels, ordered_labels
from instar.audit.leakage import exact_twins, unlabelled
from instar.audit.near_twins import near_twin_pictures, near_twin_texts
from instar.audit.shortcuts import image_shortcuts, text_shortcuts
from instar.audit.text_checks import lengths, mojibake, short_texts
from instar.audit.text_quality import language, markup, vocabulary
from instar.audit.text_shortcuts import one_word_labels, whitespace_label

COMMON: tuple[Check, ...] = (
    unreadable,
    files,
    columns,
    idle_columns,
    encoding,
    class_counts,
    small_classes,
    junk_classes,
    ordered_labels,
    exact_twins,
    conflicting_labels,
    unlabelled,
    label_columns,
)
IMAGE_CHECKS: tuple[Check, ...] = (
    *COMMON,
    near_twin_pictures,
    image_shortcuts,
    sizes,
    colour,
    brightness,
    channels,
    blur,
    borders,
)
TEXT_CHECKS: tuple[Check, ...] = (
    *COMMON,
    near_twin_texts,
    text_shortcuts,
    one_word_labels,
    whitespace_label,
    lengths,
    mojibake,
    markup,
    short_texts,
    language,
    vocabulary,
)
