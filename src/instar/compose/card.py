"""The data card: DATA_CARD.md in the form of the Hugging Face hub.

Keys of the header: https://github.com/huggingface/hub-docs/blob/main/datasetcard.md; identifiers of licences:
https://huggingface.co/docs/hub/repositories-licenses. Named README.md, the file serves on the hub as it is.
"""

import re
from collections.abc import Iterable, Sequence

import polars as pl
import yaml

from instar.audit.wording import listed, number, percent, several
from instar.compose.domain import FOLDS, Domain, verdict
from instar.compose.merge import FATES, Merged, lacking
from instar.compose.novelty import Origin, fates, per_class
from instar.compose.recipe import Composition
from instar.compose.report import Report
from instar.data.licences import identifier, size

MEANING = {
    "stop": "would have stopped the composition",
    "drop": "were left out",
    "pool": "were pooled",
    "keep": "were kept all the same",
}


def card(report: Report, recipe: Composition, merged: Merged) -> str:
    """The whole card. Depends on its arguments only: no date, no path of this machine."""
    kept = merged.kept
    names = [origin.source for origin in report.origins]
    parts = [
        _header(report, recipe, kept.height),
        f"# {recipe.title}\n",
        recipe.description and f"{recipe.description}\n",
        f"{number(kept.height)} {report.many} of {number(kept['label'].n_unique())} classes, composed of "
        f"{several(len(names), 'source')} with `instar compose`. "
        f"Open it with `instar run FOLDER{report.options}`.\n",
        "## Where the examples come from\n",
        _sources(report, kept["label"].n_unique()),
        "`table.csv` gives for every row its licence, the name of its source, and place and class there. A "
        "licence that a source does not state is `unknown`; whoever passes the set on has to find out.\n",
        _credits(report),
        "## What was left out\n",
        _table(*_columns(fates(merged.frame, names, FATES))),
        _unreadable(merged),
        _twins(report, recipe),
        _near(report),
        "## Classes\n",
        _table(*_columns(per_class(kept, names))),
        _small(merged, recipe),
        "## What is new\n",
        *(_difference(origin) for origin in report.origins),
        "## How far the sources lie apart\n",
        report.confounding.sentence + "\n",
        _apart(report, len(names)),
        "## Limits\n",
        "Splits that the sources gave are not carried over: an example of the test part of a source may be "
        "in any part of this set. Exact copies were looked for, near copies were not. Sources that the "
        "features above cannot tell apart may still differ in what these do not see.\n",
    ]
    return "\n".join(part for part in parts if part)


def _header(report: Report, recipe: Composition, n: int) -> str:
    ids = sorted({identifier(source.licence) for source in report.sources})
    content = {
        "pretty_name": recipe.title,
        "license": ids[0] if len(ids) == 1 else ids,
        **({"license_name": "see-column-licence"} if "other" in ids else {}),
        "task_categories": [f"{report.modality}-classification"],
        "size_categories": [size(n)],
        "source_datasets": ["extended"],
        "tags": ["instar"],
        "configs": [{"config_name": "default", "data_files": "table.csv"}],
    }
    return f"---\n{yaml.safe_dump(content, sort_keys=False, allow_unicode=True)}---\n"


def _sources(report: Report, classes: int) -> str:
    rows = [
        (o.source, s.title, o.examples, percent(o.share), f"{o.classes} of {classes}", o.only_here, s.licence)
        for o, s in zip(report.origins, report.sources, strict=True)
    ]
    return _table(("source", "taken from", "examples", "share", "classes", "only here", "licence"), rows)


def _credits(report: Report) -> str:
    lines = [f"- {source.name}: {source.citation}" for source in report.sources if source.citation]
    return "\n".join(["Cite the sources:\n", *lines, ""]) if lines else ""


def _unreadable(merged: Merged) -> str:
    n = merged.frame.filter(pl.col("fate") == "unreadable").height
    return (
        f"Unreadable: {n}, each with its reason in `left-out/quarantine.csv`.\n" if n else "Nothing was unreadable.\n"
    )


