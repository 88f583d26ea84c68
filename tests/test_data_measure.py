"""What is measured of pictures and texts."""

import hashlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image, ImageFilter

from instar.data import measure_images, measure_texts


def pictures(folder: Path, **images: Image.Image) -> pl.DataFrame:
    for name, image in images.items():
        image.save(folder / f"{name}.png")
    return pl.DataFrame({"id": list(images), "input": [f"{name}.png" for name in images]})


def noise(seed: int, size: tuple[int, int] = (40, 30)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def test_twins_have_equal_pixels_and_shape(tmp_path: Path) -> None:
    rows = pictures(
        tmp_path,
        a=noise(1),
        b=noise(2),
        c=noise(1),
        flat=Image.new("RGB", (40, 10)),
        tall=Image.new("RGB", (10, 40)),
    )
    Image.open(tmp_path / "a.png").save(tmp_path / "a.bmp")
    rows = rows.vstack(pl.DataFrame({"id": ["d"], "input": ["a.bmp"]}))
    found = measure_images.measure(rows, tmp_path)
    twin = dict(found.select("id", "twin").iter_rows())
    assert twin["a"] == twin["c"] == twin["d"]
    assert len(set(twin.values())) == 4


def test_measurements_of_a_picture(tmp_path: Path) -> None:
    half = Image.new("RGB", (200, 100))
    half.paste((255, 255, 255), (100, 0, 200, 100))
    rows = pictures(tmp_path, half=half, red=Image.new("RGB", (7, 5), (255, 0, 0)), grey=half.convert("L"))
    found = measure_images.measure(rows, tmp_path)
    assert found.schema == measure_images.SCHEMA
    assert found["measure.width"].to_list() == [200, 7, 200]
    assert found["measure.height"].to_list() == [100, 5, 100]
    assert found["measure.brightness"].to_list() == pytest.approx([0.5, 0.299, 0.5], abs=0.01)
    assert found["measure.contrast"].to_list() == pytest.approx([0.5, 0, 0.5], abs=0.01)
    assert found["measure.grey"].to_list() == [True, False, True]
    assert found["measure.mode"].to_list() == ["RGB", "RGB", "L"]
    content = (tmp_path / "red.png").read_bytes()
    assert found["measure.sha256"][1] == hashlib.sha256(content).hexdigest()
    assert found["measure.bytes"][1] == len(content)


def test_what_cannot_be_read_has_its_reason(tmp_path: Path) -> None:
    rows = pictures(tmp_path, good=noise(0))
    (tmp_path / "empty.png").write_bytes(b"")
    names = ["empty.png", "lost.png", "."]
    rows = rows.vstack(pl.DataFrame({"id": names, "input": names}))
    found = measure_images.measure(rows, tmp_path)
    assert found["error"].to_list() == [None, "zero bytes", "file missing", "file missing"]
    assert found["twin"].is_null().to_list() == [False, True, True, True]


def test_order_is_kept_over_many_chunks(tmp_path: Path) -> None:
    rows = pictures(tmp_path, **{f"p{i}": Image.new("RGB", (i + 1, 2)) for i in range(150)})
    found = measure_images.measure(rows, tmp_path)
    assert found["id"].to_list() == rows["id"].to_list()
    assert found["measure.width"].to_list() == list(range(1, 151))


def test_no_pictures_at_all(tmp_path: Path) -> None:
    rows = pl.DataFrame(schema={"id": pl.String, "input": pl.String})
    assert measure_images.measure(rows, tmp_path).schema == measure_images.SCHEMA


def texts(*inputs: str) -> pl.DataFrame:
    rows = pl.DataFrame({"id": [f"row {i}" for i in range(len(inputs))], "input": inputs})
    return measure_texts.measure(rows, Path())


def test_twins_of_texts() -> None:
    found = texts("Good  food!", " good\nfood! ", "\uff27ood food!", "good food")["twin"]
    assert found.n_unique() == 2
    assert found[0] == found[1] == found[2] != found[3]


def test_empty_texts_are_refused() -> None:
    found = texts("", " \n\u00a0", ".")
    assert found["error"].to_list() == ["no text", "no text", None]
    assert texts("a", "b")["error"].dtype == pl.String


def test_measurements_of_a_text() -> None:
    found = texts("Two words &amp; <br/>more 123", "x < y & z > 3")
    assert found["measure.words"].to_list() == [5, 7]
    assert found["measure.characters"].to_list() == [29, 13]
    assert found["measure.entities"].to_list() == [2, 0]
    assert found["measure.letters"].to_list() == [17, 3]


@pytest.mark.parametrize("lost", ["é", "\u2019", "ü", "…", "😀", "\ufffd", "£"])
def test_garbled_characters_are_counted(lost: str) -> None:
    garbled = "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in lost.encode())
    assert texts(f"ab{garbled}c {garbled}")["measure.replacement"].to_list() == [2]


def test_honest_text_is_not_garbled() -> None:
    honest = [
        "«Où est le café?» «là»",
        "ADIÓS ÑANDÚ — “São João”",
        "naïve façade",
        "Ägypten über Österreich",
        "NÃO É â la carte",
    ]
    assert texts(*honest)["measure.replacement"].to_list() == [0] * len(honest)


def test_lost_characters_are_counted() -> None:
    assert texts("a\ufffd\ufffdb")["measure.replacement"].to_list() == [2]


def test_scripts() -> None:
    found = texts("plain", "12 :-)", "naïve façade №1", "Привет, Anna", "今日は天気 ok", "\uff21\uff22")[
        "measure.script"
    ]
    assert found.to_list() == ["Latin", None, "Latin", "Cyrillic", "Cjk", "Latin"]


def test_sharpness_and_borders(tmp_path: Path) -> None:
    sharp = noise(0, (200, 100))
    framed = Image.new("RGB", (200, 100))
    framed.paste(noise(1, (200, 50)), (0, 25))
    rows = pictures(tmp_path, sharp=sharp, soft=sharp.filter(ImageFilter.GaussianBlur(3)), framed=framed)
    found = measure_images.measure(rows, tmp_path)
    assert found["measure.sharpness"][0] > 50 * found["measure.sharpness"][1]
    assert found["measure.border"].to_list() == [0.0, 0.0, 0.5]


def test_channels_of_a_picture(tmp_path: Path) -> None:
    half = Image.new("RGB", (200, 100))
    half.paste((255, 0, 51), (100, 0, 200, 100))
    found = measure_images.measure(pictures(tmp_path, half=half), tmp_path).row(0, named=True)
    assert [found[f"measure.{c}"] for c in ("red", "green", "blue")] == pytest.approx([0.5, 0, 0.1], abs=0.01)
    assert [found[f"measure.{c}_deviation"] for c in ("red", "blue")] == pytest.approx([0.5, 0.1], abs=0.01)
