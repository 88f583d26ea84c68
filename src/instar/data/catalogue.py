"""The sets that instar knows by name: where they come from, how they lie, and what to know about them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A known set. Figures are those of its source; `fetch` records what it really got."""

    name: str
    source: str
    """kaggle:owner/name, or mirror:name for those that `data.mirrors` downloads."""
    title: str
    layout: str
    classes: int
    examples: int
    """With a label."""
    download_mb: int
    """Roughly, in units of a million bytes."""
    licence: str
    citation: str
    know: tuple[str, ...]
    """What to know before training on it."""
    image: str | None = None
    text: str | None = None
    label: str | None = None
    """Columns of its table; None where a folder says the class, or where there are no such columns."""


KAGGLE_LICENCE = "as its owner states on Kaggle; `instar fetch` records it"

BUTTERFLY = Entry(
    name="butterfly",
    source="kaggle:phucthaiv02/butterfly-image-classification",
    title="Butterfly image classification",
    layout="Training_set.csv (filename, label) with train/*.jpg; Testing_set.csv with test/*.jpg, no labels",
    classes=75,
    examples=6499,
    download_mb=230,
    licence=KAGGLE_LICENCE,
    citation="phucthaiv02, Butterfly Image Classification, Kaggle, "
    "https://www.kaggle.com/datasets/phucthaiv02/butterfly-image-classification",
    know=(
        "pictures are 224 x 224 already",
        "names of files in test/ repeat those of other pictures in train/",
        "the test pictures have no labels, so instar takes its own test split out of the labelled ones",
    ),
    image="filename",
    label="label",
)
MCDONALDS = Entry(
    name="mcdonalds",
    source="kaggle:nelgiriyewithana/mcdonalds-store-reviews",
    title="McDonald's store reviews",
    layout="McDonald_s_Reviews.csv, a review a row, ten columns",
    classes=5,
    examples=33396,
    download_mb=2,
    licence=KAGGLE_LICENCE,
    citation="Nidula Elgiriyewithana, McDonald's Store Reviews, Kaggle, "
    "https://www.kaggle.com/datasets/nelgiriyewithana/mcdonalds-store-reviews",
    know=(
        "the table is not UTF-8; it reads right as cp1252",
        "many short reviews occur more than once, some under different ratings",
        "ratings are ordered: 1 star to 5 stars",
    ),
    text="review",
    label="rating",
)
CALTECH101 = Entry(
    name="caltech101",
    source="mirror:caltech101",
    title="Caltech-101",
    layout="a folder per class below 101_ObjectCategories/",
    classes=102,
    examples=9145,
    download_mb=137,
    licence="CC BY 4.0",
    citation="F.-F. Li, M. Andreeto, M. Ranzato, P. Perona, Caltech 101 (1.0), CaltechDATA, 2022, "
    "https://doi.org/10.22002/D1.20086",
    know=(
        "BACKGROUND_Google is no kind of object but clutter; published figures often leave it out",
        "classes have from 31 to 800 pictures; published figures are means per class, 15 or 30 to train on",
        "Faces and Faces_easy show the same people",
    ),
)
FLOWERS102 = Entry(
    name="flowers102",
    source="mirror:flowers102",
    title="Oxford 102 flowers",
    layout="jpg/*.jpg and flowers102.csv (filename, label, split), which instar makes of the authors' lists",
    classes=102,
    examples=8189,
    download_mb=345,
    licence="none stated by its authors; the pictures were gathered from the web",
    citation="M.-E. Nilsback, A. Zisserman, Automated Flower Classification over a Large Number of Classes, "
    "ICVGIP 2008",
    know=(
        "the split of the authors trains on 10 pictures a class and tests on 6,149, most of the set",
        "some papers train on the large part instead; compare figures only for the same split",
    ),
    image="filename",
    label="label",
)
CATALOGUE = {entry.name: entry for entry in (BUTTERFLY, MCDONALDS, CALTECH101, FLOWERS102)}
