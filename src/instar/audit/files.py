"""Which files take no part, and do the names of the others say what they hold?"""

from pathlib import PurePosixPath

import polars as pl

from instar.audit.wording import listed, number, several
from instar.data.folder import FORMATS, split_name
from instar.records import Dataset, Finding, Json, Verdict

SAME = {"MPO": "JPEG", "DIB": "BMP"}
"""Formats that go under the suffix of another one: several pictures in a JPEG, a BMP without its file header."""
SHOWN = 3
"""Names in a sentence."""
SCHEMA = {"id": pl.String, "label": pl.String, "format": pl.String, "suffix": pl.String, "what": pl.String}
NO_SUFFIX, OTHER = "no suffix of a picture", "suffix of another format"


def files(dataset: Dataset) -> Finding:
    """Files that take no part, pictures whose suffix names another format or none, and
    names that stand for two pictures.

    What a picture is, is told by its content here; other programs go by the suffix. Where the split was given, a
    path below the folder of one part may stand for a different picture below that of another part; a table that
    names pictures without their folder does not say which is meant.
    """
    opening = dataset.opening
    formats = "measure.format" in dataset.table.columns  # the examples are files that were read
    rows = _named_wrongly(dataset) if formats else pl.DataFrame(schema=SCHEMA)
    two = _in_two_parts(dataset) if formats and opening["given_split"] else []
    names = opening.get("ignored_names", [])  # sets opened by an earlier version have none
    examples = rows.group_by("what", maintain_order=True).agg(pl.len().alias("n"), pl.col("id").first())
    wrong = {what: (n, first) for what, n, first in examples.iter_rows()}
    evidence: dict[str, Json] = {
        "ignored": opening["ignored_files"],
        "hidden": opening.get("ignored_hidden", 0),
        "ignored_names": names,
        "no_suffix": wrong.get(NO_SUFFIX, (0, ""))[0],
        "other_suffix": wrong.get(OTHER, (0, ""))[0],
        "examples": {what: first for what, (_, first) in wrong.items()},
        "names_in_two_parts": len(two),
        "two_parts_names": two[:SHOWN],
    }
    parts = []
    if evidence["ignored"]:
        n = evidence["ignored"]
        what = f"{several(n, 'file')} {'takes' if n == 1 else 'take'} no part"
        if evidence["hidden"]:
            what += f" ({number(evidence['hidden'])} hidden or left behind by a system)"
        shown = [f"“{name}”" for name in names[:SHOWN]]
        more = n - evidence["hidden"] - len(shown)
        if shown:
            evidence["more"] = more
            what += f": {', '.join(shown)}" + (f" and {number(more)} more" if more else "")
        parts.append(what)
    for what, key in ((NO_SUFFIX, "no_suffix"), (OTHER, "other_suffix")):
        if n := evidence[key]:
            example, suffix = f"“{evidence['examples'][what]}”", "the " + what if what == OTHER else what
            if n == 1:
                parts.append(f"{several(n, 'picture')}, {example}, has {suffix} and was read by its content")
            else:
                parts.append(
                    f"{several(n, 'picture')}, such as {example}, have {suffix} and were read by their content"
                )
    if two:
        parts.append(
            f"{several(len(two), 'name')} {'stands' if len(two) == 1 else 'stand'} for different pictures in two parts "
            f"of the split: {listed([f'“{name}”' for name in two], SHOWN)}"
        )
    told = evidence["ignored"] > evidence["hidden"] or rows.height or (two and opening["table"])
    verdict: Verdict = "note" if told else "passed"
    if not parts:
        held = " and the suffix of each picture names its format" if formats else ""
        return Finding("files", verdict, f"No file was passed over{held}.", evidence, rows)
    return Finding("files", verdict, "; ".join(parts) + ".", evidence, rows)


def _named_wrongly(dataset: Dataset) -> pl.DataFrame:
    """Pictures that were read, whose suffix is of no picture or of another format, as `SCHEMA`."""
    read = dataset.table.filter(pl.col("measure.format").is_not_null()).select(
        "id", "label", "input", pl.col("measure.format").alias("format")
    )
    found = []
    for id_, label, path, kind in read.iter_rows():
        suffix = PurePosixPath(path).suffix.lower()
        named = FORMATS.get(suffix)
        if named is None or SAME.get(named, named) != SAME.get(kind, kind):
            found.append((id_, label, kind, suffix, NO_SUFFIX if named is None else OTHER))
    return pl.DataFrame(found, schema=SCHEMA, orient="row").sort("what", "id")


def _in_two_parts(dataset: Dataset) -> list[str]:
    """Paths below folders that are called after parts which stand for different contents in two parts."""
    named = (
        dataset.part("train", "val", "test")
        .filter(pl.col("input").str.contains("/"))
        .select(
            "split",
            "twin",
            folder=pl.col("input").str.extract(r"^([^/]*)/"),
            name=pl.col("input").str.replace(r"^[^/]*/", ""),
        )
    )
    after_parts = [folder for folder in named["folder"].unique().to_list() if split_name(folder)]
    clash = (
        named.filter(pl.col("folder").is_in(after_parts))
        .group_by("name")
        .agg(parts=pl.col("split").n_unique(), contents=pl.col("twin").n_unique(), folders=pl.col("folder").n_unique())
    )
    both = (pl.col("parts") > 1) & (pl.col("contents") > 1) & (pl.col("folders") > 1)
    return clash.filter(both)["name"].sort().to_list()
