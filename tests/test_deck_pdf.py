"""deck.pdf: whole or not at all, by the first program that makes it; else a line that says why."""

import stat
import sys
from pathlib import Path

import pytest

from instar.deck import pdf
from instar.deck.pdf import PDF, print_deck

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are shell scripts")
WHOLE = "%PDF-1.4\nbody\n%%EOF\n"
PRINTED = WHOLE.replace("%", "%%").replace("\n", "\\n")
"""As printf wants it."""


def program(folder: Path, name: str, body: str) -> str:
    """A stand-in for a browser or an office: a script to which the file to write is $made."""
    path = folder / name
    path.write_text(
        "#!/bin/sh\nfor word do case $word in --print-to-pdf=*) made=${word#*=};; esac; last=$place; place=$word; "
        f'if [ "$last" = --outdir ]; then made=$word/{PDF}; fi; done\n{body}\n'
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with the deck.pdf of an earlier deck, on a machine that can print nothing."""
    folder = tmp_path / "run 1"
    folder.mkdir()
    (folder / "deck.html").write_text("<p>deck")
    (folder / PDF).write_text("old")
    monkeypatch.setattr(pdf, "BROWSERS", ())
    monkeypatch.setattr(pdf, "OFFICES", ())
    return folder


def test_without_a_program_an_older_file_goes_and_the_remedy_is_told(run: Path) -> None:
    said = print_deck(run)
    assert said == (
        "no deck.pdf: neither Chromium, Chrome nor LibreOffice is installed; open deck.html in a browser and print it"
    )
    assert not (run / PDF).exists()
    assert print_deck(run) == said, "a second time there is nothing to remove"


def test_a_browser_prints_the_page(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = f"printf '{PRINTED}' > \"$made\"; echo \"$place\" >> '{tmp_path}/asked'"
    monkeypatch.setattr(pdf, "BROWSERS", (program(tmp_path, "chromium", body),))
    assert print_deck(run) is None
    assert (run / PDF).read_text() == WHOLE
    assert (tmp_path / "asked").read_text().strip() == (run / "deck.html").as_uri()


def test_what_fails_is_passed_over_for_the_next(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torn = program(tmp_path, "torn", "printf '%%PDF-1.4 half' > \"$made\"; exit 1")
    idle = program(tmp_path, "idle", "exit 3")
    office = program(tmp_path, "soffice", f"printf '{PRINTED}' > \"$made\"")
    monkeypatch.setattr(pdf, "BROWSERS", (torn, idle))
    said = print_deck(run)
    assert said is not None and "failed: torn (status 1), idle (status 3);" in said and "\n" not in said
    assert not (run / PDF).exists(), "half a file of the first is not taken for one of the second"
    monkeypatch.setattr(pdf, "OFFICES", (office,))
    assert print_deck(run) is None
    assert (run / PDF).read_text() == WHOLE


def test_patience_ends(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "SECONDS", 1)
    monkeypatch.setattr(pdf, "BROWSERS", (program(tmp_path, "slow", "exec sleep 30"),))
    assert "slow (gave up after 1 s)" in str(print_deck(run))
