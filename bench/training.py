"""What the training costs beside what it cannot do without: ratios, each measured in one run.

    python bench/training.py [live] [probe] [texts] [memory] [--images 1000] [--texts 2000] [--repeats 3] [--quick]

The ways to do one thing take turns, so that a busy machine slows all of them alike. Prints Markdown: medians over
the repeats, from the lowest to the highest in parentheses. Read README.md beside this file before quoting a figure.
"""

import argparse
import os
import sys
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: a waiting thread must not spin (pytorch#80777)

import numpy as np
import torch
from contest.memory import child, memory
from contest.ready import Ready, dataset_of, epoch, live_of, rate, ready
from contest.sets import MOBILENET, minilm, shared_folder
from numpy.typing import NDArray
from prepare import packages, processor, table, taking_turns

from instar import machine
from instar.prepare.base import Batch, Prepared
from instar.prepare.features import features
from instar.prepare.passes import device, logits, running
from instar.prepare.tokens import tokeniser
from instar.train.batches import batches
from instar.train.loop import Live
from instar.train.probe import Examples, solve
from instar.train.stages import enter

TOKENS = 128
"""Tokens at most: what instar's plan takes for McDonald's reviews."""
PARTS = ("live", "probe", "texts", "memory")


def in_memory(live: Live) -> list[tuple[Batch, torch.Tensor]]:
    """The very batches of an epoch, augmented and laid out, before anything is timed."""
    data, parts = live.data, batches(live.data.prepared.costs[live.data.train_rows], live.recipe.batch_size, 0)
    layout = torch.channels_last if live.recipe.channels_last else torch.contiguous_format
    held = []
    for i, part in enumerate(parts):
        batch = data.prepared.batch(data.train_rows[part], live.recipe.augment, i)
        laid = {k: v.to(device(), memory_format=layout) if v.ndim == 4 else v.to(device()) for k, v in batch.items()}
        held.append((laid, torch.from_numpy(data.train_labels[part]).to(device())))
    return held


def bare(live: Live, held: Sequence[tuple[Batch, torch.Tensor]]) -> float:
    """Examples a second of forward, backward and step alone, on the same network, in the same arithmetic."""
    enter(live.network, live.stage.thaw)

    def work() -> None:
        for batch, labels_B in held:
            with torch.autocast(device().type, torch.bfloat16, enabled=live.recipe.precision == "bf16"):
                logits_BC = live.model(batch)
            torch.nn.functional.cross_entropy(logits_BC.float(), labels_B).backward()
            live.optimizer.step()
            live.optimizer.zero_grad()

    return rate(len(live.data.train_rows), work)


def live_training(ready: Ready, repeats: int) -> str:
    """Throughput of live training against the bare loop, for each stage with gradients."""
    parts = []
    with running(ready.recipe):
        for stage in ready.recipe.stages[1:]:
            live = live_of(ready, stage)
            held = in_memory(live)
            ways = {"bare loop, data in memory": partial(bare, live, held), "live training": partial(epoch, live)}
            title = f"{ready.network.card.title}, stage {stage.name} ({len(ready.data.train_rows)} pictures)"
            parts.append(table((title, "images/s"), taking_turns(ways, repeats), "bare loop, data in memory"))
    return "\n".join(parts)


def probe(ready: Ready, repeats: int) -> str:
    """The stage that solves the head, from pictures on the disk to the chosen solution, against one inference pass."""
    network, recipe, data = ready.network, ready.recipe, ready.data
    rows = np.concatenate([data.train_rows, data.val_rows])

    def whole_stage() -> float:
        with tempfile.TemporaryDirectory() as cache:

            def work() -> None:
                train, val = (
                    features(
                        network, data.prepared, part, augment=(), seed=0, cache=Path(cache), what="probe", recipe=recipe
                    )
                    for part in (data.train_rows, data.val_rows)
                )
                with running(recipe):
                    solve(Examples(train, data.train_labels, val, data.val_labels, None, data.classes), "accuracy")

            return 1 / rate(1, work)

    ways = {
        "one inference pass": lambda: 1 / rate(1, lambda: logits(network, data.prepared, rows, recipe, "pass")),
        "probe stage": whole_stage,
    }
    title = f"{network.card.title}, {len(rows)} pictures, {data.classes} classes, one view"
    return table((title, "seconds"), taking_turns(ways, repeats), "one inference pass")


@dataclass(frozen=True)
class Unsorted:
    """Prepared texts in random batches, padded to the longest of the batch, or of the set where `longest` is given."""

    inner: Prepared
    pad: int
    longest: int | None = None

    @property
    def key(self) -> str:
        return self.inner.key

    @property
    def ids(self) -> tuple[str, ...]:
        return self.inner.ids

    @property
    def costs(self) -> NDArray[np.int64]:
        return np.ones_like(self.inner.costs)

    def batch(self, rows: NDArray[np.int64], augment: tuple[str, ...], seed: int) -> Batch:
        batch = self.inner.batch(rows, augment, seed)
        more = (self.longest or 0) - batch["input_ids"].shape[1]
        if more <= 0:
            return batch
        fill = {"input_ids": self.pad, "attention_mask": 0}
        return {name: torch.nn.functional.pad(value, (0, more), value=fill[name]) for name, value in batch.items()}


def bucketed(ready: Ready, repeats: int) -> str:
    """Texts a second of live training in batches of similar length, against padding to the longest text."""
    data, stage = ready.data, ready.recipe.stages[-1]
    longest = int(data.prepared.costs.max())
    pad = tokeniser(ready.recipe, ready.network.card.spec).pad
    forms: dict[str, Prepared] = {
        "padded to the longest text": Unsorted(data.prepared, pad, longest),
        "random batches, each padded to its longest": Unsorted(data.prepared, pad),
        "bucketed by length (instar)": data.prepared,
    }
    with running(ready.recipe):
        ways = {
            name: partial(epoch, live_of(ready, stage, replace(data, prepared=form))) for name, form in forms.items()
        }
        found = taking_turns(ways, repeats)
    usual = median(data.prepared.costs.tolist())
    title = f"{ready.network.card.title}, {len(data.train_rows)} texts, median {usual:.0f} tokens, longest {longest}"
    return table((title, "texts/s"), found, "padded to the longest text")


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help=f"any of {', '.join(PARTS)} (all)")
    parser.add_argument("--folder", type=Path, help="labelled pictures (the shared butterflies)")
    parser.add_argument("--images", type=int, default=1000, help="pictures of live and probe; memory takes half (1000)")
    parser.add_argument("--texts", type=int, default=2000, help="McDonald's reviews (2000)")
    parser.add_argument("--repeats", type=int, default=3, help="counted turns (3)")
    parser.add_argument("--quick", action="store_true", help="a try of the script, not a measurement")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    shared = shared_folder()
    backbone, weights = MOBILENET[0], shared / MOBILENET[1]
    folder = asked.folder or shared / "data/butterfly"
    if asked.child:
        child(folder, backbone, weights, asked.child)
        return
    if unknown := set(asked.parts) - set(PARTS):
        raise SystemExit(f"{unknown.pop()} is no part of this bench; choose among {', '.join(PARTS)}")
    parts = asked.parts or PARTS
    if asked.quick:
        asked.images, asked.texts, asked.repeats = 48, 64, 1
    print(
        f"{processor()}, {machine.cores()} cores, load {os.getloadavg()[0]:.1f} before; {packages()}; {date.today()}\n"
    )
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["INSTAR_HOME"] = f"{temporary}/home"
        cache = Path(temporary) / "cache"
        if {"live", "probe"} & set(parts):
            pictures = ready(dataset_of(folder, asked.images), backbone, weights, None, cache)
            for part, way in (("live", live_training), ("probe", probe)):
                if part in parts:
                    print(way(pictures, asked.repeats), flush=True)
        if "texts" in parts:
            reviews = dataset_of(shared / "data/mcdonalds/McDonald_s_Reviews.csv", asked.texts, "review", "rating")
            print(bucketed(ready(reviews, minilm(), None, TOKENS, cache), asked.repeats), flush=True)
        if "memory" in parts:
            print(
                memory([sys.executable, __file__, "--folder", str(folder), "--child"], asked.images // 2, asked.repeats)
            )
    print(f"Load {os.getloadavg()[0]:.1f} after; {asked.repeats} repeats.")


if __name__ == "__main__":
    main()