def _twins(report: Report, recipe: Composition) -> str:
    t = report.twins
    if not t.groups:
        return "No two examples are exact copies.\n"
    equal = {"first": "the first one stays", "keep": "all stay"}[recipe.twins]
    choices = {"drop": "none stays", "first": "the class of the first one holds", "keep": "all stay"}
    return (
        f"{number(t.rows)} examples are exact copies, in {several(t.groups, 'group')}, "
        f"{number(t.across)} of them with members in several sources. Under one class {equal}; under several "
        f"classes ({several(t.conflicts, 'group')}) {choices[recipe.conflicts]}. "
        "All are listed in `left-out/twins.csv`.\n"
    )


def _near(report: Report) -> str:
    near = report.near
    if near.skipped:
        return f"Near copies were not looked for: {near.skipped}.\n"
    if not near.pairs:
        return "No two examples are near copies (scaled, re-coloured or slightly cropped pictures, reworded texts).\n"
    return (
        f"{several(near.pairs, 'pair')} of examples that stay are near copies (scaled, re-coloured or slightly cropped "
        f"pictures, reworded texts), {number(near.across)} of them from different sources, {number(near.conflicts)} "
        "under different classes. All are listed in `left-out/near-copies.csv`; `instar run` keeps near copies on one "
        "side of a split where it can.\n"
    )


def _small(merged: Merged, recipe: Composition) -> str:
    if not merged.small:
        return f"Every class had the {recipe.min_per_class} examples that were asked for.\n"
    rows = [(c.label, c.examples, c.lacks) for c in merged.small]
    done = MEANING[recipe.below_minimum] + (f' as "{recipe.pool_as}"' if recipe.below_minimum == "pool" else "")
    head = f"{lacking(merged.small, recipe.min_per_class, most=0).split(':')[0]}; they {done}.\n"
    return head + "\n" + _table(("class", "examples", "lacks"), rows)


def _difference(origin: Origin) -> str:
    merged = [f"{len(olds)} into {label} ({_names(olds)})" for label, olds in origin.merged.items()]
    renamed = [f"{old} to {new}" for old, new in origin.renamed.items()]
    lines = [
        f"- under the same name: {_names(origin.kept)}",
        f"- renamed: {_names(renamed)}",
        f"- merged: {'; '.join(merged) or 'none'}",
        f"- not chosen: {_names(origin.not_chosen)}",
        f"- chosen, but nothing is left of them: {_names(origin.nothing_left)}",
        f"- classes here that {origin.source} has nothing of: {_names(origin.new_to_it)}",
    ]
    return "\n".join([f"Against {origin.source}:\n", *lines, ""])


def _apart(report: Report, sources: int) -> str:
    if sources == 1:
        return ""
    if report.all_classes is None:
        return "How far they lie apart was not measured: fewer than two sources have enough examples.\n"
    rows = [_score("all classes", report.all_classes)]
    said = (
        f"A logistic regression on {report.features} was asked which source an example is from "
        f"({FOLDS}-fold cross-validation; intervals of 95 %). AUROC is the chance that an example of the source named "
        "looks more like it than one from elsewhere does; 0.5 is no difference.\n"
    )
    if report.all_classes.left_out:
        said += f"Too few examples to ask about: {_names(report.all_classes.left_out)}.\n"
    if report.shared_classes is not None:
        rows.append(_score("shared classes", report.shared_classes))
        found = verdict(report.shared_classes)
        last = f"Within the classes that they share, in equal numbers, the sources {found}.\n"
    else:
        last = (
            "No two sources share classes with enough examples, so it cannot be said whether the classifier "
            "sees the source or the class.\n"
        )
    header = ("among", "n", "accuracy", "always the largest", "by the label alone", "AUROC")
    return "\n".join([said, _table(header, rows), last])


def _score(among: str, d: Domain) -> tuple[str, ...]:
    told = "; ".join(f"{s.source} {s.auroc:.2f} ({s.low:.2f} to {s.high:.2f})" for s in d.separations)
    accuracy = f"{percent(d.accuracy)} ({percent(d.low)} to {percent(d.high)})"
    return (among, str(d.n), accuracy, percent(d.majority), percent(d.by_label), told)


def _columns(frame: pl.DataFrame) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
    return frame.columns, frame.iter_rows()


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    cells = [[re.sub(r"\s+", " ", str(cell)).replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"


def _names(names: Sequence[str]) -> str:
    return listed(names, 12) or "none"
