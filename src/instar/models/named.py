"""Backbones as a person names them: one, several with commas between, or those of the catalogue."""

import re
from pathlib import Path
from typing import NamedTuple

from instar.errors import UserError
from instar.models import sources
from instar.models.catalogue import recommended

CATALOGUE = "catalogue"
"""Stands for all recommended backbones that can be loaded here without a network."""
FILES = (".safetensors", ".pth", ".pt", ".bin")
"""Ends of files of weights, as `models.weights` reads them (which needs torch)."""
_BETWEEN = re.compile(rf"\s*,\s*(?=(?:{'|'.join(sources.SOURCE)}):)")


class Named(NamedTuple):
    """A backbone, and the file of its weights where one is named."""

    backbone: str
    """SOURCE:NAME"""
    weights: str | None


def named(text: str) -> tuple[Named, ...]:
    """`timm:a,hf:folder=weights.safetensors` -> its parts. A comma parts names only where SOURCE: follows it.

    Raises:
        UserError: a part names no source, or one is named twice.
    """
    found = tuple(_part(part) for part in _BETWEEN.split(text.strip()))
    for one in found:
        sources.check(one.backbone)
        if found.count(one) > 1:
            raise UserError(f"--backbone names {one.backbone} twice; name each candidate once")
    return found


def _part(text: str) -> Named:
    backbone, equals, file = text.rpartition("=")
    return Named(backbone, file) if equals and file.endswith(FILES) else Named(text, None)


def joined(parts: tuple[Named, ...]) -> str:
    """The text that `named` parts."""
    return ",".join(f"{p.backbone}={p.weights}" if p.weights else p.backbone for p in parts)


def several(text: str | None) -> bool:
    """Whether this names candidates to choose among, and not one backbone."""
    return text is not None and (text == CATALOGUE or len(_BETWEEN.split(text)) > 1)


def here(modality: str, first: tuple[str, ...]) -> tuple[Named, ...]:
    """The backbones that stand for `CATALOGUE`: those that are proposed anyway, then the recommended ones, as far as
    their weights are on this machine.

    Args:
        first: the modality's own proposals; networks from scratch have no features to score.
    """
    proposed = [name for name in first if not name.startswith("scratch:")]
    names = dict.fromkeys((*proposed, *(entry.backbone for entry in recommended(modality))))
    return tuple(Named(name, None) for name in names if sources.reachable(name) == "")


def missing(parts: tuple[Named, ...]) -> None:
    """Refuse a file of weights that is not there.

    Raises:
        UserError: naming it.
    """
    for one in parts:
        if one.weights and not Path(one.weights).is_file():
            raise UserError(f"--backbone {one.backbone}={one.weights}: there is no such file")
