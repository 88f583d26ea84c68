"""Depth groups of any network by one rule, not by a table of architectures."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

from instar.records import Group

NUMBER = re.compile(r"\d+[a-z]?(?![a-zA-Z])")
"""A number in a name, with the letter behind it that Inception has: Mixed_5b and Mixed_6a are one family."""


@dataclass(frozen=True)
class Family:
    """Modules side by side whose names differ in their numbers only: blocks.0, blocks.1 ..., layer1 ..."""

    members: tuple[str, ...]
    """Names of those that hold parameters, in the order in which the network holds them."""
    weight: int
    """How many modules with parameters of their own all members hold together."""


def depth_groups(body: nn.Module) -> tuple[Group, ...]:
    """Divide a network into stem, trunk and neck; each parameter belongs to exactly one group.

    The trunk is the outermost numbered family of modules with most members: of the families that stand in no
    other family, the one that holds most modules, members of members counted too (four stages with 52
    convolutions outweigh a stem of three). What comes before the trunk is the stem, what comes after it the
    neck, and what stands between two members belongs to the one before it, and so does a member that is but a
    norm (VGG counts these like its convolutions). A family beside the trunk with
    the same numbers (a patch embedding or a norm for each stage) is shared out, member for member. Modules
    without parameters, dropout for instance, follow the same order, so that a group can be put to rest whole.

    A network without families is one stem. The order is the one in which the network holds its modules, which
    need not be the one in which it runs them.
    """
    families = _families(body)
    chosen = max(families, key=lambda family: family.weight).members if families else ()
    trunk = tuple(name for name in chosen if _transforms(body.get_submodule(name))) or chosen
    matching = [family.members for family in families if _matches(family.members, trunk)]
    member_at = {member: place for members in matching for place, member in enumerate(members)}
    member_at |= {name: max(sum(n in trunk for n in chosen[: i + 1]) - 1, 0) for i, name in enumerate(chosen)}
    places = _places(list(_parts(body)), trunk, member_at)
    holds_parameters = {places[_part_of(name, places)] for name, _ in body.named_parameters()}
    if -1 not in holds_parameters:
        places = {part: max(place, 0) for part, place in places.items()}
    if len(trunk) not in holds_parameters:
        places = {part: min(place, len(trunk) - 1) for part, place in places.items()}
    prefixes = _prefixes(places)
    groups = []
    for place in range(-1, len(trunk) + 1):
        if place in prefixes:
            parts = tuple(prefixes[place])
            count = _count(body, parts)
            if place < 0:
                groups.append(Group("stem", "stem", parts, count))
            elif place < len(trunk):
                groups.append(Group(_short(trunk[place]), "trunk", parts, count))
            else:
                groups.append(Group("neck", "neck", parts, count))
    return tuple(groups)


def belongs(name: str, group: Group) -> bool:
    """Whether the module or parameter `name` (below the body) is in the group."""
    return _below(name, group.modules)


def _below(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def _parts(body: nn.Module) -> Iterator[str]:
    """The smallest parts in order: modules without children, parameters that other modules own directly."""
    for name, module in body.named_modules():
        if name and not list(module.children()):
            yield name
        else:
            start = f"{name}." if name else ""
            yield from (start + key for key, _ in module.named_parameters(recurse=False))


def _families(body: nn.Module) -> list[Family]:
    """The outermost families: those of two and more members, and only where there are none, single ones."""
    members: dict[tuple[str, str], list[str]] = defaultdict(list)
    holders = {name.rpartition(".")[0] for name, _ in body.named_parameters()}
    for name, module in body.named_modules():
        parent, _, last = name.rpartition(".")
        if NUMBER.search(last) and any(True for _ in module.parameters()):
            members[parent, NUMBER.sub("#", last)].append(name)
    for least in (2, 1):
        large = [tuple(names) for names in members.values() if len(names) >= least]
        inner = {name for names in large for name in names}
        outer = [names for names in large if not _has_ancestor(names[0], inner)]
        if outer:
            return [Family(names, sum(_below(holder, names) for holder in holders)) for names in outer]
    return []


def _transforms(module: nn.Module) -> bool:
    """Whether it holds a kernel or a matrix, and not only scales and shifts."""
    return any(parameter.ndim > 1 for parameter in module.parameters())


def _has_ancestor(name: str, among: set[str]) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:depth]) in among for depth in range(1, len(parts)))


def _matches(members: tuple[str, ...], trunk: tuple[str, ...]) -> bool:
    """Whether two families stand side by side and carry the same numbers."""

    def numbers(names: tuple[str, ...]) -> list[list[str]]:
        return [NUMBER.findall(name.rpartition(".")[2]) for name in names]

    def holder(name: str) -> str:
        parent, _, last = name.rpartition(".")
        return parent.rpartition(".")[0] if last.isdigit() else parent

    return numbers(members) == numbers(trunk) and holder(members[0]) == holder(trunk[0])


def _places(parts: list[str], trunk: tuple[str, ...], member_at: dict[str, int]) -> dict[str, int]:
    """Part -> its place: -1 stem, 0 ... trunk members, len(trunk) neck."""
    places: dict[str, int] = {}
    current = -1
    for part in parts:
        names = part.split(".")
        above = [".".join(names[: depth + 1]) for depth in range(len(names))]
        inside = next((member_at[name] for name in above if name in member_at), None)
        if inside is None:
            places[part] = len(trunk) if trunk and current == len(trunk) - 1 else current
        else:
            places[part] = inside
            if trunk[inside] in above:
                current = inside
    return places


def _part_of(parameter: str, places: dict[str, int]) -> str:
    return parameter if parameter in places else parameter.rpartition(".")[0]


def _prefixes(places: dict[str, int]) -> dict[int, list[str]]:
    """Place -> the shortest module names that hold its parts and no other's, in order."""
    above: dict[str, set[int]] = defaultdict(set)
    for part, place in places.items():
        names = part.split(".")
        for depth in range(1, len(names) + 1):
            above[".".join(names[:depth])].add(place)
    prefixes: dict[int, dict[str, None]] = defaultdict(dict)
    for part, place in places.items():
        names = part.split(".")
        ancestors = (".".join(names[:depth]) for depth in range(1, len(names) + 1))
        prefixes[place][next(name for name in ancestors if len(above[name]) == 1)] = None
    return {place: list(names) for place, names in prefixes.items()}


def _short(member: str) -> str:
    parent, _, last = member.rpartition(".")
    return f"{parent.rpartition('.')[2]}.{last}" if last.isdigit() and parent else last


def _count(body: nn.Module, prefixes: tuple[str, ...]) -> int:
    return sum(p.numel() for name, p in body.named_parameters() if _below(name, prefixes))
