"""Weights of words: how much each word of a text speaks for a class."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from instar.explain.base import Bools, Unexplained, answers, margin, onto_device, parts
from instar.metrics import Floats, Ints
from instar.models.network import Network
from instar.prepare.base import Batch, Prepared
from instar.prepare.passes import device
from instar.prepare.words import Told
from instar.records import Recipe

NODES = 6
"""Points of the path, by Gauss and Legendre."""


class Tokens:
    """Integrated gradients (Sundararajan et al. 2017, arXiv 1703.01365) from the text with every word taken out to the
    text itself, along the vectors of its words; pieces of a word are added up.

    The weights of a text add up to the difference that all its words make, but for the error of a path of few points.
    Which of the network's tables hold words is told by running it: those that are asked for something else when the
    words change. (captum does the same, but brings matplotlib and knows no table of pairs of words.)

    Raises:
        Unexplained: the network looks nothing up.
    """

    method = "integrated-gradients"

    def __init__(
        self, network: Network, prepared: Prepared, recipe: Recipe, told: Callable[[int], Told], blank: int
    ) -> None:
        self.model, self.prepared, self.recipe = network.model, prepared, recipe
        self.told, self.blank = told, blank
        self.tables = self._tables(network)
        self.place = ", ".join(self.tables)

    def weights(self, rows: Ints, classes: Ints) -> list[Floats]:
        """For each text the weights of its words, in the order of `told(row).words`."""
        found: dict[int, Floats] = {}
        for some in parts(self.prepared.costs[rows]):
            texts = [self.told(int(row)) for row in rows[some]]
            weights_BL = self._weights(*self._pair(rows[some], texts), classes[some])
            for i, text, weights_L in zip(some, texts, weights_BL, strict=True):
                owners = np.array(text.owners)
                pieces = owners >= 0
                found[int(i)] = np.bincount(
                    owners[pieces], weights_L[: len(owners)][pieces], minlength=len(text.words)
                ).astype(np.float64)
        return [found[i] for i in range(len(rows))]

    def elsewhere(self, weights: Floats, rng: np.random.Generator) -> Floats:
        """The weights dealt to the words anew."""
        return rng.permutation(weights)

    def probabilities(self, rows: Ints, gone: Sequence[Bools]) -> Floats:
        """Probabilities (N, C) when words are taken out: nothing attends to their pieces any more. (A mask
        in their place is a word as well, and a single one upset a network that we measured more than any loss did.)"""
        found = np.zeros((len(rows), self.model.head.out_features))
        for some in parts(self.prepared.costs[rows]):
            texts = [self.told(int(row)) for row in rows[some]]
            batch = self.prepared.batch(rows[some], (), 0)
            mask_BL = batch["attention_mask"].masked_fill(_pieces(batch, texts, [gone[i] for i in some]), 0)
            found[some] = answers(self.model, onto_device({**batch, "attention_mask": mask_BL}, self.recipe))
        return found

    def _pair(self, rows: Ints, texts: Sequence[Told]) -> tuple[Batch, Batch]:
        """The texts without any word, and as they are."""
        batch = self.prepared.batch(rows, (), 0)
        every = _pieces(batch, texts, [np.ones(len(text.words), np.bool_) for text in texts])
        empty = {**batch, "input_ids": batch["input_ids"].masked_fill(every, self.blank)}
        return onto_device(empty, self.recipe), onto_device(batch, self.recipe)

    def _weights(self, empty: Batch, full: Batch, classes: Ints) -> Floats:
        """Weights of tokens (B, L)."""
        begin, end = self._looked_up(empty), self._looked_up(full)
        wanted = torch.from_numpy(classes).to(device())
        total = np.zeros(tuple(full["input_ids"].shape))
        nodes, shares = np.polynomial.legendre.leggauss(NODES)
        for node, share in zip((nodes + 1) / 2, shares / 2, strict=True):
            on_the_way = {
                name: torch.lerp(begin[name], end[name], float(node)).requires_grad_() for name in self.tables
            }
            with self._answering(on_the_way), torch.enable_grad():
                whole = margin(self.model(full), wanted).sum()
                gradients = torch.autograd.grad(whole, list(on_the_way.values()))
            for name, gradient in zip(on_the_way, gradients, strict=True):
                part_BL = (gradient * (end[name] - begin[name])).sum(-1).double().cpu().numpy()
                total += float(share) * _per_token(part_BL, total.shape[1])
        return total

    def _looked_up(self, batch: Batch) -> dict[str, Tensor]:
        """What each table gives for a batch."""
        return {name: output for name, (_, output) in _calls(self.model, batch, self.tables).items()}

    @contextmanager
    def _answering(self, outputs: dict[str, Tensor]) -> Iterator[None]:
        """As long as the block lasts, tables give what is said here."""
        with ExitStack() as stack:
            for name, output in outputs.items():
                module = self.model.body.get_submodule(name)
                stack.callback(module.register_forward_hook(lambda _, __, ___, given=output: given).remove)
            yield

    def _tables(self, network: Network) -> tuple[str, ...]:
        row = np.array([int(self.prepared.costs.argmax())])
        empty, full = self._pair(row, [self.told(int(row[0]))])
        every = [name for name, part in network.model.body.named_modules() if isinstance(part, nn.Embedding)]
        one, other = (_calls(network.model, batch, every) for batch in (empty, full))
        length = full["input_ids"].shape[1]
        found = tuple(
            name
            for name, (asked, output) in other.items()
            if not torch.equal(asked, one[name][0]) and output.ndim == 3 and 0 <= length - output.shape[1] <= 1
        )
        if not found:
            raise Unexplained(f"{network.card.title} looks no words up in a table")
        return found


def _pieces(batch: Batch, texts: Sequence[Told], gone: Sequence[Bools]) -> Tensor:
    """Which tokens of a batch (B, L) are pieces of the words that are marked."""
    hit = np.zeros(tuple(batch["input_ids"].shape), np.bool_)
    for row, text, out in zip(hit, texts, gone, strict=True):
        owners = np.array(text.owners)
        row[: len(owners)] = np.append(out, False)[owners]
    return torch.from_numpy(hit)


def _calls(model: nn.Module, batch: Batch, names: Sequence[str]) -> dict[str, tuple[Tensor, Tensor]]:
    """What tables were asked for and what they gave."""
    seen: dict[str, tuple[Tensor, Tensor]] = {}

    def watch(name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        return lambda _, given, output: seen.update({name: (given[0], output)})

    handles = [model.get_submodule(f"body.{name}").register_forward_hook(watch(name)) for name in names]
    try:
        with torch.no_grad():
            model(batch)
    finally:
        for handle in handles:
            handle.remove()
    return seen


def _per_token(part_BP: Floats, length: int) -> Floats:
    """Weights of tokens (B, L) from those of tokens, or of pairs of neighbours, who share them."""
    if part_BP.shape[1] == length:
        return part_BP
    zero = np.zeros((len(part_BP), 1))
    return (np.hstack([part_BP, zero]) + np.hstack([zero, part_BP])) / 2
