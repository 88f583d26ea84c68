"""Whole compositions: planted sets, user mistakes, and the real sets where they are present."""

import random
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from PIL import Image

from instar import files, pipeline, store
from instar.compose.build import compose
from instar.data.reading import read
from instar.errors import UserError

HUES = {"red": (200, 40, 40), "green": (40, 160, 60), "blue": (50, 70, 200)}


def paint(folder: Path, classes: tuple[str, ...], n: int, seed: int, side: int = 24, dim: float = 1.0) -> Path:
    """A folder per class, n noisy pictures each; every source calls them 0.png, 1.png ..."""
    noise = np.random.default_rng(seed)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for i in range(n):
            pixels = np.array(HUES[name]) * dim + noise.normal(0, 40, (side, side + 3, 3))
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / name / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources: twins of one class and of two, an extensionless copy, damaged files, colliding names."""
    base = tmp_path_factory.mktemp("world")
    one = paint(base / "one", ("red", "green"), 24, seed=1)
    two = paint(base / "two", ("red", "blue"), 24, seed=2, dim=0.5)
    shutil.copy(one / "red" / "0.png", two / "red" / "copy")
    shutil.copy(one / "green" / "1.png", two / "blue" / "wrong.png")
    (two / "blue" / "cut.png").write_bytes((two / "blue" / "2.png").read_bytes()[:200])
    (two / "blue" / "empty.png").write_bytes(b"")
    recipe = {
        "title": "Colours",
        "min_per_class": 20,
        "sources": [
            {"source": "one", "licence": "CC BY 4.0", "classes": {"crimson": "red"}},
            {"source": "two", "licence": "MIT", "classes": {"crimson": "red"}},
        ],
    }
    (base / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    return base


@pytest.fixture(scope="module")
def made(world: Path) -> Path:
    return compose(world / "recipe.yaml", world / "out")


def changed(world: Path, tmp_path: Path, **keys: object) -> Path:
    """The recipe of the world with other keys, its sources by absolute paths."""
    recipe = yaml.safe_load((world / "recipe.yaml").read_text())
    for source in recipe["sources"]:
        source["source"] = str(world / source["source"])
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump({**recipe, **keys}))
    return path


def contents(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): files.digest(p) for p in folder.rglob("*") if p.is_file()}


def test_the_output_is_an_ordinary_data_set(made: Path) -> None:
    raw = read(str(made), text=None, image=None, label=None)
    assert (raw.facts["image_column"], raw.facts["label_column"]) == ("filename", "label")
    assert dict(raw.frame["label"].value_counts().iter_rows()) == {"crimson": 48, "green": 23, "blue": 24}
    assert raw.frame.columns[4:] == ["extra.source", "extra.licence", "extra.original", "extra.original_label"]
    assert raw.frame.drop("given").null_count().sum_horizontal().item() == 0
    assert raw.frame["id"].is_unique().all()


def test_a_run_opens_it(made: Path, tmp_path: Path) -> None:
    run = pipeline.start(pipeline.Options(str(made)), tmp_path / "run")
    dataset = store.read_dataset(run)
    assert set(dataset.classes) == {"crimson", "green", "blue"}
    assert sum(dataset.counts.values()) == 95
    assert dataset.opening["twin_groups"] == 0
    assert dataset.table["extra.source"].value_counts()["count"].sort().to_list() == [47, 48]


def test_bytes_and_provenance_lead_back_to_the_source(world: Path, made: Path) -> None:
    table = files.read_frame(made / "table.csv")
    assert set(table.group_by("source", "licence").len()["len"]) == {47, 48}
    for row in table.iter_rows(named=True):
        original = world / row["source"] / row["original"]
        assert (made / row["filename"]).read_bytes() == original.read_bytes()
        assert row["original"].startswith(row["original_label"])
    files_there = {str(p.relative_to(made)) for p in (made / "images").rglob("*") if p.is_file()}
    assert files_there == set(table["filename"])
    assert {"images/crimson/one-0.png", "images/crimson/two-0.png"} <= files_there


def test_what_was_left_out_is_listed(made: Path) -> None:
    quarantine = files.read_frame(made / "left-out" / "quarantine.csv")
    assert sorted(quarantine.select("original", "error").iter_rows()) == [
        ("blue/cut.png", "truncated"),
        ("blue/empty.png", "zero bytes"),
    ]
    twins = files.read_frame(made / "left-out" / "twins.csv")
    assert list(twins.select("source", "original", "label", "outcome").iter_rows()) == [
        ("one", "green/1.png", "green", "conflict"),
        ("two", "blue/wrong.png", "blue", "conflict"),
        ("one", "red/0.png", "crimson", "kept"),
        ("two", "red/copy", "crimson", "twin"),
    ]


def test_novelty_and_card(made: Path) -> None:
    novelty = yaml.safe_load((made / "novelty.yaml").read_text())
    assert novelty["twins"] == {"groups": 2, "rows": 4, "across": 2, "conflicts": 1}
    assert [(o["source"], o["examples"], o["renamed"]) for o in novelty["origins"]] == [
        ("one", 47, {"red": "crimson"}),
        ("two", 48, {"red": "crimson"}),
    ]
    assert novelty["features"] == "8 x 8 thumbnails"
    assert novelty["shared_classes"]["n"] == 48
    assert novelty["shared_classes"]["separations"][0]["low"] > 0.9  # source two is half as bright
    _, header, body = (made / "DATA_CARD.md").read_text().split("---\n", 2)
    assert yaml.safe_load(header)["license"] == ["cc-by-4.0", "mit"]
    assert yaml.safe_load(header)["task_categories"] == ["image-classification"]
    for said in (
        "95 images of 3 classes, composed of 2 sources",
        "| two | 52 | 0 | 0 | 2 | 1 | 1 | 0 | 0 | 0 | 48 |",
        "| crimson | 48 | 24 | 24 |",
        "Unreadable: 2",
        "the sources can be told apart easily",
    ):
        assert said in body
    assert str(made.parent) not in body


def test_a_second_composition_is_the_same_byte_for_byte(world: Path, made: Path) -> None:
    assert contents(compose(world / "recipe.yaml", world / "again")) == contents(made)


def test_pictures_are_linked_or_copied(world: Path, made: Path, tmp_path: Path) -> None:
    def inode(folder: Path) -> int:
        return (folder / "images/crimson/one-0.png").stat().st_ino

    copied = compose(changed(world, tmp_path, files="copy"), tmp_path / "copied")
    assert inode(made) == (world / "one/red/0.png").stat().st_ino != inode(copied)


def test_frozen_features_of_a_network(world: Path, tmp_path: Path) -> None:
    recipe = changed(world, tmp_path, backbone="scratch:convnet")
    novelty = yaml.safe_load((compose(recipe, tmp_path / "out") / "novelty.yaml").read_text())
    assert novelty["features"].startswith("frozen features of")
    assert novelty["all_classes"]["n"] == 95
    with pytest.raises(UserError, match="network for texts, these are images"):
        compose(changed(world, tmp_path, backbone="scratch:words"), tmp_path / "words")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"min_per_class": 30}, '2 classes below min_per_class=30: "blue" has 24 .lacks 6., "green" has 23'),
        ({"sources": [{"source": "nowhere"}]}, "nowhere does not exist"),
        ({"sources": [{"source": "one"}, {"source": "one"}]}, 'several sources are called "one"'),
    ],
)
def test_mistakes_leave_nothing_behind(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: dict[str, object], said: str
) -> None:
    monkeypatch.chdir(world)
    with pytest.raises(UserError, match=said) as error:
        compose(changed(world, tmp_path, **keys), tmp_path / "out")
    assert "\n" not in str(error.value)
    assert [p.name for p in tmp_path.iterdir()] == ["recipe.yaml"]


def reviews(path: Path, words: str, n: int, seed: int, header: str) -> Path:
    chance = random.Random(seed)
    rows = [header]
    for stars in (1, 3, 5):
        rows += [f'"{" ".join(chance.choices(words.split(), k=6))}, {seed}{i}",{stars} stars' for i in range(n)]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    reviews(tmp_path / "food.csv", "burger salty cold good great slow fries", 40, 1, "review,rating")
    reviews(tmp_path / "hotels.csv", "room bed noisy clean view lobby stairs", 40, 2, "comment,stars")
    with (tmp_path / "hotels.csv").open("a") as stream:
        stream.write('\n"  ",1 stars\nNice,1 stars\nnice ,5 stars\n')
    mapped = {"bad": "1 stars", "good": "5 stars"}
    recipe = {
        "title": "Reviews",
        "min_per_class": 20,
        "sources": [{"source": f"{name}.csv", "exclude": "3*", "classes": mapped} for name in ("food", "hotels")],
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    return tmp_path


def test_texts(texts: Path) -> None:
    out = compose(texts / "recipe.yaml", texts / "out")
    raw = read(str(out), text=None, image=None, label=None)
    assert (raw.modality, raw.facts["text_column"], raw.facts["label_column"]) == ("text", "text", "label")
    assert dict(raw.frame["label"].value_counts().iter_rows()) == {"bad": 80, "good": 80}
    assert files.read_frame(out / "left-out" / "quarantine.csv")["error"].to_list() == ["no text"]
    twins = files.read_frame(out / "left-out" / "twins.csv")
    assert twins["outcome"].to_list() == ["conflict", "conflict"]
    novelty = yaml.safe_load((out / "novelty.yaml").read_text())
    assert novelty["features"] == "TF-IDF"
    assert novelty["all_classes"]["separations"][0]["auroc"] > 0.99
    assert novelty["confounding"]["cramers_v"] == 0
    assert "Open it with `instar run FOLDER`." in (out / "DATA_CARD.md").read_text()


def test_the_card_names_the_columns_where_guessing_goes_wrong(texts: Path) -> None:
    """Five texts that occur again and again are guessed to be labels, not texts."""
    rows = [
        "review,rating",
        *(f"{word} food,{1 + i % 2} stars" for i, word in enumerate(["good", "bad", "so", "fine"] * 30)),
    ]
    (texts / "few.csv").write_text("\n".join(rows))
    recipe = {
        "title": "Few",
        "min_per_class": 20,
        "twins": "keep",
        "sources": [{"source": "few.csv", "text": "review"}],
    }
    (texts / "few.yaml").write_text(yaml.safe_dump(recipe))
    out = compose(texts / "few.yaml", texts / "few")
    assert "`instar run FOLDER --text text --label label`" in (out / "DATA_CARD.md").read_text()
    assert read(str(out), text="text", image=None, label="label").frame.height == 120


def test_images_and_texts_do_not_mix(world: Path, texts: Path) -> None:
    recipe = {"title": "Both", "sources": [{"source": "food.csv"}, {"source": str(world / "one")}]}
    (texts / "both.yaml").write_text(yaml.safe_dump(recipe))
    with pytest.raises(UserError, match="food has texts and one has images; compose sets of one kind"):
        compose(texts / "both.yaml", texts / "both")


def test_insects_of_two_real_sets(shared: Path, tmp_path: Path) -> None:
    recipe = f"""
