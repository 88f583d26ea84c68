"""A picture set of drawn butterflies in the layout of Kaggle's butterfly set, with faults planted in it.

Training_set.csv (filename, label) with train/*.jpg; Testing_set.csv (filename) with test/*.jpg, unlabelled.
File names of the test folder repeat names of other pictures in train, as they do in that set.
"""

import csv
import io
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

from PIL import Image

from instar.demo.drawing import portrait
from instar.demo.species import SPECIES
from instar.errors import UserError

VERSION = 1
"""Part of the seed; raised when the drawings change, so that an older set is not taken for this one."""
LOOK_ALIKES = ("MONARCH", "VICEROY")
RARE = "PEACOCK"
GREY = "SWALLOWTAIL"
PAGE = b"""<!DOCTYPE html>
<html><head><title>404 Not Found</title></head>
<body><h1>Not Found</h1><p>The requested picture was not found on this server.</p></body></html>
"""
COMMENT = b"copied for the demo"

How = Literal["drawn", "grey", "copied", "commented", "resaved", "cut", "empty", "page", "absent"]


@dataclass(frozen=True)
class Shot:
    """One file of the set: which species it shows, how it is made, and of which other file it is a copy."""

    path: str
    species: str
    how: How = "drawn"
    original: str = ""


@dataclass(frozen=True)
class Planted:
    """What is wrong with the set, and where; pictures are named by their path below `folder`."""

    folder: Path
    counts: Mapping[str, int]
    """Rows of Training_set.csv per species."""
    look_alikes: tuple[str, str]
    """Two species that one detail tells apart."""
    rare: str
    """The species with fewer pictures than the others."""
    twins: tuple[tuple[str, str], ...]
    """Pairs within a species, equal byte for byte."""
    same_pixels: tuple[str, str]
    """A pair with equal pixels in different bytes: one file carries a comment."""
    near_twins: tuple[str, str]
    """A pair of which the second is the first, saved again at a lower quality."""
    across: tuple[str, str]
    """A picture of train that also stands, byte for byte, in the unlabelled test folder."""
    conflict: tuple[str, str]
    """Two equal files whose labels differ; the first label is right."""
    truncated: str
    empty: str
    page: str
    """An HTML page that was saved as a picture."""
    missing: str
    """A row of the table without a file."""
    grey: tuple[str, ...]
    """Pictures without colour."""
    grey_species: str
    """The species of all grey pictures but one."""
    answers: Mapping[str, str]
    """What the pictures of the test folder show, which no file of the set says."""


