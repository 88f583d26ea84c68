"""Every trap that a picture file can be: decoded right, or refused with its reason."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from instar.data.decode import MAX_PIXELS, Unreadable, decode, read_picture
from instar.data.folder import is_picture

WIDTH, HEIGHT = 48, 32


def scene() -> Image.Image:
    """Four quarters of plain colour: red, green over blue, white. Smooth enough for JPEG, and lopsided."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[:16, :24], pixels[:16, 24:] = (255, 0, 0), (0, 255, 0)
    pixels[16:, :24], pixels[16:, 24:] = (0, 0, 255), (255, 255, 255)
    return Image.fromarray(pixels)


def stored(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def near(found: NDArray[np.uint8], wanted: Image.Image, tolerance: int = 12) -> bool:
    """Whether the middles of the four quarters agree: edges are blurred by JPEG."""
    expected = np.asarray(wanted.convert("RGB"))
    if found.shape != expected.shape:
        return False
    h, w, _ = found.shape
    spots = [(y, x) for y in (h // 4, 3 * h // 4) for x in (w // 4, 3 * w // 4)]
    return all(np.abs(found[s].astype(int) - expected[s].astype(int)).max() <= tolerance for s in spots)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_pictures_come_upright(kind: str, turn: int) -> None:
    upright = scene()
    undo: dict[int, Callable[[Image.Image], Image.Image]] = {
        1: lambda i: i,
        2: lambda i: i.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda i: i.transpose(Image.Transpose.ROTATE_180),
        4: lambda i: i.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda i: i.transpose(Image.Transpose.TRANSPOSE),
        6: lambda i: i.transpose(Image.Transpose.ROTATE_90),
        7: lambda i: i.transpose(Image.Transpose.TRANSVERSE),
        8: lambda i: i.transpose(Image.Transpose.ROTATE_270),
    }
    exif = Image.Exif()
    exif[0x0112] = turn
    pixels = decode(stored(undo[turn](upright), kind, exif=exif))
    assert near(pixels, upright)
    assert pixels.flags["C_CONTIGUOUS"]


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGB", "RGBA", "LA"])
def test_png_modes(mode: str) -> None:
    picture = read_picture(stored(scene().convert(mode), "PNG"))
    assert (picture.format, picture.mode) == ("PNG", mode)
    assert near(picture.pixels, scene().convert(mode))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_modes(mode: str) -> None:
    picture = read_picture(stored(scene().convert(mode), "JPEG", quality=95))
    assert (picture.format, picture.mode) == ("JPEG", mode)
    assert near(picture.pixels, scene().convert(mode))


@pytest.mark.parametrize("kind", ["GIF", "BMP", "WEBP", "TIFF", "PPM"])
def test_other_formats(kind: str) -> None:
    assert near(decode(stored(scene(), kind)), scene(), 20)


def test_grey_is_three_equal_channels() -> None:
    for kind in ("JPEG", "PNG"):
        pixels = decode(stored(scene().convert("L"), kind))
        assert (pixels[..., :1] == pixels).all()


def test_transparency_lies_over_white() -> None:
    image = scene().convert("RGBA")
    image.putalpha(Image.new("L", image.size, 0))
    assert (decode(stored(image, "PNG")) == 255).all()
    image.putalpha(Image.new("L", image.size, 128))
    assert np.abs(decode(stored(image, "PNG"))[4, 4].astype(int) - (255, 127, 127)).max() <= 1


def test_a_transparent_palette_lies_over_white() -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((0, 0), 1)
    pixels = decode(stored(image, "PNG", transparency=0))
    assert pixels[0, 0].tolist() == [200, 100, 50]
    assert (pixels[1:] == 255).all()


def test_16_bits_are_scaled_and_not_cut_off() -> None:
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16)[None].repeat(4, axis=0)
    for kind in ("PNG", "TIFF"):
        pixels = decode(stored(Image.fromarray(ramp), kind))
        assert pixels.shape == (4, 256, 3)
        assert pixels[0, :, 0].tolist() == list(range(256))


def test_float_grey_is_stretched() -> None:
    ramp = np.linspace(-3, 7, 256, dtype=np.float32)[None].repeat(2, axis=0)
    assert decode(stored(Image.fromarray(ramp), "TIFF"))[0, :, 1].tolist() == list(range(256))


def test_the_first_frame_of_a_gif() -> None:
    frames = [scene(), Image.new("RGB", (WIDTH, HEIGHT))]
    assert near(decode(stored(frames[0], "GIF", save_all=True, append_images=frames[1:])), scene(), 20)


def test_the_name_does_not_matter(tmp_path: Path) -> None:
    """Content tells the format: a JPEG without suffix is a picture, a PNG named .jpg is a PNG."""
    (tmp_path / "tmp").write_bytes(stored(scene(), "JPEG"))
    (tmp_path / "b.jpg").write_bytes(stored(scene(), "PNG"))
    (tmp_path / "notes").write_text("not a picture")
    (tmp_path / "sound.wav").write_bytes(b"RIFF\x24\0\0\0WAVEfmt ")
    (tmp_path / "empty").write_bytes(b"")
    assert {p.name for p in tmp_path.iterdir() if is_picture(p)} == {"tmp", "b.jpg"}
    assert read_picture((tmp_path / "b.jpg").read_bytes()).format == "PNG"


def bomb(width: int, height: int) -> bytes:
    """A PNG that claims to be large, and is not: the header alone has to be enough to refuse it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


JPEG, PNG = stored(scene(), "JPEG"), stored(scene(), "PNG")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "zero bytes"),
        (b"<!DOCTYPE html>\n<html><title>404</title></html>", "an HTML page, not a picture"),
        (b"\n  <HTML><body>moved</body></HTML>", "an HTML page, not a picture"),
        (b'<?xml version="1.0"?><svg/>', "a drawing in XML, not a picture of pixels"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "a Git LFS pointer; fetch the files with git lfs pull",
        ),
        (b"just words", "not in a picture format that is known"),
        (JPEG[: len(JPEG) // 2], "truncated"),
        (JPEG[:-40], "truncated"),
        (JPEG[:3], "truncated"),
        (PNG[: len(PNG) // 2], "truncated"),
        (bomb(10_000, 9_000), "a decompression bomb"),
        (bomb(60_000, 60_000), "a decompression bomb"),
        (bomb(9_999, 8_000), "truncated"),
    ],
)
def test_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        decode(content)
    assert str(caught.value) == reason


def test_the_bombs_straddle_the_limit() -> None:
    assert 9_999 * 8_000 < MAX_PIXELS < 10_000 * 9_000


def test_damage_never_escapes_as_another_error() -> None:
    """Whatever is done to a file, it decodes or is `Unreadable`."""
    rng = np.random.default_rng(0)
    outcomes = set()
    for content in (JPEG, PNG, stored(scene(), "GIF"), stored(scene(), "TIFF"), stored(scene(), "WEBP")):
        for _ in range(60):
            broken = np.frombuffer(content, np.uint8).copy()
            broken[rng.integers(0, len(broken), 6)] = rng.integers(0, 256, 6)
            try:
                assert decode(broken.tobytes()).shape[2] == 3
                outcomes.add("decoded")
            except Unreadable:
                outcomes.add("refused")
    assert outcomes == {"decoded", "refused"}
