"""Which examples show what a finding means, and how they are shown."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import polars as pl

from instar.deck.text import clean
from instar.deck.words import Words
from instar.modality.base import Modality
from instar.records import Dataset, Finding, Gallery, Quotes
from instar.report.album import Album

GROUPS, SINGLES = 6, 12
"""Pairs or groups, and single examples, that are shown of a finding."""
LETTERS = 420
"""Letters of a quotation."""
OF_CLASSES = ("colour", "junk-classes", "shortcuts", "separability")
"""Findings whose rows are classes, the telling ones first, of which examples are shown."""
SHOWN = ("train", "val", "test", "unlabelled")


@dataclass(frozen=True)
class Group:
    """Examples that are shown together, with a caption each and one for all."""

    ids: tuple[str, ...]
    captions: tuple[str, ...]
    caption: str = ""


def chosen(found: Finding, dataset: Dataset, words: Words, garbled: Collection[str] = ()) -> list[Group]:
    """The examples of a finding, by what its rows are: pairs, copies, classes or single examples.

    garbled: ids of texts of which letters were lost; pairs with them come last, as they show little.
    """
    rows = found.rows
    if found.evidence.get("class_pairs") and not rows.height:
        return _confused(found.evidence["class_pairs"], dataset)
    if not rows.height or found.verdict in ("skipped", "not applicable") or found.code == "feature-map":
        return []
    if "other_id" in rows.columns:
        return _pairs(rows, words, garbled)
    if "group" in rows.columns:
        return _copies(rows, words)
    if found.code == "confusable-classes":
        return _confused(rows.select("first", "second").rows(), dataset)
    if found.code in OF_CLASSES and found.verdict in ("issue", "note"):
        return _of_classes(found, dataset)
    if "id" not in rows.columns or found.code == "unreadable":
        return []
    if found.code == "unlabelled":
        odd = rows.filter(pl.col("twin_in_train") | pl.col("clashing_name"))
        rows = odd.sort("twin_in_train", descending=True, maintain_order=True)
    if found.code == "suspect-labels":
        return [
            Group(
                (row["id"],),
                (
                    words(
                        "example.suspect",
                        label=words.name(row["label"]),
                        suggested=words.name(row["suggested"]),
                        probability=words.percent(row["probability"]),
                    ),
                ),
            )
            for row in rows.head(SINGLES).iter_rows(named=True)
        ]
    known = dataset.part(*SHOWN).select("id", "label", "split")  # type: ignore[arg-type]
    first = rows.select("id").head(SINGLES).join(known, on="id", how="inner", maintain_order="left")
    return [Group((i,), (_named(label, split, words),)) for i, label, split in first.iter_rows()]


def _named(label: str | None, split: str, words: Words) -> str:
    if label is not None:
        return label
    return words("example.none" if split == "unlabelled" else "example.sealed")


def _pairs(rows: pl.DataFrame, words: Words, garbled: Collection[str]) -> list[Group]:
    """Pairs that can be read first, of these those with different labels, then those that stand in two parts."""
    lost = pl.any_horizontal(pl.col("id", "other_id").is_in(list(garbled)))
    apart = (pl.col("label") != pl.col("other_label")).fill_null(False)
    across = pl.col("split") != pl.col("other_split")
    groups = []
    for row in rows.sort(lost, ~apart, ~across, maintain_order=True).head(GROUPS).iter_rows(named=True):
        measure = "similarity" if "similarity" in row else "difference"
        captions = (
            _named(row["label"], row["split"], words),
            _named(row["other_label"], row["other_split"], words),
        )
        groups.append(
            Group((row["id"], row["other_id"]), captions, words(f"example.{measure}", value=f"{row[measure]:g}"))
        )
    return groups


def _copies(rows: pl.DataFrame, words: Words) -> list[Group]:
    """Copies, those with most different labels and most rows first, a label at a time."""
    keys = ["labels", "n", "group"]
    ranked = (
        rows.group_by("group")
        .agg(pl.col("label").n_unique().alias("labels"), pl.len().alias("n"))
        .sort(keys, descending=[True, True, False])
    )
    groups = []
    for number in ranked["group"].head(GROUPS):
        own = rows.filter(pl.col("group") == number)
        by_label = own.group_by("label", maintain_order=True).agg(pl.col("id").first(), pl.len().alias("n"))
        shown = by_label.sort("n", descending=True, maintain_order=True).head(3)
        captions = tuple(
            words("example.copies", n, label=label if label is not None else words("example.sealed"))
            for label, n in shown.select("label", "n").iter_rows()
        )
        groups.append(Group(tuple(shown["id"]), captions))
    return groups


def _confused(pairs: Sequence[Sequence[str]], dataset: Dataset) -> list[Group]:
    groups = []
    for first, second in pairs[:GROUPS]:
        ids = [_typical(dataset, label, 1) for label in (first, second)]
        if all(ids):
            groups.append(Group((ids[0][0], ids[1][0]), (first, second)))
    return groups


def _of_classes(found: Finding, dataset: Dataset) -> list[Group]:
    rows = found.rows
    if found.code == "colour":
        rows = rows.filter(pl.col("class").is_in(list(found.evidence["grey_classes"])))
    elif found.code == "shortcuts":
        given_away = [name for name, _ in found.evidence["classes_given_away"]]
        rows = pl.DataFrame({"class": given_away}, {"class": pl.String})
    elif found.code == "separability":
        rows = rows.sort("recall", "class")
    each = SINGLES // 2 if rows.height < 3 else 3
    names = rows["class"].head(SINGLES // 3).to_list()
    return [Group((i,), (name,)) for name in names for i in _typical(dataset, name, each)]


def _typical(dataset: Dataset, label: str, n: int) -> list[str]:
    """Training examples of a class at equal distances of the list."""
    ids = dataset.part("train").filter(pl.col("label") == label)["id"]
    return ids.gather_every(max(len(ids) // n, 1)).head(n).to_list()


def show(groups: Sequence[Group], dataset: Dataset, modality: Modality, album: Album) -> tuple[str, bool]:
    """The examples as HTML, and whether all of them found room."""
    ids = [i for group in groups for i in group.ids]
    captions = [clean(c) for group in groups for c in group.captions]
    if not ids:
        return "", True
    block = modality.show(dataset, ids, captions, ["plain"] * len(ids))
    shown: list[str | None] = []
    match block:
        case Gallery(pictures=pictures):
            for picture in pictures:
                data = album.thumbnail(Path(picture.path))
                alt = escape(clean(picture.alt), quote=True)
                caption = f'<figcaption dir="auto">{escape(picture.caption)}</figcaption>'
                figure = f'<figure><img src="{data}" alt="{alt}" loading="lazy">{caption}</figure>'
                shown.append(figure if data else data)
            kind = "pictures"
        case Quotes(items=quotes):
            for quote in quotes:
                text = clean(quote.text)
                text = text if len(text) <= LETTERS else text[: LETTERS - 1] + "…"
                foot = f'<figcaption dir="auto">{escape(quote.caption)}</figcaption>'
                shown.append(f'<figure><blockquote dir="auto">{escape(text)}</blockquote>{foot}</figure>')
            kind = "quotes"
        case _:
            raise AssertionError(block)
    html, at = "", 0
    for group in groups:
        part = [one for one in shown[at : at + len(group.ids)] if one]
        at += len(group.ids)
        if part:
            said = f'<p class="small">{escape(group.caption)}</p>' if group.caption else ""
            html += f"<li{' class=together' if len(part) > 1 else ''}>{''.join(part)}{said}</li>"
    return f'<ul class="{kind}">{html}</ul>' if html else "", "" not in shown
