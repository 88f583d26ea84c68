"""2-audit/report.html from the files of a run directory: data set, audit, and the plan where there is one."""

from importlib.resources import files as resources
from pathlib import Path

import polars as pl
import yaml

from instar import files, steps, store
from instar.charts.findings import drawings
from instar.charts.inline import inline
from instar.charts.theme import save
from instar.deck.figures import inert_finding, labelled
from instar.deck.words import Words, read_words
from instar.errors import UserError
from instar.modality.modalities import MODALITIES
from instar.progress import say
from instar.records import Audit, Dataset, Finding, Gallery, Plan
from instar.report.album import Album, Look, looks, sheets
from instar.report.facts import Facts
from instar.report.page import page
from instar.report.slots import Standing, refilled, said_of

REPORT = "2-audit/report.html"


def write_report(folder: Path) -> Path:
    """Write the page and the charts of the findings, each whole or not at all; the sealed labels are not read.

    Args:
        folder: a run directory with data set and audit; if there is a plan that rests on them, the page says what
            each finding changed in it.

    Returns:
        The path of the page.
    """
    dataset, audit = store.read_dataset(folder), store.read_audit(folder)
    words, album = read_report_words(), Album()
    modality = MODALITIES[dataset.modality]
    pictures = isinstance(modality.show(dataset, [], [], []), Gallery)
    facts = Facts(
        dataset=dataset,
        audit=audit,
        digest=files.digest(folder / steps.AUDIT),
        said=said_of(_plan(folder), audit, words),
        machine=store.read_machine(folder),
        modality=modality,
        charts=_charts(dataset, audit, folder / "figures"),
        looks=tuple(_looks(dataset, album, folder / "figures")) if pictures else (),
        album=album,
    )
    files.write_text(folder / REPORT, page(facts, words))
    if album.lost:
        n, first = len(set(album.lost)), album.lost[0]
        say(f"{folder / REPORT} does without pictures that can no longer be read: {n}, among them {first}")
    return folder / REPORT


def told_again(folder: Path) -> bool:
    """Let the page say what the findings change in the plan as it is now; nothing is drawn or decoded.

    Returns:
        Whether there was a page of this audit; else nothing is done.
    """
    path = folder / REPORT
    if not path.exists():
        return False
    said = said_of(_plan(folder), store.read_audit(folder), read_report_words())
    told = refilled(path.read_text(encoding="utf-8"), files.digest(folder / steps.AUDIT), said)
    if told is not None:
        files.write_text(path, told)
    return told is not None


def _plan(folder: Path) -> Plan | Standing:
    """The plan where it rests on data and audit as they are."""
    if not (folder / steps.PLAN).exists():
        return "unplanned"
    return store.read_plan(folder)[0] if steps.rests(folder, "plan") else "outdated"


def read_report_words(language: str = "en") -> Words:
    """The words of the page, beside those of the slides, whose figures are formatted alike."""
    text = (resources("instar.report") / "words" / f"{language}.yaml").read_text(encoding="utf-8")
    own = {f"{group}.{key}": entry for group, entries in yaml.safe_load(text).items() for key, entry in entries.items()}
    return Words({**read_words(language).templates, **own})


def _charts(dataset: Dataset, audit: Audit, folder: Path) -> dict[str, tuple[tuple[str, str], ...]]:
    """Charts of each finding. A fault of one is a fault of this program, which costs that chart and is told."""
    table = labelled(dataset)
    found = {}
    for finding in audit.findings:
        try:
            found[finding.code] = charts_of(finding, table, folder)
        except UserError:
            raise
        except Exception as error:
            say(f"  a fault of instar, please report it: the chart of {finding.code} cannot be drawn ({error!r})")
    return found


def charts_of(finding: Finding, table: pl.DataFrame, folder: Path) -> tuple[tuple[str, str], ...]:
    """Stem and inline SVG of the charts of a finding, written into `folder`; `table` as `labelled` gives it."""
    drawn = []
    for drawing in drawings(inert_finding(finding), table):
        save(drawing.chart, drawing.frame, folder, drawing.stem)
        svg = (folder / f"{drawing.stem}.svg").read_text(encoding="utf-8")
        drawn.append((drawing.stem, inline(svg, drawing.stem)))
    return tuple(drawn)


def _looks(dataset: Dataset, album: Album, folder: Path) -> list[Look]:
    """What the classes look like, also as contact sheets in figures/."""
    seen = looks(dataset, album)
    for stem, (sheet, table) in sheets(seen).items() if seen else ():
        with files.replacing(folder / f"{stem}.png") as temporary:
            sheet.save(temporary, "PNG")
        files.write_frame(folder / f"{stem}.csv", table)
    return seen
