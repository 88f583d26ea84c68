"""The recipe: what is understood, and errors that name the key."""

import re
from dataclasses import fields
from pathlib import Path

import polars as pl
import pytest

from instar.compose.classes import mapping, select
from instar.compose.recipe import Composition, Source, read_recipe
from instar.data.raw import Raw
from instar.errors import UserError

FOUND = ("ant", "bee", "beetle", "1", "b*")


def read(tmp_path: Path, text: str) -> Composition:
    (tmp_path / "recipe.yaml").write_text(text)
    return read_recipe(tmp_path / "recipe.yaml")


def test_defaults_and_short_forms(tmp_path: Path) -> None:
    recipe = read(tmp_path, "title: T\nsources: [{source: a, include: [1, bee], exclude: ant, classes: {x: bee}}]")
    assert recipe.sources == (Source("a", include=("1", "bee"), exclude=("ant",), classes={"x": ("bee",)}),)
    assert (recipe.min_per_class, recipe.below_minimum, recipe.conflicts, recipe.twins) == (
        100,
        "stop",
        "drop",
        "first",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: T\nsources: [{source: a}]\nminimum: 5", "unknown key minimum"),
        ("title: T\nsources: [{source: a, only: b}]", "unknown key sources.0.only"),
        ("title: T\nsources: []", "sources: tuple should have at least 1 item"),
        (
            "title: T\nsources: [{source: a, include: [yes]}]",
            "sources.0.include.0: input should be a valid string, got True",
        ),
        (
            "title: T\nsources: [{source: a}]\nbelow_minimum: ask",
            "below_minimum: input should be 'stop', 'drop', 'pool' or 'keep'",
        ),
        ("title: T\nsources: [{source: a}]\ncap: 50", "cap=50 leaves every class below min_per_class=100"),
        ("title: T\nsources: [{source: a, cap: 0}]", "sources.0.cap"),
        ("title: T\nsources: [{source: a}]\nweights: w.pt", "weights without a backbone"),
        ("", "the file: input should be a dictionary"),
        ("title: [", "is not valid YAML"),
    ],
)
def test_mistakes_are_one_line_with_the_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UserError) as error:
        read(tmp_path, text)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_an_absent_recipe(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.yaml does not exist"):
        read_recipe(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Source("s"), {name: name for name in FOUND}),
        (Source("s", include=("bee*",)), {"bee": "bee", "beetle": "beetle"}),
        (Source("s", include=("b*",)), {"b*": "b*"}),
        (Source("s", include=("bee*", "ant"), exclude=("beetle",)), {"ant": "ant", "bee": "bee"}),
        (
            Source("s", exclude=("1", "b*"), classes={"hymenopteran": ("ant", "bee")}),
            {"ant": "hymenopteran", "bee": "hymenopteran", "beetle": "beetle"},
        ),
        (
            Source("s", classes={"small": ("ant",), "rest": ("*",)}),
            {"ant": "small", **dict.fromkeys(("bee", "beetle", "1", "b*"), "rest")},
        ),
    ],
)
def test_classes_are_included_excluded_and_mapped(wanted: Source, expected: dict[str, str]) -> None:
    assert mapping(FOUND, wanted, "s") == expected


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Source("s", include=("Bee",)), 's: include: "Bee" is no class there; did you mean "bee"'),
        (Source("s", exclude=("wasp?",)), 's: exclude: "wasp?" is no class there'),
        (Source("s", include=("ant",), classes={"x": ("bee",)}), 's: classes.x: "bee" is no class there'),
        (Source("s", exclude=("*",)), "s: exclude leaves no class"),
        (Source("s", classes={"x": ("ant",), "y": ("ant",)}), '"ant" is mapped to "x", "y"'),
        (Source("s", classes={"x": ("a*",), "y": ("?nt",)}), '"ant" is mapped to "x", "y"'),
    ],
)
def test_mistakes_about_classes(wanted: Source, said: str) -> None:
    with pytest.raises(UserError) as error:
        mapping(FOUND, wanted, "s")
    assert said in str(error.value)


def test_every_row_of_a_source_is_selected_or_has_a_reason() -> None:
    frame = pl.DataFrame(
        {
            "id": ["1", "2", "3", "4"],
            "input": ["a", "b", "c", "d"],
            "label": ["ant", "bee", None, "ant"],
            "given": [None, "test", None, "unlabelled"],
        }
    )
    rows = select(Raw("r", "image", "r", "/r", frame, {}), Source("r", exclude=("bee",), classes={"x": ("ant",)}), "r")
    assert rows["fate"].to_list() == [None, "class not chosen", "unlabelled", "unlabelled"]
    assert rows["label"].to_list() == ["x", None, None, None]
    assert rows["was"].to_list() == ["ant", "bee", None, None]


def test_the_documentation_knows_every_key_and_its_recipes_are_right(tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / "docs" / "compose.md").read_text(encoding="utf-8")
    recipes = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert [read(tmp_path, recipe).title for recipe in recipes] == ["Insects", "Feelings", "Flowers", "Vehicles"]
    whole, of_source = text.split("### Keys of a source")
    for kind, part in ((Composition, whole), (Source, of_source)):
        documented = re.findall(r"^\| (`[^|]*`) \|", part, re.MULTILINE)
        keys = {key for cell in documented for key in re.findall(r"`(\w+)`", cell)}
        assert {f.name for f in fields(kind)} <= keys
