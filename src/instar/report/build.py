"""2-audit/report.html from the files of a run directory: data set, audit, and the plan where there is one."""

from importlib.resources import files as resources
from pathlib import Path

import yaml
from PIL import Image

from instar import files, steps, store
from instar.charts.findings import drawings
from instar.charts.theme import save
from instar.deck.figures import inert_finding, labelled
from instar.deck.words import Words, read_words
from instar.modality.modalities import MODALITIES
from instar.records import Audit, Dataset, Gallery
from instar.report.album import Album, Look, looks, sheets
from instar.report.facts import Facts
from instar.report.page import page
from instar.report.svg import inline

REPORT = "2-audit/report.html"


def write_report(folder: Path, *, redraw: bool = True) -> Path:
    """Write the page and the charts of the findings, each whole or not at all; the sealed labels are not read.

    Args:
        folder: a run directory with data set and audit; if there is a plan too, the page says what each finding
            changed in it.
        redraw: draw charts and contact sheets that are there already, too.

    Returns:
        The path of the page.
    """
    dataset, audit = store.read_dataset(folder), store.read_audit(folder)
    words = read_report_words()
    modality = MODALITIES[dataset.modality]
    pictures = isinstance(modality.show(dataset, [], [], []), Gallery)
    facts = Facts(
        dataset=dataset,
        audit=audit,
        plan=store.read_plan(folder)[0] if (folder / steps.PLAN).exists() else None,
        machine=store.read_machine(folder),
        modality=modality,
        charts=_charts(dataset, audit, folder / "figures", redraw),
        looks=tuple(_looks(dataset, folder / "figures", redraw)) if pictures else (),
        album=Album(),
    )
    files.write_text(folder / REPORT, page(facts, words))
    return folder / REPORT


def read_report_words(language: str = "en") -> Words:
    """The words of the page, beside those of the slides, whose figures are formatted alike."""
    text = (resources("instar.report") / "words" / f"{language}.yaml").read_text(encoding="utf-8")
    own = {f"{group}.{key}": entry for group, entries in yaml.safe_load(text).items() for key, entry in entries.items()}
    return Words({**read_words(language).templates, **own})


def _charts(dataset: Dataset, audit: Audit, folder: Path, redraw: bool) -> dict[str, tuple[tuple[str, str], ...]]:
    """Stem and inline SVG of the charts of each finding, written into figures/."""
    table = labelled(dataset)
    found = {}
    for finding in audit.findings:
        drawn = []
        for drawing in drawings(inert_finding(finding), table):
            if redraw or not (folder / f"{drawing.stem}.svg").exists():
                save(drawing.chart, drawing.frame, folder, drawing.stem)
            svg = (folder / f"{drawing.stem}.svg").read_text(encoding="utf-8")
            drawn.append((drawing.stem, inline(svg, drawing.stem)))
        found[finding.code] = tuple(drawn)
    return found


def _looks(dataset: Dataset, folder: Path, redraw: bool) -> list[Look]:
    """What the classes look like, also as contact sheets in figures/."""
    seen = looks(dataset)
    for stem, (sheet, table) in sheets(seen).items() if seen else ():
        if redraw or not (folder / f"{stem}.png").exists():
            _write(sheet, folder / f"{stem}.png")
            files.write_frame(folder / f"{stem}.csv", table)
    return seen


def _write(picture: Image.Image, path: Path) -> None:
    with files.replacing(path) as temporary:
        picture.save(temporary, "PNG")
