"""Weights of words: pieces joined, completeness, the deciding word found."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import nn

from explain_worlds import DECIDING, HASHED, TEXTS, network, of_texts, sentences
from instar.explain import account
from instar.explain.base import Unexplained, at_rest
from instar.explain.deletion import deletion
from instar.explain.kinds import KINDS, spoken
from instar.explain.sanity import sanity
from instar.explain.tokens import Tokens
from instar.models.hf_texts import Texts
from instar.models.scratch import Words
from instar.prepare.tokens import example_texts
from instar.prepare.words import words_of
from instar.records import InputSpec


def word_pieces(folder: Path) -> InputSpec:
    """A tokenizer of word pieces with markers and a mask."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    whole = ["[PAD]", "[CLS]", "[SEP]", "[MASK]", "[UNK]", "!", ",", "sour", "##ness", "soup"]
    vocabulary = {piece: i for i, piece in enumerate([*whole, *letters, *(f"##{x}" for x in letters)])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 1), ("[SEP]", 2)])
    tokenizer.save(str(folder / "tokenizer.json"))
    return InputSpec(32, tokenizer=str(folder))


def test_pieces_are_joined_to_the_words_of_the_text(tmp_path: Path) -> None:
    words = words_of(word_pieces(tmp_path), 32, "head", ())
    told = words.tell("Sourness, soup!")
    assert [told.text[begin:end] for begin, end in told.words] == ["Sourness", ",", "soup", "!"]
    assert told.owners == (-1, 0, 0, 1, 2, 3, -1)
    assert len(told.owners) == len(words.encode(["Sourness, soup!"])[0])
    assert (words.pad, words.blank) == (0, 3)


@pytest.mark.parametrize("fit", ["head", "ends"])
def test_a_text_that_is_cut_has_owners_for_what_is_left(tmp_path: Path, fit: str) -> None:
    for spec in (word_pieces(tmp_path), HASHED):
        words = words_of(spec, 6, fit, ())
        text = "soup sour abc soup sourness soup sour"
        told = words.tell(text)
        assert len(told.owners) == len(words.encode([text])[0]) == 6
        assert {0, *told.owners} - {-1} == set(range(len(told.words)))
        kept = [text[begin:end] for begin, end in told.words]
        assert kept[0] == "soup" and (kept[-1] == "sour") == (fit == "ends")


def test_letters_that_grow_when_folded_do_not_move_words() -> None:
    told = words_of(HASHED, 32, "head", ()).tell("Straßenfuß, SÜSS İx")
    assert [told.text[begin:end] for begin, end in told.words][:2] == ["Straßenfuß", "SÜSS"]


def test_a_text_is_told_whole() -> None:
    told = words_of(HASHED, 4, "ends", ()).tell("One, two  three (four) five six!")
    parts = spoken(told, np.arange(4.0))
    text = "".join(("" if part["joined"] else " ") + str(part["word"]) for part in parts)
    assert text.strip() == "One, two three (four) five six!"
    assert [part["word"] for part in parts if part["weight"] is not None] == ["One", "two", "five", "six"]


@pytest.mark.parametrize("config", ["BertConfig", "DistilBertConfig", "RobertaConfig"])
def test_the_words_add_up_to_what_they_make_together(tmp_path: Path, config: str) -> None:
    torch.manual_seed(0)
    spec = word_pieces(tmp_path)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    sizes |= {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32}
    made = transformers.AutoModel.from_config(
        getattr(transformers, config)(vocab_size=64, max_position_embeddings=64, pad_token_id=0, **sizes)
    )
    net = network(Texts(made, "mean"), 16, "text", spec)
    texts = ["Sour soup, sourness!", "abc", "soup soup sour sour soup"]
    prepared = example_texts(texts, TEXTS, spec)
    rows, classes = np.arange(3), np.array([0, 1, 2])
    with at_rest(net.model):
        reader = KINDS["text"].reader(net, prepared, TEXTS, spec, texts)
        found = reader.weights(rows, classes)
        assert reader.place == "network.embeddings.word_embeddings"
        words = words_of(spec, 32, "head", ())
        for i, weights in enumerate(found):
            assert weights.size == len(words.tell(texts[i]).words)
            batch = prepared.batch(rows[i : i + 1], (), 0)
            blank = batch["input_ids"].clone()
            blank[0, 1:-1] = words.blank
            full, empty = (net.model({**batch, "input_ids": ids})[0] for ids in (batch["input_ids"], blank))
            margins = [float(logits[classes[i]] - logits.mean()) for logits in (full, empty)]
            assert weights.sum() == pytest.approx(margins[0] - margins[1], abs=0.02)
        batch["attention_mask"][0, 1:-1] = 0
        everything = [np.ones(weights.size, np.bool_) for weights in found]
        gone = reader.probabilities(rows, everything)[2]
        assert np.allclose(gone, net.model(batch).softmax(1)[0].numpy(), atol=1e-6)


def test_the_deciding_word_weighs_most_and_both_tests_see_it() -> None:
    made, prepared, texts = of_texts()
    _, labels = sentences()
    rows = np.arange(30)
    with at_rest(made.model):
        reader = KINDS["text"].reader(made, prepared, TEXTS, HASHED, texts)
        assert isinstance(reader, Tokens) and set(reader.tables) == {"words", "pairs"}
        found = reader.weights(rows, labels[rows])
        _, kept, gain = deletion(reader, rows, labels[rows], found, 0)
        alike = sanity(made, reader, rows, labels[rows], found, 0)
    heaviest = []
    for row, weights in zip(rows, found, strict=True):
        begin, end = reader.told(int(row)).words[int(weights.argmax())]
        heaviest.append(texts[row][begin:end].lower() == DECIDING[labels[row]])
    assert np.mean(heaviest) > 0.6  # of eight words or so; neighbours share what a pair of words says
    assert gain.low > 0 and kept[0].value < kept[1].value
    assert alike[-1].high < 0.5


def test_a_network_that_looks_nothing_up_says_so() -> None:
    class Counting(nn.Module):
        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            return torch.stack([attention_mask.sum(1), input_ids.sum(1)], 1).float()

    texts = ["one two", "three"]
    made = network(Counting(), 2, "text", HASHED)
    with pytest.raises(Unexplained, match="looks no words up"):
        KINDS["text"].reader(made, example_texts(texts, TEXTS, HASHED), TEXTS, HASHED, texts)


def test_reasons_for_new_texts_are_those_of_the_answer_that_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ordered classes the answer may be the median, though it is the least probable of all."""
    texts = ["one two three", "four five"]
    made, prepared = network(Words(512, 16), 16, "text", HASHED), example_texts(texts, TEXTS, HASHED)
    logits = np.log(np.array([[0.45, 0.1, 0.45], [0.1, 0.3, 0.6]], np.float32))
    monkeypatch.setattr(account, "answer_logits", lambda *_: logits)
    for decode, answers, others in (("argmax", ["a", "c"], ["c", "b"]), ("median", ["b", "c"], ["a", "b"])):
        asked = account.Subject(made, prepared, replace(TEXTS, decode=decode), texts, ("a", "b", "c"))
        told, _ = account.account_new(asked, 1.0)
        assert told["predicted"].to_list() == answers
        assert told["other"].to_list() == others
        shares = [float(np.exp(row["abc".index(c)])) for row, c in zip(logits, answers, strict=True)]
        assert told["confidence"].to_list() == pytest.approx(shares)
