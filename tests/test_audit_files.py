"""Which files take no part, and names that do not say what a file holds, from the folder to the finding."""

from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from instar.audit.files import files
from instar.audit.leakage import unlabelled
from instar.data import measure_images
from instar.data.folder import NAMED, look
from instar.data.opening import build
from instar.data.reading import read
from instar.records import Finding
from planted_worlds import pictures


def picture(path: Path, kind: str, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, format=kind)


def found(folder: Path) -> Finding:
    raw = read(str(folder), text=None, image=None, label=None)
    measured = measure_images.measure(raw.frame.select("id", "input"), Path(raw.root))
    return files(build(raw, measured, limit=None, seed=0)[0])


def folder(root: Path, suffix: str = ".png") -> Path:
    for i in range(24):
        picture(root / "ab"[i % 2] / f"{i}{suffix}", "PNG", i)
    return root


def test_a_tidy_folder(tmp_path: Path) -> None:
    finding = found(folder(tmp_path))
    assert finding.verdict == "passed" and finding.rows.is_empty()
    assert finding.sentence == "No file was passed over and the suffix of each picture names its format."


def test_what_is_left_out_and_what_is_misnamed(tmp_path: Path) -> None:
    folder(tmp_path)
    picture(tmp_path / "a" / "tmp", "JPEG", 30)
    for i in (31, 32):
        picture(tmp_path / "b" / f"odd{i}.jpg", "PNG", i)
    (tmp_path / "LICENSE").write_text("CC0")
    (tmp_path / "a" / "notes.txt").write_text("of a")
    (tmp_path / ".hidden").write_text("")
    finding = found(tmp_path)
    assert finding.verdict == "note"
    e = finding.evidence
    assert (e["ignored"], e["hidden"], e["ignored_names"]) == (3, 1, ["LICENSE", "a/notes.txt"])
    assert (e["no_suffix"], e["other_suffix"]) == (1, 2)
    assert finding.rows.select("id", "format", "suffix").rows() == [
        ("a/tmp", "JPEG", ""),
        ("b/odd31.jpg", "PNG", ".jpg"),
        ("b/odd32.jpg", "PNG", ".jpg"),
    ]
    assert finding.sentence == (
        "3 files take no part (1 hidden or left behind by a system): “LICENSE”, “a/notes.txt”; "
        "1 picture, “a/tmp”, has no suffix of a picture and was read by its content; "
        "2 pictures, such as “b/odd31.jpg”, have the suffix of another format and were read by their content."
    )


def test_hidden_files_alone_are_worth_no_note(tmp_path: Path) -> None:
    (folder(tmp_path) / "Thumbs.db").write_text("")
    finding = found(tmp_path)
    assert finding.verdict == "passed"
    assert finding.sentence == "1 file takes no part (1 hidden or left behind by a system)."


def test_an_unlisted_picture_and_an_unused_table_are_named(tmp_path: Path) -> None:
    folder(tmp_path / "pictures")
    listed = [f"{'ab'[i % 2]}/{i}.png,{'xy'[i % 2]}" for i in range(23)]
    (tmp_path / "list.csv").write_text("filename,label\n" + "\n".join(listed))
    (tmp_path / "prices.csv").write_text("shop,price\nnorth,3.50\nsouth,4.10\n")
    assert found(tmp_path).evidence["ignored_names"] == ["prices.csv", "pictures/b/23.png"]


def test_names_are_kept_of_a_few(tmp_path: Path) -> None:
    for i in range(NAMED + 5):
        (tmp_path / f"{i}.txt").write_text("")
    seen = look(tmp_path)
    assert (seen.ignored, len(seen.passed), seen.hidden) == (NAMED + 5, NAMED, 0)


def test_a_jpeg_of_several_pictures_is_a_jpeg() -> None:
    world = pictures()
    assert files(world.where(pl.col("id") == "ant/3.jpg", measure__format="MPO").seal()).verdict == "passed"
    assert files(world.where(pl.col("id") == "ant/3.jpg", measure__format="WEBP").seal()).verdict == "note"


def test_names_below_folders_of_classes_may_repeat() -> None:
    """ant/1.jpg and bee/1.jpg are two pictures, in two parts, and their names tell them apart."""
    world = pictures().change(table="list.csv", given_split=True)
    i = world.frame.group_by("label", maintain_order=True).head(1)["id"].to_list()
    for number, (id_, part) in enumerate(zip(i[:2], ("train", "test"), strict=True)):
        world = world.where(pl.col("id") == id_, input=f"{'ab'[number]}/1.jpg", split=part)
    assert files(world.seal()).evidence["names_in_two_parts"] == 0


def test_files_that_are_all_called_alike() -> None:
    """A name that stands for several labelled contents clashes, whatever is behind it; no pair is made of each two."""
    world = pictures()
    names = world.frame["id"].str.replace(r"/(\d+)\.jpg", "/$1/image.jpg")
    held = pl.int_range(pl.len()) < 30
    world = world.change(names.alias("id")).where(held, split="unlabelled")
    evidence = unlabelled(world.seal()).evidence
    assert (evidence["n"], evidence["clashing_names"]) == (30, 30)