def lay_out(folder: Path, seed: int, per_class: int) -> tuple[list[Shot], Planted]:
    """Decide on every file of the set, those of train first, without drawing any."""
    rng = Random(f"butterflies {VERSION} {seed} {per_class}")
    labels = [name for name in SPECIES for _ in range(per_class * 2 // 5 if name == RARE else per_class)]
    rng.shuffle(labels)
    shots = {f"train/Image_{n}.jpg": Shot(f"train/Image_{n}.jpg", label) for n, label in enumerate(labels, 1)}
    shuffled = rng.sample(list(shots), len(shots))
    free = {name: [path for path in shuffled if shots[path].species == name] for name in SPECIES}

    def put(how: How, species: str) -> str:
        path = free[species].pop()
        shots[path] = Shot(path, species, how)
        return path

    def pair(how: How, species: str, other: str | None = None) -> tuple[str, str]:
        original, path = free[species].pop(), free[other or species].pop()
        shots[path] = Shot(path, species, how, original)
        return original, path

    test = [f"test/Image_{n}.jpg" for n in sorted(rng.sample(range(1, len(labels) + 1), len(labels) // 10))]
    answers = {path: list(SPECIES)[n % len(SPECIES)] for n, path in enumerate(rng.sample(test, len(test)))}
    shots |= {path: Shot(path, answers[path]) for path in test}
    seen = next(path for path in test if answers[path] == RARE)
    across = (free[RARE].pop(), seen)
    shots[seen] = Shot(seen, RARE, "copied", across[0])
    planted = Planted(
        folder=folder,
        counts=dict(sorted(Counter(labels).items())),
        look_alikes=LOOK_ALIKES,
        rare=RARE,
        twins=tuple(pair("copied", name) for name in ("ADONIS", "MONARCH", "SWALLOWTAIL", "ZEBRA LONG WING")),
        same_pixels=pair("commented", "BLUE MORPHO"),
        near_twins=pair("resaved", "ADONIS"),
        across=across,
        conflict=pair("copied", *LOOK_ALIKES),
        truncated=put("cut", "MONARCH"),
        empty=put("empty", "VICEROY"),
        page=put("page", "ADONIS"),
        missing=put("absent", "BLUE MORPHO"),
        grey=(*(put("grey", GREY) for _ in range(per_class // 5)), put("grey", "ZEBRA LONG WING")),
        grey_species=GREY,
        answers=answers,
    )
    return list(shots.values()), planted


def jpeg(picture: Image.Image, quality: int) -> bytes:
    """The picture as a JPEG file."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def made(shot: Shot, key: str, originals: Mapping[str, bytes]) -> bytes:
    """The bytes of a file; `key` is the seed of its drawing, `originals` holds the files that others copy."""
    match shot.how:
        case "copied":
            return originals[shot.original]
        case "commented":
            original = originals[shot.original]
            return original[:2] + b"\xff\xfe" + (len(COMMENT) + 2).to_bytes(2, "big") + COMMENT + original[2:]
        case "resaved":
            return jpeg(Image.open(io.BytesIO(originals[shot.original])), 60)
        case "empty":
            return b""
        case "page":
            return PAGE
    drawn = portrait(key, shot.species)
    whole = jpeg(drawn.convert("L") if shot.how == "grey" else drawn, Random(key).randint(80, 93))
    return whole[: len(whole) * 2 // 5] if shot.how == "cut" else whole


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> bytes:
    """A CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode()


def tables(shots: list[Shot], planted: Planted) -> dict[str, bytes]:
    """The two tables of the set; the labels of train are those that stand in the table, right or wrong."""
    wrong = {planted.conflict[1]: LOOK_ALIKES[1]}
    train = [
        (s.path.removeprefix("train/"), wrong.get(s.path, s.species)) for s in shots if s.path not in planted.answers
    ]
    test = [(path.removeprefix("test/"),) for path in planted.answers]
    return {
        "Training_set.csv": table(("filename", "label"), train),
        "Testing_set.csv": table(("filename",), sorted(test)),
    }


def stands(folder: Path, shots: list[Shot], files: Mapping[str, bytes]) -> bool:
    """Whether the folder holds the very tables of this set and no picture more or less."""
    expected = {shot.path for shot in shots if shot.how != "absent"}
    found = {path.relative_to(folder).as_posix() for path in folder.glob("t*/*")}
    same = all((folder / name).is_file() and (folder / name).read_bytes() == data for name, data in files.items())
    return same and found == expected


def make_butterflies(folder: Path, seed: int = 0, per_class: int = 60) -> Planted:
    """Draw the set into `folder` (unless it already stands there) and say what is wrong with it.

    The same `seed` and `per_class` (rows of the table per species, at least 10) give the same bytes while
    Pillow and NumPy stay the same. The folder is written beside its place, then moved: whole or absent.

    Raises:
        UserError: something else stands at `folder`.
    """
    shots, planted = lay_out(folder, seed, per_class)
    files = tables(shots, planted)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        if stands(folder, shots, files):
            return planted
        raise UserError(
            f"{folder} exists and is not the demo set of drawn butterflies: remove it or name another folder"
        )
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    for name in ("train", "test"):
        (part / name).mkdir(parents=True)
    copied = {shot.original for shot in shots}
    originals: dict[str, bytes] = {}
    for shot in sorted(shots, key=lambda s: bool(s.original)):
        if shot.how != "absent":
            data = made(shot, f"{VERSION} {seed} {shot.path}", originals)
            (part / shot.path).write_bytes(data)
            originals |= {shot.path: data} if shot.path in copied else {}
    for name, data in files.items():
        (part / name).write_bytes(data)
    if folder.exists():
        folder.rmdir()
    part.replace(folder)
    return planted
