"""Data sets of Kaggle, through Kaggle's own client: docs/decisions/0010-kaggle-through-kagglehub.md.

The client finds the credentials, signs and makes the calls; the stream, its checks and the unpacking are
ours. It is imported when a set is fetched, and not before.
"""

import contextlib
import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import requests

from instar.data import cache
from instar.data.archive import unpack
from instar.data.download import SECONDS, download, get, unreachable
from instar.errors import UserError

SLUG = re.compile(r"[\w.-]*\w[\w.-]*", re.ASCII)
SETTINGS = "https://www.kaggle.com/settings/api"


@dataclass(frozen=True)
class Handle:
    """What stands behind "kaggle:"."""

    owner: str
    name: str
    version: int | None
    file: str | None
    """One file of the set; None for all of it."""

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}" + (f"/{self.file}" if self.file else "")

    @property
    def url(self) -> str:
        return f"https://www.kaggle.com/datasets/{self.owner}/{self.name}"

    @property
    def folder(self) -> Path:
        """Where it lies in the cache; a file alone apart from the whole set."""
        name = self.name if self.version is None else f"{self.name}.v{self.version}"
        if self.file is None:
            return cache.place("kaggle", self.owner, name)
        return cache.place("kaggle", self.owner, f"{name}.files", *PurePosixPath(self.file).parts)


def parse(text: str) -> Handle:
    """Read owner/name, owner/name/versions/3, owner/name/file.csv or owner/name/versions/3/file.csv."""
    parts = text.strip("/").split("/")
    if len(parts) < 2 or not all(SLUG.fullmatch(part) for part in parts[:2]) or ".." in parts:
        raise UserError(f"kaggle:{text} names no set; write kaggle:OWNER/NAME, as in kaggle.com/datasets/OWNER/NAME")
    version = None
    rest = parts[2:]
    if len(rest) > 1 and rest[0] == "versions" and rest[1].isdecimal():
        version, rest = int(rest[1]), rest[2:]
    return Handle(parts[0], parts[1], version, "/".join(rest) or None)


def fetch(text: str) -> tuple[Path, cache.Receipt]:
    """Fetch a set, or one file of it, into the cache, unless it is there.

    Returns:
        What to open, and its receipt.

    Raises:
        UserError: no network, missing or refused credentials, an unknown set or file, a rate limit, a broken
            download, a full disk, a hostile archive.
    """
    handle = parse(text)
    folder = handle.folder
    with cache.held(folder):
        receipt = cache.receipt_of(folder)
        if receipt is None:
            receipt = _fetch(handle, folder)
    return folder / receipt.opens, receipt


def _fetch(handle: Handle, folder: Path) -> cache.Receipt:
    with _failures(handle), _client() as client:
        calls = client.datasets.dataset_api_client
        about = calls.get_dataset(_request("ApiGetDatasetRequest", handle))
        version = handle.version or about.current_version_number
        licence = about.license_name
        request = _request("ApiDownloadDatasetRequest", handle)
        request.dataset_version_number = version
        if handle.file:
            request.file_name = handle.file

        address = ""

        def opener(offset: int, validator: str) -> requests.Response:
            """The client knows no offset; so the address it was sent to is asked, while that holds."""
            nonlocal address
            if address:
                answer = get(address, offset, validator)
                if answer.ok or answer.status_code == requests.codes.requested_range_not_satisfiable:
                    return answer
                answer.close()
            answer = calls.download_dataset(request)
            address = answer.url if answer.history else ""
            if offset and address:
                answer.close()
                return get(address, offset, validator)
            return _impatient(answer)

        store = cache.beside(folder, f".v{version}.download")
        packed = store / (PurePosixPath(handle.file).name if handle.file else f"{handle.name}.zip")
        download(opener, packed, str(handle))
    try:
        with cache.filling(folder) as temporary:
            opens = _place(packed, temporary, handle)
    except cache.DiskFullError:
        raise
    except UserError:
        packed.unlink(missing_ok=True)  # so that the next call fetches it anew
        raise
    now = datetime.now(UTC).isoformat(timespec="seconds")
    receipt = cache.sign(folder, cache.Receipt(f"kaggle:{handle}", str(version), opens, licence, now))
    shutil.rmtree(store)
    return receipt