title: Insects
min_per_class: 30
below_minimum: drop
cap: 40
sources:
  - source: {shared}/data/butterfly
    include: [ADONIS, ATALA, MONARCH, PEACOCK]
    classes: {{butterfly: "*"}}
    licence: "CC0: Public Domain"
  - source: {shared}/data/caltech101
    include: [butterfly, dragonfly, ant, mayfly, tick, scorpion, cray*]
    classes: {{arachnid: [tick, scorpion]}}
    licence: CC BY 4.0
"""
    (tmp_path / "insects.yaml").write_text(recipe)
    out = compose(tmp_path / "insects.yaml", tmp_path / "insects")
    counts = dict(
        files.read_frame(out / "table.csv")
        .group_by("label", "source")
        .len()
        .select(pl.concat_str("label", pl.lit(" "), "source"), "len")
        .iter_rows()
    )
    assert counts["butterfly butterfly"] == counts["butterfly caltech101"] == 20
    assert counts["arachnid caltech101"] == 40
    novelty = yaml.safe_load((out / "novelty.yaml").read_text())
    assert set(novelty["origins"][0]["new_to_it"]) == {"ant", "arachnid", "crayfish", "dragonfly", "mayfly"}
    assert novelty["confounding"]["classes_from_one_source"] == round(5 / 6, 4)
    assert read(str(out), text=None, image=None, label=None).frame["label"].n_unique() == 6
