"""Texts are tokenised once, cut at the right place, and padded to the longest of the batch only."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from instar.errors import UserError
from instar.files import read_frame
from instar.modality.text_feed import FEED
from instar.prepare.tokens import tokeniser
from instar.prepare.words import shortened
from instar.records import Dataset, InputSpec, Recipe
from training_worlds import recipe

TEXTS = ("one two three four five six seven", "Two", "", "seven six one", "four")
HASHED = InputSpec(16, tokenizer="hashed:64")


def settings(**changes: object) -> Recipe:
    return replace(recipe(input_size=6, fit="head", augment=()), **changes)  # type: ignore[arg-type]


@pytest.fixture
def bert(tmp_path: Path) -> InputSpec:
    """A word-level tokenizer with BERT's special tokens, and truncation and padding switched on in its
    file."""
    names = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "a", "one", "two", "three", "four", "five", "six", "seven"]
    tokenizer = Tokenizer(models.WordLevel({n: 2 * i for i, n in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 4)]
    )
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(pad_id=0, length=50)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return InputSpec(16, tokenizer=str(tmp_path))


def world() -> Dataset:
    splits = ["train", "train", "train", "val", "quarantined"]
    table = pl.DataFrame({"id": [f"row {i}" for i in range(5)], "input": TEXTS, "label": ["a"] * 5, "split": splits})
    return Dataset("w", "text", "w.csv", ".", ("a", "b"), False, {}, {}, table)


def test_special_tokens_stay_where_texts_are_cut(bert: InputSpec) -> None:
    head, ends = (tokeniser(settings(fit=fit), bert).encode(TEXTS) for fit in ("head", "ends"))
    assert head[0] == [2, 10, 12, 14, 16, 4]
    assert ends[0] == [2, 10, 12, 20, 22, 4]
    assert head[2] == ends[2] == [2, 4]
    assert head[1] == [2, 6, 4]  # unknown: no lower-casing here
    whole = tokeniser(settings(input_size=99), bert).encode(TEXTS)
    theirs = Tokenizer.from_file(f"{bert.tokenizer}/tokenizer.json")
    theirs.no_truncation()
    theirs.no_padding()
    assert whole == [e.ids for e in theirs.encode_batch(list(TEXTS))]


def test_prepared_texts_are_padded_to_the_longest_of_the_batch(bert: InputSpec) -> None:
    folder = FEED.prepare(world(), settings(), bert)
    assert FEED.prepare(world(), settings(), bert) == folder
    assert FEED.prepare(world(), settings(fit="ends"), bert) != folder
    prepared = FEED.open(folder, settings(), bert)
    assert prepared.ids == ("row 0", "row 1", "row 2", "row 3")
    assert prepared.costs.tolist() == [6, 3, 2, 5]
    batch = prepared.batch(np.array([2, 1]), (), 0)
    assert batch["input_ids"].tolist() == [[2, 4, 0], [2, 6, 4]]
    assert batch["attention_mask"].tolist() == [[1, 1, 0], [1, 1, 1]]
    fresh = FEED.examples(TEXTS[:4], settings(), bert).batch(np.arange(4), (), 0)
    stored = prepared.batch(np.arange(4), (), 0)
    assert all(fresh[name].equal(stored[name]) for name in stored)


def test_the_padding_is_the_tokenizers(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.WordLevel({"<s>": 0, "<pad>": 1, "a": 2}, unk_token="<s>"))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert tokeniser(settings(), InputSpec(8, tokenizer=str(tmp_path))).pad == 1


def test_a_missing_tokenizer_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"tokenizer\.json"):
        tokeniser(settings(), InputSpec(8, tokenizer=str(tmp_path / "none")))


@given(st.lists(st.text(), min_size=1, max_size=8), st.sampled_from(["head", "ends"]))
def test_hashed_words_stay_in_range_and_ignore_case(texts: list[str], fit: str) -> None:
    words = tokeniser(settings(fit=fit), HASHED)
    tokens = words.encode(texts)
    assert all(1 <= t < 64 for part in tokens for t in part)
    assert all(1 <= len(part) <= 6 for part in tokens)
    assert tokens == words.encode(texts)


def test_hashed_words_know_no_case_and_do_not_change_over_time() -> None:
    words = tokeniser(settings(), InputSpec(16, tokenizer="hashed:65536"))
    assert words.encode(["Good food", "good FOOD!"]) == [[47895, 65072]] * 2


@given(st.lists(st.integers(), max_size=30), st.integers(1, 20))
def test_ends_are_a_first_and_a_last_part(tokens: list[int], room: int) -> None:
    kept = shortened(tokens, room, "ends")
    assert len(kept) == min(room, len(tokens))
    half = (room + 1) // 2
    assert kept[:half] == tokens[:half]
    assert kept[half:] == (tokens[-(room - half) :] if room > half else []) or len(tokens) <= room


def test_previews_show_short_and_long_texts(bert: InputSpec, tmp_path: Path) -> None:
    dataset = world()
    FEED.previews(FEED.prepare(dataset, settings(), bert), dataset, settings(), bert, tmp_path)
    frame = read_frame(tmp_path / "figures/prepared.csv")
    assert frame["id"].to_list() == ["row 2", "row 1", "row 0"]
    assert frame["after_text"][2] == "[CLS] one two three four [SEP]"
