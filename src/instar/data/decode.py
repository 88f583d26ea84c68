"""The bytes of a picture to pixels, whatever they claim to be.

Plain JPEG goes to simplejpeg (libjpeg-turbo: 0.34 ms for 224 x 224, Pillow needs 0.95 ms), everything else to
Pillow.
"""

import io
import re
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

MAX_PIXELS = 89_478_485
"""Largest picture that is decoded: a quarter GiB as RGB, the limit from which on Pillow warns of a bomb."""
ORIENTATION = 0x0112
"""EXIF tag: how the camera was held."""
MAGIC = re.compile(rb"\xff\xd8\xff|\x89PNG|GIF8|BM.{4}\0{4}|II\*\0|MM\0\*|RIFF.{4}WEBP", re.DOTALL)
"""First bytes of JPEG, PNG, GIF, BMP, TIFF and WebP; at most 12."""

# Pillow tells of oversized pictures and of damaged metadata by warnings. The first are refused, the second
# are of no concern: what cannot be decoded raises. Filters are set once because `catch_warnings` is not safe
# between threads.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


class Unreadable(ValueError):
    """These bytes give no picture; the message is a short reason, the same for the same fault."""


@dataclass(frozen=True)
class Picture:
    """A decoded picture and how it was stored."""

    pixels: NDArray[np.uint8]
    """(H, W, 3), RGB, upright."""
    format: str
    """JPEG, PNG ..., by content, not by name."""
    mode: str
    """Pillow's name for how colours are stored: RGB, L, P, CMYK, RGBA, I;16 ..."""


def decode(content: bytes) -> NDArray[np.uint8]:
    """Pixels (H, W, 3) RGB, upright. Raises `Unreadable`."""
    return read_picture(content).pixels


def read_picture(content: bytes) -> Picture:
    """Decode a picture: upright by its EXIF tag, first frame only, in RGB.

    Grey becomes three equal channels; transparency is laid over white; 16-bit grey is scaled from 0..65535 to
    0..255 (a plain conversion cuts off at 255); 32-bit and float grey, which have no fixed white, are scaled
    from their lowest to their highest value. Sizes are checked in the header, before any pixel is decoded.

    Raises:
        Unreadable: with the reason, for anything that does not decode to the last row.
    """
    if not content:
        raise Unreadable("zero bytes")
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Unreadable("a decompression bomb")
            pixels = _pixels(image, content)
            turn = image.getexif().get(ORIENTATION, 1)  # after decoding: Pillow turns TIFF itself and drops the tag
            return Picture(_upright(pixels, turn), str(image.format), image.mode)
    except Unreadable:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unreadable("a decompression bomb") from None
    except Exception as error:  # a damaged file makes Pillow raise almost anything
        raise Unreadable(_reason(content, error)) from None


def _pixels(image: Image.Image, content: bytes) -> NDArray[np.uint8]:
    """RGB as stored, not yet turned."""
    if image.format in ("JPEG", "MPO") and image.mode in ("RGB", "L"):
        try:
            return np.asarray(simplejpeg.decode_jpeg(content, colorspace="RGB"))
        except ValueError:  # it refuses slight damage that Pillow repairs
            return np.asarray(image.convert("RGB"))
    if image.mode.startswith("I;16"):
        grey = np.asarray(image).astype(np.uint32)
        return _three(((grey + 128) // 257).astype(np.uint8))
    if image.mode in ("I", "F"):
        values = np.asarray(image, dtype=np.float64)
        low, high = (0.0, 65535.0) if image.format == "PNG" else (np.nanmin(values), np.nanmax(values))
        scaled = np.nan_to_num((values - low) / max(high - low, 1e-12) * 255)
        return _three(np.clip(scaled.round(), 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return np.asarray(Image.alpha_composite(white, rgba).convert("RGB"))
    return np.asarray(image.convert("RGB"))


def _three(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(grey[:, :, None], 3, axis=2)


def _upright(pixels: NDArray[np.uint8], turn: Any) -> NDArray[np.uint8]:
    """Undo the EXIF orientation (1 to 8: CIPA DC-008, table of tag Orientation)."""
    if turn in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    flip_rows, flip_columns = turn in (3, 4, 7, 8), turn in (2, 3, 6, 7)
    return np.ascontiguousarray(pixels[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1])


def _reason(content: bytes, error: Exception) -> str:
    """Why the bytes give no picture, in words that do not depend on the file."""
    start = content[:1024].lstrip().lower()
    if re.match(rb"<!doctype html|<html|<head|<body", start) or b"<html" in start:
        return "an HTML page, not a picture"
    if start.startswith((b"<svg", b"<?xml")):
        return "a drawing in XML, not a picture of pixels"
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer; fetch the files with git lfs pull"
    if isinstance(error, UnidentifiedImageError):
        return "truncated" if MAGIC.match(content) else "not in a picture format that is known"
    return "truncated" if "truncat" in str(error).lower() else "damaged"
