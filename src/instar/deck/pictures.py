"""Pictures brought to the size at which a slide shows them, so that a deck stays small."""

import io
from pathlib import Path

from PIL import Image

from instar.data.decode import decode

DENSITY = 160
"""Pixels an inch: a slide 13.3 inches wide fills a screen of 2100 pixels."""
QUALITY = 85


def reduced(path: Path, inches: float) -> bytes:
    """A picture as JPEG, not larger than a box `inches` wide needs and never larger than it is."""
    picture = Image.fromarray(decode(path.read_bytes()))
    wanted = round(inches * DENSITY)
    if picture.width > wanted:
        tall = max(round(picture.height * wanted / picture.width), 1)
        picture = picture.resize((wanted, tall), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
