"""deck.pdf: deck.html printed by a browser, or deck.pptx by LibreOffice, where one of them is at hand."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from instar import files

BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
OFFICES = ("soffice", "libreoffice", "/Applications/LibreOffice.app/Contents/MacOS/soffice")
SECONDS = 90
"""Patience; a quiet core takes three for a deck of thirty slides."""
PDF = "deck.pdf"


def print_deck(run: Path) -> str | None:
    """Write deck.pdf, whole or not at all; a browser is asked first, as it shows what deck.html shows.

    Returns:
        None, or in a line why there is no new deck.pdf: an older one is then removed, as it would tell of another deck.
    """
    tried: list[str] = []
    with tempfile.TemporaryDirectory(prefix="instar-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        for name in filter(None, map(shutil.which, BROWSERS)):
            tried.append(Path(name).name)
            if (said := _asked(_browser(name, run, place), place / PDF)) is None:
                files.write_bytes(run / PDF, (place / PDF).read_bytes())
                return None
            tried[-1] += f" ({said})"
        for name in filter(None, map(shutil.which, OFFICES)):
            tried.append(Path(name).name)
            if (said := _asked(_office(name, run, place), place / PDF)) is None:
                files.write_bytes(run / PDF, (place / PDF).read_bytes())
                return None
            tried[-1] += f" ({said})"
    (run / PDF).unlink(missing_ok=True)
    why = f"failed: {', '.join(tried)}" if tried else "neither Chromium, Chrome nor LibreOffice is installed"
    return f"no {PDF}: {why}; open deck.html in a browser and print it"


def _browser(program: str, run: Path, place: Path) -> Sequence[str]:
    """One run of a browser with a profile of its own; as root it has no sandbox to offer, and refuses without this."""
    root = ["--no-sandbox"] if sys.platform != "win32" and os.geteuid() == 0 else []
    quiet = ["--disable-gpu", "--disable-extensions", "--no-first-run", "--disable-background-networking"]
    profile = f"--user-data-dir={place / 'profile'}"
    target = [f"--print-to-pdf={place / PDF}", "--no-pdf-header-footer", (run / "deck.html").resolve().as_uri()]
    return [program, "--headless", *root, *quiet, profile, *target]


def _office(program: str, run: Path, place: Path) -> Sequence[str]:
    profile = f"-env:UserInstallation={(place / 'office').as_uri()}"
    return [program, profile, "--headless", "--convert-to", "pdf", "--outdir", str(place), str(run / "deck.pptx")]


def _asked(command: Sequence[str], made: Path) -> str | None:
    """Run a program; None where it has made the file, and all of it, else what went wrong."""
    made.unlink(missing_ok=True)
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return f"gave up after {SECONDS} s"
    except OSError as error:
        return str(error.strerror)
    written = made.read_bytes() if made.exists() else b""
    if written.startswith(b"%PDF") and b"%%EOF" in written[-1024:]:
        return None
    return f"status {done.returncode}"
