"""Images: what differs from other kinds of data."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from instar.audit.doubts import IMAGE_DOUBTS
from instar.audit.families import IMAGE_CHECKS
from instar.data.folder import is_picture
from instar.data.measure_images import measure
from instar.errors import UserError
from instar.modality.base import Feed, Modality
from instar.modality.cheap import logistic
from instar.modality.extent import pixels
from instar.modality.habits import Habit, Habits
from instar.modality.image_files import place_images
from instar.modality.thumbnails import Thumbnails
from instar.prepare.augment_names import AUGMENTATIONS
from instar.records import Dataset, Gallery, Picture

THUMBNAIL = 8
"""Side in pixels of the pictures that the cheap baseline sees: colours and rough layout, no shapes."""


def feed() -> Feed:
    """The torch side of images."""
    from instar.modality.image_feed import FEED

    return FEED


def show(dataset: Dataset, ids: Sequence[str], captions: Sequence[str], tones: Sequence[str]) -> Gallery:
    """The pictures themselves, from where they lie."""
    where = {row["id"]: row["input"] for row in dataset.table.select("id", "input").iter_rows(named=True)}
    pictures = [
        Picture(str(Path(dataset.root) / where[id_]), caption, caption or id_, tone)  # type: ignore[arg-type]
        for id_, caption, tone in zip(ids, captions, tones, strict=True)
    ]
    return Gallery(tuple(pictures), min(len(pictures), 6))


def cheap(dataset: Dataset) -> NDArray[np.float64]:
    """Logistic regression on 8 x 8 thumbnails: how far colour and rough layout alone go."""
    seen = Thumbnails(dataset, THUMBNAIL)
    return logistic(dataset, lambda rows: seen.of(rows).reshape(rows.height, -1) / 255)


def gather(arguments: Sequence[str], dataset: Dataset) -> list[str]:
    """Paths of pictures for `predict`: files as they are, folders searched for pictures."""
    found: list[str] = []
    for argument in arguments:
        path = Path(argument)
        if path.is_dir():
            found += sorted(str(p) for p in path.rglob("*") if is_picture(p))
        elif path.exists():
            found.append(argument)
        else:
            raise UserError(f"{argument} does not exist; name pictures or folders of pictures")
    if not found:
        raise UserError("no picture to predict; name pictures or folders of pictures")
    return found


HABITS = Habits(
    epochs=(2, 12),
    rate=Habit(
        1e-3,
        "Of the peak rates tried this one gained most in stages of 500 steps and more; in shorter ones it could harm "
        "what the solved head had reached, and a third of it did not.",
        "measurement with frozen BatchNorm statistics (docs/LOG.md, rates of the stage top)",
    ),
    steps=500,
    weight_decay=Habit(
        0.05,
        "Usual for pictures with AdamW; decoupled from the rate's gradient steps.",
        "arXiv 1711.05101; arXiv 2012.12877",
    ),
    dropout=Habit(0.2, "As before the classifier of MobileNetV2 and EfficientNet-B0.", "arXiv 1905.11946"),
    plain_labels="",
)
IMAGE = Modality(
    name="image",
    many="images",
    files=True,
    measure=measure,
    checks=IMAGE_CHECKS,
    doubts=IMAGE_DOUBTS,
    fits=("crop", "pad", "squash"),
    augmentations=AUGMENTATIONS,
    repairs={},
    habits=HABITS,
    extent=pixels,
    unit="pixels a side",
    bounded=False,
    backbones=("timm:mobilenetv2_100", "torchvision:mobilenet_v2", "scratch:convnet"),
    feed=feed,
    show=show,
    gather=gather,
    column="filename",
    place=place_images,
    cheap=cheap,
    cheap_name=f"logistic regression on {THUMBNAIL} x {THUMBNAIL} thumbnails",
)
