"""`instar compose`: from a recipe to a data set on the disk."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from instar.audit.wording import several
from instar.compose import domain, features
from instar.compose.card import card
from instar.compose.classes import select
from instar.compose.merge import Merged, copies, lots, merge
from instar.compose.near_copies import near_copies
from instar.compose.novelty import confounding, origins
from instar.compose.recipe import Composition, Source, read_recipe
from instar.compose.report import Provenance, Report, content, twins_of
from instar.compose.write import vacant, whole, write_set
from instar.data import reading
from instar.data.fetching import Located, resolve
from instar.data.raw import Raw
from instar.data.told import told
from instar.errors import UserError
from instar.files import write_bytes, write_frame, write_text, write_yaml
from instar.modality.base import Modality
from instar.modality.modalities import MODALITIES
from instar.progress import say

CARD, NOVELTY, RECIPE = "DATA_CARD.md", "novelty.yaml", "recipe.yaml"
LEFT_OUT = "left-out"
"""Folder of quarantine.csv, twins.csv and near-copies.csv: `reading` would take tables beside table.csv for parts of
the set."""
NOVELTY_COMMENT = """Where the examples and classes of this set come from, and how far its sources lie apart.
Words explained in docs/compose.md; DATA_CARD.md says the same for people."""


@dataclass(frozen=True)
class _Opened:
    """A source that was found and read."""

    wanted: Source
    located: Located
    raw: Raw


def compose(recipe: Path, out: Path) -> Path:
    """Merge the sources of a recipe into a new data set.

    Args:
        recipe: a YAML file, see `recipe.Composition`.
        out: the folder to make; there afterwards whole, or not at all.

    Returns:
        `out` with table.csv, images/ (for pictures), DATA_CARD.md, novelty.yaml, recipe.yaml and left-out/.

    Raises:
        UserError: for whatever is wrong with recipe, sources or disk.
    """
    wanted = read_recipe(recipe)
    vacant(out)
    sources = _open(wanted, recipe.parent)
    modality = _modality(sources)
    frame = pl.concat([_measured(one, modality, name) for name, one in sources.items()], how="diagonal")
    merged = merge(frame, wanted, {name: one.wanted for name, one in sources.items()})
    provenance = tuple(_provenance(name, one) for name, one in sources.items())
    licences = {source.name: source.licence for source in provenance}
    with whole(out) as folder:
        table = write_set(merged.kept, licences, modality, folder, wanted.files)
        report = _report(merged, table, wanted, modality, folder, recipe.parent, provenance)
        _write(merged, report, wanted, folder)
        write_bytes(folder / RECIPE, recipe.read_bytes())
    classes = several(table["label"].n_unique(), "class", "classes")
    say(f"{out}: {table.height} {modality.many} of {classes} from {several(len(sources), 'source')}")
    say(report.confounding.sentence)
    return out


def _open(recipe: Composition, base: Path) -> dict[str, _Opened]:
    """Find and read every source, under the name that provenance gives it."""
    found = []
    for wanted in recipe.sources:
        beside = base / Path(wanted.source).expanduser()
        located = resolve(str(beside) if beside.exists() else wanted.source)
        raw = reading.read(
            str(located.path),
            text=wanted.text or located.text,
            image=wanted.image or located.image,
            label=wanted.label or located.label,
        )
        name = wanted.name or located.name
        for line in told(raw.facts):
            say(f"{name}: {line}")
        found.append((name, _Opened(wanted, located, raw)))
    again = [name for name, n in Counter(name for name, _ in found).items() if n > 1]
    if again:
        raise UserError(f'several sources are called "{again[0]}"; give each a name of its own with the key name')
    return dict(found)


def _modality(sources: dict[str, _Opened]) -> Modality:
    kinds = {one.raw.modality: name for name, one in sources.items()}
    if len(kinds) > 1:
        has = " and ".join(f"{name} has {MODALITIES[kind].many}" for kind, name in kinds.items())
        raise UserError(f"{has}; compose sets of one kind")
    return MODALITIES[next(iter(kinds))]


def _measured(one: _Opened, modality: Modality, name: str) -> pl.DataFrame:
    """The rows of a source, those of chosen classes measured."""
    rows = select(one.raw, one.wanted, name)
    chosen = rows.filter(pl.col("fate").is_null())
    say(f"{name}: {chosen.height} of {rows.height} {modality.many} chosen, measuring them")
    measured = modality.measure(chosen.select(pl.col("original").alias("id"), "input"), Path(one.raw.root))
    return rows.join(measured.rename({"id": "original"}), on="original", how="left", maintain_order="left")


def _provenance(name: str, one: _Opened) -> Provenance:
    entry = one.located.entry
    return Provenance(
        name=name,
        title=entry.title if entry else one.located.name,
        licence=one.wanted.licence or one.located.licence or "unknown",
        citation=one.located.citation,
    )


def _report(
    merged: Merged,
    table: pl.DataFrame,
    recipe: Composition,
    modality: Modality,
    folder: Path,
    base: Path,
    provenance: tuple[Provenance, ...],
) -> Report:
    names = [source.name for source in provenance]
    pairs, near = near_copies(merged.kept)
    write_frame(folder / LEFT_OUT / "near-copies.csv", pairs)
    ids = pl.int_range(pl.len()).cast(pl.String).alias("id")
    drawn_by = lots(merged.kept, f"{recipe.seed} sample")
    rows = merged.kept.with_columns(table[modality.column].alias("input"), ids, drawn_by)
    everything, shared = domain.sample(rows), domain.sample_shared(rows)
    if recipe.backbone is None or len(names) == 1:
        scorer, seen = (
            features.cheap(modality, folder),
            modality.cheap_name.removeprefix("logistic regression on "),
        )
    else:
        weights = base / Path(recipe.weights).expanduser() if recipe.weights else None
        union = pl.concat([everything, shared]).unique("id", maintain_order=True)
        scorer, seen = features.frozen(union, modality, folder, recipe.backbone, weights, recipe.seed)
    return Report(
        modality=modality.name,
        many=modality.many,
        options=_options(table, modality, folder),
        sources=provenance,
        origins=origins(merged.frame, names),
        twins=twins_of(copies(merged.frame)),
        near=near,
        confounding=confounding(merged.kept),
        features=seen,
        all_classes=domain.domain(everything, names, scorer, recipe.seed),
        shared_classes=domain.domain(shared, names, scorer, recipe.seed),
    )


def _options(table: pl.DataFrame, modality: Modality, folder: Path) -> str:
    """Columns to name where guessing them would go wrong, as with mostly equal texts or very rare classes."""
    column = modality.column
    try:
        seen = reading.read(str(folder), text=None, image=None, label=None)
    except UserError:
        return f" --{modality.name} {column} --label label"
    right = (seen.facts[f"{modality.name}_column"], seen.facts["label_column"]) == (column, "label")
    return "" if right else f" --{modality.name} {column} --label label"


def _write(merged: Merged, report: Report, recipe: Composition, folder: Path) -> None:
    """All that is said about the set."""
    unreadable = merged.frame.filter(pl.col("fate") == "unreadable")
    write_frame(folder / LEFT_OUT / "quarantine.csv", unreadable.select("source", "original", "was", "label", "error"))
    write_frame(folder / LEFT_OUT / "twins.csv", copies(merged.frame))
    write_yaml(folder / NOVELTY, content(report), NOVELTY_COMMENT)
    write_text(folder / CARD, card(report, recipe, merged))
