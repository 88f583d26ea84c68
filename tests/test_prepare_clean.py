"""Repairs of texts: what can be read again is restored, what cannot is folded, and honest text is left alone."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.modality.modalities import MODALITIES
from instar.modality.text_feed import FEED
from instar.prepare.clean import NAMES, REPAIRS, cleaned, digest, entities, mojibake, whitespace
from instar.prepare.tokens import tokeniser
from instar.prepare.words import lengths
from instar.records import Dataset, InputSpec
from training_worlds import recipe

HASHED = InputSpec(64, tokenizer="hashed:5000")
GARBLED = "The cafÃ© was closed. We didn" + "ï¿½" * 27 + "t wait &amp; left  "


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ("cafÃ©, â€œyesâ€\x9d", "café, “yes”"),
        ("I couldn" + "ï¿½" * 27 + "t", "I couldn t"),
        ("no \ufffd\ufffd\ufffd more", "no more"),
        ("we wasn" + "ï¿½" * 4 + "ï¿", "we wasn "),
        ("we wasnï¿", "we wasn "),
        ("ýýýý great! ýýý", " great! "),
    ],
)
def test_a_wrong_encoding_is_undone_or_folded(text: str, repaired: str) -> None:
    assert mojibake(text) == repaired


@pytest.mark.parametrize(
    "text",
    ["", "plain", "l'été, façade, naïve", "¿Qué? ½ ¿½", "Hawaï", "Łódź už být milý", "Größe ÄÖÜ", "да", "日本語", "🙂"],
)
def test_honest_text_is_left_alone(text: str) -> None:
    assert mojibake(text) == text


def test_entities_and_white_space() -> None:
    assert entities("fish &amp; chips &eacute; <b>AT&T</b>") == "fish & chips é <b>AT&T</b>"
    assert whitespace("  two \n\n words\t ") == "two words"
    assert cleaned([GARBLED], ["whitespace", "mojibake", "entities"]) == ["The café was closed. We didn t wait & left"]
    assert cleaned([GARBLED], []) == [GARBLED]


@given(st.text(max_size=60), st.sampled_from(sorted(REPAIRS)))
def test_a_repair_that_was_made_is_not_made_twice(text: str, name: str) -> None:
    once = cleaned([text], [name])
    assert name == "entities" or cleaned(once, [name]) == once


@given(st.text(alphabet="aé ï¿½Ã©â€™\ufffdý", max_size=30))
def test_nothing_that_is_lost_stays(text: str) -> None:
    assert "\ufffd" not in mojibake(text) and "ï¿½" not in mojibake(text)


def test_the_plan_and_the_feed_know_the_same_repairs() -> None:
    assert MODALITIES["text"].repairs == NAMES and set(NAMES) == set(REPAIRS)
    assert MODALITIES["image"].repairs == {}


def world() -> Dataset:
    texts = (GARBLED, "plain", "good food", "cold fries")
    splits = ["train", "train", "val", "test"]
    labels = ["a", "b", "a", None]
    table = pl.DataFrame({"id": [f"row {i}" for i in range(4)], "input": texts, "label": labels, "split": splits})
    return Dataset("w", "text", "w.csv", ".", ("a", "b"), False, {}, {}, table)


def test_the_cache_knows_the_repairs() -> None:
    repairs = [(), ("mojibake",), ("entities",), ("mojibake", "entities")]
    folders = [FEED.prepare(world(), recipe(input_size=32, fit="head", clean=names), HASHED) for names in repairs]
    assert len(set(folders)) == len(repairs)
    swapped = recipe(input_size=32, fit="head", clean=("entities", "mojibake"))
    assert FEED.prepare(world(), swapped, HASHED) == folders[-1]
    assert digest(("entities", "mojibake")) == digest(("mojibake", "entities"))


def test_training_and_prediction_repair_alike() -> None:
    plan = recipe(input_size=32, fit="head", clean=("mojibake", "entities"))
    stored = FEED.open(FEED.prepare(world(), plan, HASHED), plan, HASHED)
    fresh = FEED.examples([GARBLED], plan, HASHED)
    assert fresh.ids == (GARBLED,)
    row = np.array([0])
    assert stored.batch(row, (), 0)["input_ids"].tolist() == fresh.batch(row, (), 0)["input_ids"].tolist()
    unrepaired = recipe(input_size=32, fit="head")
    assert FEED.examples([GARBLED], unrepaired, HASHED).key != fresh.key
    assert fresh.batch(row, (), 0)["input_ids"].shape[1] == 9
    assert tokeniser(plan, HASHED).show(GARBLED) == "the café was closed we didn t wait left"


def test_tokens_are_counted_uncut_and_repaired() -> None:
    assert lengths(["one two three", "", "a " * 200], HASHED, ()).tolist() == [3, 1, 200]
    assert lengths([GARBLED], HASHED, ("mojibake",))[0] == 10
    assert lengths([GARBLED], HASHED, ())[0] > 30