def _place(packed: Path, folder: Path, handle: Handle) -> str:
    """Unpack what came, or move it; a single file may come zipped, and under its own name nevertheless."""
    if handle.file is None or packed.suffix.lower() == ".zip":
        unpack(packed, folder)
        return ""
    if zipfile.is_zipfile(packed):
        unpack(packed, folder)
        if not (folder / packed.name).is_file():
            raise UserError(f"Kaggle sent a zip without {packed.name} in it; fetch {handle.url} as a whole")
    else:
        packed.replace(folder / packed.name)
    return packed.name


def _impatient(answer: requests.Response) -> requests.Response:
    """The answer, given up when it stalls: the client sets no limit of time."""
    connection = answer.raw.connection
    if connection is not None and connection.sock is not None:
        connection.sock.settimeout(SECONDS[1])
    return answer


def _client() -> Any:
    from kagglehub.clients import build_kaggle_client

    return build_kaggle_client()


def _request(kind: str, handle: Handle) -> Any:
    from kagglesdk.datasets.types import dataset_api_service

    request = getattr(dataset_api_service, kind)()
    request.owner_slug, request.dataset_slug = handle.owner, handle.name
    return request


@contextlib.contextmanager
def _failures(handle: Handle) -> Iterator[None]:
    """Every failure of the client as one line with its remedy."""
    from kagglesdk.kaggle_env import get_endpoint, get_env

    try:
        requests.head(get_endpoint(get_env()), timeout=SECONDS)  # the client would wait without end
        yield
    except UserError:
        raise
    except requests.HTTPError as error:
        raise UserError(_refusal(handle, error)) from error
    except json.JSONDecodeError as error:
        raise UserError(
            "what answers is not Kaggle; a network that asks to sign in, or a proxy, stands in between: open "
            "https://www.kaggle.com in a browser, then run the same command again"
        ) from error
    except requests.RequestException as error:
        raise UserError(unreachable(f"Kaggle for {handle.url}", error)) from error
    except Exception as error:  # whatever the client meets in credentials and answers that it does not expect
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"Kaggle's client cannot fetch {handle.url}: {reason:.200}; check the credentials "
            f"{_credentials() or 'in ~/.kaggle'}, or download the set in a browser and name the file"
        ) from error


def _refusal(handle: Handle, error: requests.HTTPError) -> str:
    assert error.response is not None
    status = error.response.status_code
    with contextlib.suppress(ValueError, AttributeError):  # the client raises for codes in the body, too
        status = max(status, int(error.response.json().get("code", 0)))
    place = _credentials()
    renew = f"make a token at {SETTINGS} and put it into ~/.kaggle/access_token or KAGGLE_API_TOKEN"
    if status == 401 and place:
        return (
            f"Kaggle refuses the credentials in {place} (HTTP 401); {renew} instead, or remove them: "
            "public sets need none"
        )
    if status == 401:
        return f"Kaggle wants credentials for {handle.url} (HTTP 401) and there are none; {renew}"
    if status == 403:
        who = f"with the credentials in {place}" if place else f"without credentials; {renew}"
        return (
            f"Kaggle does not give you {handle.url} (HTTP 403) {who}; open that page: if it exists, it is "
            "private or has terms to accept first"
        )
    if status == 404:
        what = f"no file {handle.file} in {handle.url}" if handle.file else f"no set {handle.url}"
        version = f" of version {handle.version}" if handle.version else ""
        return f"Kaggle knows {what}{version} (HTTP 404); check the spelling on kaggle.com"
    if status == 429:
        after = error.response.headers.get("Retry-After")
        wait = f"wait {after} seconds" if after else "wait a few minutes"
        return f"Kaggle has had too many requests from here (HTTP 429); {wait} and run the same command again"
    return f"Kaggle has trouble with {handle.url} (HTTP {status}); run the same command again later"


def _credentials() -> str:
    """Where the client finds the credentials that it uses, or ""."""
    from kagglesdk.kaggle_env import get_access_token_from_env

    _, source = get_access_token_from_env()
    if source:
        return "~/.kaggle/access_token" if source == "access_token" else str(source)
    if os.environ.get("KAGGLE_USERNAME") and os.environ.get("KAGGLE_KEY"):
        return "KAGGLE_USERNAME and KAGGLE_KEY"
    folder = Path(os.environ.get("KAGGLE_CONFIG_DIR") or Path.home() / ".kaggle")
    file = folder / "kaggle.json"
    return str(file) if file.exists() else ""
