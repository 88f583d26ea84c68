"""Speed is measured with examples as large as the training will see them."""

import numpy as np
import pytest
import torch

from instar.modality.extent import usual
from instar.modality.modalities import MODALITIES
from instar.models.network import Answers, Classifier
from instar.plan.measure import measure
from instar.prepare.base import Batch
from instar.prepare.words import lengths
from instar.records import Dataset, InputSpec
from instar.train.batches import batches
from test_plan_rules import dataset, pictures
from training_worlds import network

IMAGE, TEXT = MODALITIES["image"], MODALITIES["text"]
WORDS = InputSpec(128, tokenizer="hashed:1000")


def texts(counts: list[int]) -> Dataset:
    made = dataset("text", {"a": len(counts)})
    inputs = [" ".join(["word"] * n) for n in counts]
    return made.__class__(**{**vars(made), "table": made.table.with_columns(input=np.array(inputs, dtype=object))})


def test_pictures_are_as_large_as_asked_for() -> None:
    spec = InputSpec(224, (0.5,) * 3, (0.5,) * 3, "bilinear")
    data = pictures({"a": 20})
    assert IMAGE.extent(data, spec, None) == 224
    assert IMAGE.extent(data, spec, 96) == 96
    assert IMAGE.feed().sample(spec, 96, 5)["pixels"].shape == (5, 3, 96, 96)


def test_texts_are_as_long_as_those_of_a_batch_are_when_padded() -> None:
    counts = np.random.default_rng(0).integers(1, 100, 4000).tolist()
    data = texts(counts)
    extent = TEXT.extent(data, WORDS, 128)
    costs = lengths(data.part("train")["input"].to_list(), WORDS, ())
    padded = [(costs[part].max(), len(part)) for part in batches(costs, 32, 0)]
    longest, sizes = zip(*padded, strict=True)
    assert extent == pytest.approx(np.average(longest, weights=sizes), rel=0.03)


def test_no_text_is_measured_longer_than_it_is_cut_to() -> None:
    data = texts([10] * 190 + [4000] * 10)
    assert TEXT.extent(data, WORDS, None) == 10
    long = texts([4000] * 200)
    assert TEXT.extent(long, WORDS, None) == 128
    assert TEXT.extent(long, WORDS, 50) == 50


def test_nineteen_in_twenty_texts_do_not_exceed_the_usual_length() -> None:
    assert usual(np.arange(1, 21)) == 19 and usual(np.array([7])) == 7


@pytest.mark.parametrize("extent", [1, 41])
def test_sampled_texts_are_whole(extent: int) -> None:
    batch = TEXT.feed().sample(WORDS, extent, 7)
    assert batch["input_ids"].shape == batch["attention_mask"].shape == (7, extent)
    assert batch["input_ids"].min() > 0 and batch["input_ids"].max() < 1000
    assert bool((batch["attention_mask"] == 1).all())


@pytest.mark.parametrize(("asked", "seen"), [(None, 8), (16, 16)])
def test_the_network_is_timed_at_the_extent_asked_for(
    asked: int | None, seen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("instar.plan.measure.SECONDS", 0.001)
    net, sides = network(), set()
    forward = type(net.model).forward

    def watched(model: Classifier, batch: Batch) -> torch.Tensor | Answers:
        sides.add(batch["pixels"].shape[-1])
        return forward(model, batch)

    monkeypatch.setattr(type(net.model), "forward", watched)
    assert measure(net, extent=asked).extent == seen
    assert sides == {seen}
