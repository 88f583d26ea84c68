"""The calls that a forward pass makes to some of its modules: seen, recorded, and answered by somebody else."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import TreeSpec, tree_flatten, tree_leaves, tree_unflatten

Call = tuple[str, int]
"""A module below the body, and its how manyth call in a forward pass."""
Handle = Callable[[Call, Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]
"""(call, the module's own forward, its arguments, its named arguments) -> what the call returns"""


@dataclass(frozen=True)
class Seen:
    """A call and what it returned."""

    call: Call
    below: bool
    """Whether it lies below the cut: nothing that it is given depends on a parameter that learns."""
    leaves: tuple[Any, ...]
    """Tensors, as copies, and whatever else was returned."""
    spec: TreeSpec

    @property
    def kind(self) -> tuple[Any, ...]:
        """Everything but the values."""
        return self.call, self.below, self.spec


@contextmanager
def handled(body: nn.Module, names: Sequence[str], handle: Handle) -> Iterator[Counter[str]]:
    """Let `handle` answer the outermost calls of these modules; yields how often each was called, to be cleared."""
    seen: Counter[str] = Counter()
    inside = False

    def wrapped(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def forward(*args: Any, **kwargs: Any) -> Any:
            nonlocal inside
            if inside:
                return original(*args, **kwargs)
            call = name, seen[name]
            seen[name] += 1
            inside = True
            try:
                return handle(call, original, args, kwargs)
            finally:
                inside = False

        return forward

    modules = [(name, body.get_submodule(name)) for name in names]
    before = [(module, module.__dict__.get("forward")) for _, module in modules]
    try:
        for name, module in modules:
            module.forward = wrapped(name, module.forward)
        yield seen
    finally:
        for module, own in before:
            if own is None:
                module.__dict__.pop("forward", None)
            else:
                module.forward = own


def recorded(body: nn.Module, modules: Mapping[str, nn.Module], batch: Mapping[str, Tensor]) -> list[Seen]:
    """Every outermost call of these modules in one forward pass."""
    found: list[Seen] = []

    def handle(call: Call, run: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        reached = any(isinstance(v, Tensor) and v.requires_grad for v in tree_leaves((args, kwargs)))
        result = run(*args, **kwargs)
        leaves, spec = tree_flatten(result)
        copies = (leaf.detach().clone() if isinstance(leaf, Tensor) else leaf for leaf in leaves)
        found.append(Seen(call, not reached, tuple(copies), spec))
        return result

    with torch.enable_grad(), handled(body, tuple(modules), handle):
        body(**batch)
    return found


def crossing(body: nn.Module, seen: Sequence[Seen], batch: Mapping[str, Tensor]) -> tuple[tuple[Call, int], ...]:
    """The tensors (a call, and which leaf of it) that the features of `batch` depend on when every call below the cut
    returns what was seen: those that a gradient from the features reaches."""
    known = {s.call: s for s in seen if s.below}
    sources: dict[tuple[Call, int], Tensor] = {}

    def handle(call: Call, run: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if call not in known:
            return run(*args, **kwargs)
        given = list(known[call].leaves)
        for i, leaf in enumerate(given):
            if isinstance(leaf, Tensor) and leaf.is_floating_point():
                sources[call, i] = leaf.clone().requires_grad_()
                given[i] = sources[call, i].clone()  # a module above may write into what it gets
        return tree_unflatten(given, known[call].spec)

    with torch.enable_grad(), handled(body, list(dict.fromkeys(s.call[0] for s in seen)), handle):
        features_BD: Tensor = body(**batch)
    if not sources:
        return ()
    gradients = torch.autograd.grad(features_BD.float().sum(), list(sources.values()), allow_unused=True)
    return tuple(place for place, gradient in zip(sources, gradients, strict=True) if gradient is not None)
