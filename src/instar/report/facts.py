"""Everything that the page may say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from instar.modality.base import Modality
from instar.records import Audit, Dataset
from instar.report.album import Album, Look


@dataclass(frozen=True)
class Facts:
    """Everything that the page may say."""

    dataset: Dataset
    audit: Audit
    digest: str
    """Of the audit on the disk: the page tells of which audit it is."""
    said: Mapping[str, str]
    """What the page says of the plan, by place (see `slots`)."""
    machine: Mapping[str, Any]
    modality: Modality
    charts: Mapping[str, tuple[tuple[str, str], ...]]
    """Stem and SVG of the charts of each finding, by its code."""
    looks: tuple[Look, ...]
    """What the classes look like; empty for what is no picture."""
    album: Album

    @property
    def garbled(self) -> tuple[str, ...]:
        """Ids of texts of which letters were lost: shown where that is the matter, and last elsewhere."""
        lost = self.audit.get("mojibake")
        return tuple(lost.rows["id"]) if lost is not None and lost.rows.width else ()
