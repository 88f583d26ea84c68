"""What a person names as data, to a folder or table on this disk: downloaded or unpacked at most once.

A path that exists wins over a known set of the same name, so that a command never leaves the data at hand for
the network, and says so; `catalogue:NAME` means the known set in any case.
"""

import difflib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from instar.data import cache
from instar.data.catalogue import CATALOGUE, Entry
from instar.errors import UserError
from instar.progress import say


@dataclass(frozen=True)
class Located:
    """Data that `reading.read` opens, and what is known of where they come from."""

    path: Path
    """A folder or a table."""
    name: str
    licence: str
    """"" where it is unknown."""
    citation: str
    text: str | None = None
    image: str | None = None
    label: str | None = None
    """Columns that the catalogue knows."""
    entry: Entry | None = None
    receipt: cache.Receipt | None = None
    """None for what is not in the cache of instar."""


def resolve(source: str) -> Located:
    """Where the data are that a person names, fetched or unpacked if they are not on this disk yet.

    Args:
        source: a folder, a table, a zip or tar; a name of the catalogue, perhaps after "catalogue:";
            kaggle:OWNER/NAME[/versions/N][/FILE]; hf:OWNER/NAME[/CONFIGURATION].

    Raises:
        UserError: there is no such thing, or it cannot be had.
    """
    path = Path(source).expanduser()
    if not path.exists():
        return fetch(source)
    if source in CATALOGUE:
        say(f"{source} is taken to be {path.absolute()}; write catalogue:{source} for the known set")
    return _local(path)


def fetch(name: str) -> Located:
    """Fetch a set by its name and say where it is; what was fetched before is not fetched again.

    Other than `resolve` this never means a path, except that of an archive, which is unpacked.
    """
    entry = CATALOGUE.get(name.removeprefix("catalogue:"))
    scheme, _, rest = (entry.source if entry else name).partition(":")
    if scheme == "kaggle":
        from instar.data import kaggle

        path, receipt = kaggle.fetch(rest)
    elif scheme == "hf":
        from instar.data import hub

        path, receipt = hub.fetch(rest)
    elif scheme == "mirror" and entry:
        from instar.data import mirrors

        path, receipt = mirrors.fetch(rest, entry.licence)
    elif Path(name).expanduser().is_file():
        return _local(Path(name).expanduser())
    else:
        raise _unknown(name)
    say(f"{name} is in {path}, fetched {receipt.fetched}; licence: {receipt.licence or 'not stated'}")
    if entry:
        citation = entry.citation
        return Located(
            path, entry.name, receipt.licence, citation, entry.text, entry.image, entry.label, entry, receipt
        )
    parts = rest.strip("/").split("/")
    return Located(path, parts[min(1, len(parts) - 1)], receipt.licence, _page(scheme, parts), receipt=receipt)


def _page(scheme: str, parts: list[str]) -> str:
    """The page of a set that brings no citation of its own."""
    site = {"kaggle": "https://www.kaggle.com/datasets", "hf": "https://huggingface.co/datasets"}[scheme]
    return "/".join([site, *parts[:2]])


def _local(path: Path) -> Located:
    from instar.data.archive import is_archive

    if not (path.is_file() and is_archive(path)):
        return Located(path, path.stem if path.is_file() else path.absolute().name, "", "")
    return _unpacked(path)


def _unpacked(path: Path) -> Located:
    """The contents of an archive, unpacked once: the folder is named after the checksum of the archive."""
    from instar.data.archive import unpack
    from instar.files import digest

    name, checksum = path.name.split(".")[0] or "archive", digest(path)
    folder = cache.place("archives", checksum[:16], name)
    with cache.held(folder):
        receipt = cache.receipt_of(folder)
        if receipt is None:
            with cache.filling(folder) as temporary:
                unpack(path, temporary)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            receipt = cache.sign(folder, cache.Receipt(str(path.absolute()), checksum, "", "", now))
    say(f"{path} is unpacked in {folder}")
    return Located(folder, name, "", "", receipt=receipt)


def _unknown(name: str) -> UserError:
    known = ", ".join(CATALOGUE)
    close = difflib.get_close_matches(name, CATALOGUE, n=1)
    meant = f"did you mean {close[0]}? Otherwise give" if close else "give"
    return UserError(
        f"{name} does not exist and is no known set; {meant} a folder, a table, a zip or tar, one of "
        f"{known}, kaggle:OWNER/NAME or hf:OWNER/NAME"
    )
