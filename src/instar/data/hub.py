"""Data sets of the Hugging Face hub, through the hub's own client."""

import contextlib
import glob
import re
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from instar.data import cache
from instar.data.archive import is_archive, unpack
from instar.data.download import DISK_FULL
from instar.data.hub_files import choose
from instar.data.hub_tables import write_examples
from instar.errors import UserError
from instar.progress import console, say
from instar.records import Json


def fetch(text: str) -> tuple[Path, cache.Receipt]:
    """Fetch owner/name, or owner/name/configuration, into the cache, unless it is there.

    Parquet files become one table with a column `split`, class names in place of their numbers, and pictures
    written out as files; other tables, pictures and archives lie as they do in the repository.

    Returns:
        What to open, and its receipt.

    Raises:
        UserError: no network, an unknown set, terms to accept, a rate limit, several configurations of which
            none is named, no file that instar reads, a full disk.
    """
    parts = text.strip("/").split("/")
    if not 1 <= len(parts) <= 3 or not all(re.fullmatch(r"\w[\w.-]*", part, re.ASCII) for part in parts):
        raise UserError(f"hf:{text} names no set; write hf:OWNER/NAME, as in huggingface.co/datasets/OWNER/NAME")
    repo, config = "/".join(parts[:2]), (parts[2] if len(parts) == 3 else None)
    folder = cache.place("hf", *parts[:2]) if config is None else cache.place("hf", parts[0], f"{parts[1]}.{config}")
    with cache.held(folder):
        receipt = cache.receipt_of(folder)
        if receipt is None:
            with _failures(repo):
                receipt = _fetch(repo, config, folder)
    return folder, receipt


def _fetch(repo: str, config: str | None, folder: Path) -> cache.Receipt:
    from huggingface_hub import HfApi, RepoFile, snapshot_download

    api = HfApi()
    info = api.dataset_info(repo)
    card: dict[str, Json] = vars(info.card_data) if info.card_data else {}
    tree = api.list_repo_tree(repo, recursive=True, revision=info.sha, repo_type="dataset")
    sizes = {file.path: file.size for file in tree if isinstance(file, RepoFile)}
    files = choose(card, list(sizes), config, repo)
    size = sum(sizes[path] for path in files.paths)
    say(f"hf:{repo}: {len(files.paths)} files, {cache.megabytes(size)}")
    cache.need_room(folder.parent, size, f"hf:{repo}")
    store = cache.beside(folder, f".{info.sha}.download")
    snapshot_download(
        repo,
        repo_type="dataset",
        revision=info.sha,
        local_dir=store,
        cache_dir=store / ".cache",
        allow_patterns=[glob.escape(path) for path in files.paths],
    )
    missing = [path for path in files.paths if not (store / path).is_file()]
    assert not missing, f"the hub's client left out {missing}"
    with cache.filling(folder) as temporary:
        if files.parquet:
            write_examples([(store / path, split) for path, split in files.chosen], card, config, temporary)
        else:
            _lay_out(store, files.paths, temporary)
    licence = card.get("license") or ""
    said = ", ".join(licence) if isinstance(licence, list) else str(licence)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    receipt = cache.sign(folder, cache.Receipt(f"hf:{repo}", str(info.sha), "", said, now))
    shutil.rmtree(store)
    return receipt


def _lay_out(store: Path, paths: Sequence[str], folder: Path) -> None:
    """Files as they lie in the repository, archives unpacked in their place."""
    for path in paths:
        target = folder / path
        if is_archive(target):
            target = target.with_name(target.name.split(".")[0])
            target.mkdir(parents=True)
            unpack(store / path, target)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            (store / path).replace(target)


@contextlib.contextmanager
def _failures(repo: str) -> Iterator[None]:
    """Every failure of the client as one line with its remedy."""
    from huggingface_hub import constants, errors
    from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars

    url = f"{constants.ENDPOINT}/datasets/{repo}"
    login = "log in with `hf auth login`, or set HF_TOKEN"
    if not console.is_terminal:
        disable_progress_bars()
    try:
        yield
    except UserError:
        raise
    except errors.GatedRepoError as error:
        raise UserError(f"{url} has terms to accept first: open that page, accept them, then {login}") from error
    except errors.RepositoryNotFoundError as error:
        raise UserError(f"the hub knows no set {url}, or it is private: check the spelling, or {login}") from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        raise UserError(_refusal(url, login, status, error.response.headers.get("Retry-After"))) from error
    except OSError as error:
        if error.errno in DISK_FULL:
            raise cache.full(cache.place("hf"), f"hf:{repo} stopped; what has come is kept") from error
        raise UserError(_broken(url, error)) from error
    except Exception as error:  # the client's HTTP library throws dozens of kinds, none of which is an OSError
        raise UserError(_broken(url, error)) from error
    finally:
        enable_progress_bars()


def _refusal(url: str, login: str, status: int, after: str | None) -> str:
    if status in (401, 403):
        return f"the hub does not give you {url} (HTTP {status}); {login} with a token that may read it"
    if status == 429:
        wait = f"wait {after} seconds" if after else "wait a few minutes"
        return f"the hub has had too many requests from here (HTTP 429); {wait} and run the same command again"
    return f"the hub has trouble with {url} (HTTP {status}); run the same command again later"


def _broken(url: str, error: Exception) -> str:
    from huggingface_hub import constants

    if constants.is_offline_mode():
        return f"{url} is not in the cache and HF_HUB_OFFLINE is set; unset it to fetch the set"
    reason = " ".join(str(error).split()) or type(error).__name__
    return (
        f"the download of {url} broke off ({reason:.150}); check the network and run the same command again; "
        "files that have come whole are kept"
    )
