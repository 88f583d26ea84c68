"""The kinds of data that instar knows."""

from instar.modality.base import Modality
from instar.modality.image import IMAGE
from instar.modality.text import TEXT

MODALITIES: dict[str, Modality] = {m.name: m for m in (IMAGE, TEXT)}
