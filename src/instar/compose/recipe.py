"""The recipe of a composed set, as a person writes it in YAML."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from instar.errors import UserError
from instar.files import read_yaml
from instar.records import STRICT

LENIENT: dict[str, Any] = {**STRICT, "coerce_numbers_to_str": True, "str_strip_whitespace": True}
"""A class called 1 in YAML is the class "1"; a key that is unknown is an error all the same."""

Name = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str | int) and not isinstance(value, bool) else value


Names = Annotated[tuple[Name, ...], BeforeValidator(_several)]
"""One name or a list; each is a class or a pattern with * and ?, capitals and small letters told apart."""


@dataclass(frozen=True)
class Source:
    """One set that goes into the new one, and what of it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = LENIENT
    source: Name
    """A path, seen from the folder of the recipe, or whatever else `instar run` opens (butterfly,
    kaggle:...)."""
    name: Name | None = None
    """What provenance calls it; None is the name that it has of its own."""
    licence: Name | None = None
    """None is what is known of the set, which may be nothing."""
    text: Name | None = None
    image: Name | None = None
    label: Name | None = None
    """Columns of its table; None is what the catalogue knows, else what is guessed."""
    include: Names = ("*",)
    """Its classes to take."""
    exclude: Names = ()
    """Classes to leave out of these."""
    classes: Mapping[Name, Names] = field(default_factory=dict)
    """New class -> its classes. A class that is not named keeps its name."""
    cap: Count | None = None
    """At most so many examples of each new class from this source."""
    balance: bool = False
    """As many of each new class from this source as there are of the rarest."""


@dataclass(frozen=True)
class Composition:
    """A whole recipe."""

    __pydantic_config__: ClassVar[dict[str, Any]] = LENIENT
    title: Name
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    """In the order in which twins are kept: the first one wins."""
    description: str = ""
    """For the card: what the new set is for."""
    min_per_class: Count = 100
    """With 15 % for the test that is 15 examples of each class, which tells its recall to about ±20 points;
    fewer tell next to nothing. Our judgement."""
    below_minimum: Literal["stop", "drop", "pool", "keep"] = "stop"
    """What happens to classes with fewer: nothing is written; they are left out; they become one class;
    nothing."""
    pool_as: Name = "other"
    """The class that they become."""
    cap: Count | None = None
    """At most so many examples of each class of the new set."""
    balance: bool = False
    """As many of each class as there are of the rarest."""
    twins: Literal["first", "keep"] = "first"
    """Exact copies under one class: the first one stays, or all do."""
    conflicts: Literal["drop", "first", "keep"] = "drop"
    """Exact copies under several classes: none stays, the first one's class holds, or all stay. None stays
    unless asked, because nothing in the data says which class is right, and the order of the sources is no
    evidence."""
    files: Literal["link", "copy"] = "link"
    """Pictures as hard links where the disk allows it, or always as copies."""
    backbone: Name | None = None
    """Network whose frozen features say how far the sources lie apart; None: thumbnails or words."""
    weights: Name | None = None
    """A weights file for it, a path seen from the folder of the recipe."""
    seed: int = 0


def read_recipe(path: Path) -> Composition:
    """Read and check a recipe.

    Raises:
        UserError: with the key and a remedy.
    """
    if not path.is_file():
        raise UserError(f"{path} does not exist; give the YAML file that says what to compose")
    recipe = read_yaml(path, Composition)
    if recipe.cap is not None and recipe.cap < recipe.min_per_class and recipe.below_minimum != "keep":
        raise UserError(
            f"{path}: cap={recipe.cap} leaves every class below min_per_class={recipe.min_per_class}; "
            "raise the one or lower the other"
        )
    if recipe.weights is not None and recipe.backbone is None:
        raise UserError(f"{path}: weights without a backbone; name the network that they belong to")
    return recipe
