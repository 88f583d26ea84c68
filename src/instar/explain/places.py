"""Where a network of pictures still knows what stands where: its last grid of activations, found by running it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isqrt
from typing import Any, Literal

import torch
from torch import Tensor, nn

from instar.records import Group

Layout = Literal["maps", "last", "tokens"]
"""(B, K, S, S), (B, S, S, K), or (B, tokens, K)."""
LEAST = 3
"""Cells a side of the coarsest grid that says anything."""
MOST_EXTRA = 8
"""Tokens besides the patches: one for the class, one of a teacher, registers (arXiv 2309.16588 has four)."""


@dataclass(frozen=True)
class Place:
    """The output of one call of a module, as a grid."""

    module: str
    """Name below the body."""
    call: int
    """Which call of the module in a forward pass, from 0."""
    layout: Layout
    side: int
    """S: cells a side."""
    extra: int = 0
    """Tokens before those of the patches."""

    def cells(self, values: Tensor) -> Tensor:
        """What stands in each cell: (B, S, S, K)."""
        if self.layout == "tokens":
            values = values[:, self.extra :].reshape(len(values), self.side, self.side, -1)
        return values.permute(0, 2, 3, 1) if self.layout == "maps" else values


def grid(module: str, call: int, output: Any) -> Place | None:
    """The output of a module as a grid; None where it is none. Pictures are square, so grids are."""
    values = _tensor(output)
    if values is None or values.ndim not in (3, 4):
        return None
    _, *sizes = values.shape
    if len(sizes) == 2:
        side = isqrt(sizes[0])
        extra = sizes[0] - side**2
        pooled = sizes[1] == 1  # (B, K, 1) holds one place with K numbers, not K places
        found = Place(module, call, "tokens", side, extra) if extra <= MOST_EXTRA and not pooled else None
    elif sizes[1] == sizes[2]:
        found = Place(module, call, "maps", sizes[1])
    else:
        found = Place(module, call, "last", sizes[0]) if sizes[0] == sizes[1] else None
    return found if found is not None and found.side >= LEAST else None


def places(body: nn.Module, groups: Sequence[Group], run: Callable[[], object]) -> list[Place]:
    """All grids that a forward pass makes, in the order in which they are made.

    Only what whole members of the trunk give, and what stands outside of it: inside a member one branch of many knows
    only a part.
    """
    members = tuple(name + "." for group in groups if group.role == "trunk" for name in group.modules)
    found: list[Place] = []
    calls: dict[str, int] = {}

    def watch(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def see(_: nn.Module, __: Any, output: Any) -> None:
            calls[name] = calls.get(name, -1) + 1
            if (place := grid(name, calls[name], output)) is not None:
                found.append(place)

        return see

    handles = [
        module.register_forward_hook(watch(name))
        for name, module in body.named_modules()
        if name and not name.startswith(members)
    ]
    try:
        with torch.no_grad():
            run()
    finally:
        for handle in handles:
            handle.remove()
    return found


@contextmanager
def cut(body: nn.Module, place: Place) -> Iterator[list[Tensor]]:
    """As long as the block lasts, what a place gives is where gradients end: it is put into the list, as a tensor that
    wants its gradient. What comes before costs no more than a forward pass."""
    seen: list[Tensor] = []
    calls = 0

    def stand_in(_: nn.Module, __: Any, output: Any) -> Any:
        nonlocal calls
        calls += 1
        values = _tensor(output)
        if calls - 1 != place.call or values is None:
            return output
        leaf = values.detach().requires_grad_()
        seen.append(leaf)
        given = leaf.clone()  # so that a layer may work in place on it
        return given if isinstance(output, Tensor) else type(output)((given, *output[1:]))

    handle = body.get_submodule(place.module).register_forward_hook(stand_in)
    try:
        yield seen
    finally:
        handle.remove()


def _tensor(output: Any) -> Tensor | None:
    """The output itself, or the first of several."""
    first = output[0] if type(output) in (tuple, list) and output else output
    return first if isinstance(first, Tensor) else None
