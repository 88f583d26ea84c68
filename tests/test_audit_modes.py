"""How pictures are stored: from files of every mode to evidence, sentence, tables and the page."""

from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from instar.audit.image_checks import colour
from instar.charts.findings import drawings
from instar.data import opening, reading
from instar.data.measure_images import measure
from instar.deck.figures import inert_finding, labelled
from instar.records import Dataset, Finding
from instar.report.build import charts_of
from planted_worlds import in_class, pictures

STORED = {"RGB": "jpg", "L": "png", "P": "gif", "CMYK": "tif", "RGBA": "png", "I;16": "png", "1": "png"}


def folder(root: Path, modes: dict[str, str], each: int = 8) -> Dataset:
    """Two classes of pictures, those of each mode with content of their own."""
    rng = np.random.default_rng(0)
    for name in ("ant", "bee"):
        (root / name).mkdir(parents=True)
        for mode, suffix in modes.items():
            for i in range(each):
                path = root / name / f"{mode.replace(';', '')}-{i}.{suffix}"
                if mode == "I;16":
                    Image.fromarray(rng.integers(0, 65_536, (40, 50), dtype=np.uint16)).save(path)
                else:
                    Image.fromarray(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)).convert(mode).save(path)
    raw = reading.read(str(root), text=None, image=None, label=None)
    measured = measure(raw.frame.select("id", "input"), Path(raw.root))
    return opening.build(raw, measured, limit=None, seed=0, grouping="near")[0]


def test_every_mode_is_counted_named_and_drawn(tmp_path: Path) -> None:
    dataset = folder(tmp_path / "set", STORED)
    found = colour(dataset)
    assert found.evidence["modes"] == dict.fromkeys(STORED, 16)
    formats = {mode: form for form, mode, _ in found.evidence["stored"]}
    assert formats == {"RGB": "JPEG", "L": "PNG", "P": "GIF", "CMYK": "TIFF", "RGBA": "PNG", "I;16": "PNG", "1": "PNG"}
    for mode in STORED:
        assert f"{mode} (16)" in found.sentence
    drawn = {d.stem: d.frame for d in drawings(inert_finding(found), labelled(dataset))}
    table = drawn["02-colour-modes"]
    assert table.columns == ["format", "mode", "n"] and table["n"].sum() == 16 * len(STORED)
    svgs = dict(charts_of(found, labelled(dataset), tmp_path / "figures"))
    assert "PNG, I;16" in svgs["02-colour-modes"] and (tmp_path / "figures/02-colour-modes.csv").exists()


def test_the_table_says_how_each_class_is_stored() -> None:
    found = colour(pictures().where(in_class("bee", 20), measure__mode="RGBA", measure__format="PNG").seal())
    modes = dict(found.rows.select("class", "modes").iter_rows())
    assert modes == {"ant": "RGB 102", "bee": "RGB 85, RGBA 17", "cat": "RGB 102"}
    assert found.evidence["stored"] == [["JPEG", "RGB", 340], ["PNG", "RGBA", 20]]
    assert found.rows["n"].sum() == 306


def test_one_mode_is_no_mixture() -> None:
    dataset = pictures().seal()
    found: Finding = colour(dataset)
    assert "stored" not in found.sentence and found.evidence["modes"] == {"RGB": 360}
    assert drawings(inert_finding(found), labelled(dataset)) == ()


def test_two_formats_of_one_mode_are_told_apart_in_the_table_alone() -> None:
    dataset = pictures().where(pl.col("label") == "bee", measure__format="PNG").seal()
    found = colour(dataset)
    assert "stored" not in found.sentence
    (drawing,) = drawings(inert_finding(found), labelled(dataset))
    assert drawing.frame.rows() == [("JPEG", "RGB", 240), ("PNG", "RGB", 120)]
