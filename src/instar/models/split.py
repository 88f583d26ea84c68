"""A network cut where its frozen part ends, whatever its architecture.

The frozen part gives the same activations every epoch, so they can be computed once and kept. No network offers to be
entered in the middle; but its frozen modules can be told to return what is known already. Which of their outputs are
needed, autograd tells: those that a gradient from the features would reach. All others are stood in for by zeros of
the right shape, so nothing below the cut is computed again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils._pytree import TreeSpec, tree_leaves, tree_unflatten

from instar.models.calls import Call, Seen, crossing, handled, recorded
from instar.models.depth import belongs
from instar.models.network import Classifier
from instar.records import Group

CUT = "cut"
"""Key of a batch that holds activations instead of an input."""
CONSTANT = -1


class Unsplittable(Exception):
    """Why a network cannot be cut here."""


@dataclass(frozen=True)
class Form:
    """A tensor without its values."""

    dims: tuple[tuple[int, int], ...]
    """Of each dimension the axis of the input that it follows, or `CONSTANT`, and its size in the first probe."""
    dtype: torch.dtype
    order: tuple[int, ...]
    """The dimensions after the first as they lie in memory, slowest first."""

    def shape(self, like: Sequence[int]) -> tuple[int, ...]:
        """Its shape for an input of shape `like`."""
        return tuple(size if axis == CONSTANT else like[axis] for axis, size in self.dims)

    def kind(self, masked: bool) -> str:
        """Whether it holds a row for each example, one for each token, the same for all examples, or none of these."""
        axes = tuple(axis for axis, _ in self.dims)
        if set(axes) <= {CONSTANT}:
            return "shared"
        if axes[0] == 0 and set(axes[1:]) <= {CONSTANT}:
            return "example"
        return "token" if axes[:2] == (0, 1) and set(axes[2:]) <= {CONSTANT} and masked else "other"


@dataclass(frozen=True)
class Output:
    """What a frozen module returns: a tensor, or tensors in a tuple or a record."""

    spec: TreeSpec
    leaves: tuple[Any, ...]
    """A `Form` for each tensor, and whatever else is in it as it is."""


@dataclass(frozen=True)
class Split:
    """Where a network is cut, and what crosses the cut."""

    names: tuple[str, ...]
    """Frozen modules below the body that its forward pass calls."""
    outputs: Mapping[Call, Output]
    """The calls that `upper` answers itself."""
    live: tuple[tuple[Call, int], ...]
    """The tensors that cross: a call, and which leaf of its output."""
    tokens: bool
    """Whether a row of activations belongs to a token, and not to an example."""
    inputs: Mapping[str, tuple[int, ...]]
    """Inputs that are no token ids, which nothing above the cut looks at: name -> shape behind the batch."""

    def form(self, place: tuple[Call, int]) -> Form:
        """Of a tensor that crosses."""
        return cast(Form, self.outputs[place[0]].leaves[place[1]])

    @property
    def widths(self) -> tuple[int, ...]:
        """Values a row of each tensor that crosses."""
        return tuple(prod(size for _, size in self.form(place).dims[1 + self.tokens :]) for place in self.live)


def split(model: Classifier, frozen: Sequence[Group], probes: Sequence[Mapping[str, Tensor]]) -> Split:
    """Find the cut above the `frozen` groups, by running batches that differ in size (and in length, for texts).

    Parameters must require a gradient where they are to learn (`train.stages.enter`), and nowhere in the frozen groups.
    What a gradient has reached already when it gets to a frozen module lies above the cut and stays as it is.
    The model is left in evaluation mode. That lower and upper part together say what the network says is for the
    caller to verify.

    Raises:
        Unsplittable: something below the cut learns, or what crosses is neither a row an example nor one a token.
    """
    body = model.body
    model.eval()
    modules = {name: m for name, m in body.named_modules() if any(belongs(name, group) for group in frozen)}
    if any(p.requires_grad for m in modules.values() for p in m.parameters()):
        raise Unsplittable("something below the cut learns")
    first, *others = [recorded(body, modules, batch) for batch in probes]
    if any([seen.kind for seen in other] != [seen.kind for seen in first] for other in others):
        raise Unsplittable("it does not run the same modules for every batch")
    shapes = [next(iter(batch.values())).shape for batch in probes]
    outputs = {
        seen.call: Output(seen.spec, _forms((seen, *(other[i] for other in others)), shapes))
        for i, seen in enumerate(first)
        if seen.below
    }
    crosses = crossing(body, first, probes[0])
    kinds = {place: outputs[place[0]].leaves[place[1]].kind("attention_mask" in probes[0]) for place in crosses}
    computed = {call for (call, _), kind in kinds.items() if kind == "shared"}
    outputs = {call: output for call, output in outputs.items() if call not in computed}
    live = tuple(place for place in crosses if place[0] in outputs)
    found = {kinds[place] for place in live}
    if len(found) != 1 or "other" in found:
        raise Unsplittable("what crosses the cut is neither one row for each example nor one for each token")
    inputs = {name: tuple(value.shape[1:]) for name, value in probes[0].items() if value.is_floating_point()}
    return Split(tuple(dict.fromkeys(seen.call[0] for seen in first)), outputs, live, found == {"token"}, inputs)


def lower(model: Classifier, at: Split, batch: Mapping[str, Tensor]) -> Tensor:
    """The activations at the cut, a row (R, F) for each example, or for each token that counts, in order.

    What lies above the cut is not run. The model must be in evaluation mode.
    """
    kept: dict[tuple[Call, int], Tensor] = {}

    def handle(call: Call, run: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = run(*args, **kwargs)
        for place in (place for place in at.live if place[0] == call):
            kept[place] = _rows(tree_leaves(result)[place[1]], at, place, batch).clone()
        if len(kept) == len(at.live):
            raise _Enough
        return result

    try:
        with handled(model.body, at.names, handle):
            model.body(**batch)
    except _Enough:
        pass
    return torch.cat([kept[place] for place in at.live], 1)


class _Enough(Exception):
    """Everything that crosses the cut is known."""


@contextmanager
def upper(model: Classifier, at: Split) -> Iterator[None]:
    """As long as the block lasts, the model takes batches with activations under the key `CUT`.

    rows (R, F) as `lower` gives them, in any precision; beside them the token ids and the mask where there are any.
    The modules below the cut return zeros, or what crosses the cut, and compute nothing.
    """
    answers: dict[Call, Any] = {}

    def handle(call: Call, run: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return answers[call] if call in answers else run(*args, **kwargs)

    body = model.body
    original = body.forward
    with handled(body, at.names, handle) as counted:

        def forward(**batch: Tensor) -> Any:
            rows = batch.pop(CUT)
            for name, shape in at.inputs.items():
                batch[name] = _zeros((len(rows), *shape), torch.float32, rows.device)
            counted.clear()
            answers.update(_answers(at, rows, batch))
            try:
                return original(**batch)
            finally:
                answers.clear()

        body.forward = forward
        try:
            yield
        finally:
            del body.forward


def _forms(seen: Sequence[Seen], inputs: Sequence[torch.Size]) -> tuple[Any, ...]:
    return tuple(_form(leaves, inputs) for leaves in zip(*(s.leaves for s in seen), strict=True))


def _form(seen: Sequence[Any], inputs: Sequence[torch.Size]) -> Any:
    """How a tensor's shape follows the input's; what is no tensor is left as it is."""
    first = seen[0]
    if not isinstance(first, Tensor):
        return first
    dims = []
    for at in range(first.ndim):
        sizes = [tensor.shape[at] for tensor in seen]
        axes = sorted(range(len(inputs[0])), key=lambda axis: axis != at)  # the same place first
        follows = [axis for axis in axes if [shape[axis] for shape in inputs] == sizes]
        if len(set(sizes)) > 1 and not follows:
            raise Unsplittable("the shape of an activation does not follow the input's")
        dims.append((follows[0] if len(set(sizes)) > 1 else CONSTANT, sizes[0]))
    order = sorted(range(1, first.ndim), key=lambda at: -first.stride()[at])
    return Form(tuple(dims), first.dtype, tuple(order))


def _rows(tensor: Tensor, at: Split, place: tuple[Call, int], batch: Mapping[str, Tensor]) -> Tensor:
    """A tensor that crosses as rows (R, F), its values as they lie in memory."""
    if at.tokens:
        return tensor[batch["attention_mask"].bool()].flatten(1)
    return tensor.permute(0, *at.form(place).order).flatten(1)


def _answers(at: Split, rows: Tensor, batch: Mapping[str, Tensor]) -> dict[Call, Any]:
    """What every call below the cut returns."""
    parts = dict(zip(at.live, rows.split(at.widths, 1), strict=True))

    def restored(place: tuple[Call, int], leaf: Any) -> Any:
        """What is no tensor as it was; zeros for a tensor that nobody looks at; else its rows as they lay in memory."""
        if not isinstance(leaf, Form):
            return leaf
        shape = leaf.shape(next(iter(batch.values())).shape)
        if place not in parts:
            return _zeros(shape, leaf.dtype, rows.device)
        part = parts[place].to(leaf.dtype)
        if at.tokens:
            states_BLD = torch.zeros(shape, dtype=leaf.dtype, device=rows.device)
            states_BLD[batch["attention_mask"].bool()] = part.unflatten(1, shape[2:])
            return states_BLD
        places = [1 + leaf.order.index(dim) for dim in range(1, len(shape))]
        return part.unflatten(1, [shape[dim] for dim in leaf.order]).permute(0, *places)

    return {
        call: tree_unflatten([restored((call, i), leaf) for i, leaf in enumerate(output.leaves)], output.spec)
        for call, output in at.outputs.items()
    }


def _zeros(shape: Sequence[int], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Zeros that take no memory."""
    return torch.zeros((), dtype=dtype, device=device).expand(tuple(shape))
