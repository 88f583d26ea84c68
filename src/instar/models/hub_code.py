"""Entry points of torch.hub: where their code is, and how they are called.

An entry point is somebody's code, and loading it runs it. A folder that a person names is code of their choice. Of
GitHub, only what they had torch.hub itself fetch before, or told it to trust, is used (docs/decisions/0012).
Source: https://docs.pytorch.org/docs/stable/hub.html
"""

import importlib.util
import inspect
import os
import re
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import torch
from torch import nn

from instar.errors import UserError

CODE = "hubconf.py"
REPOSITORY = re.compile(r"[\w-]+/[\w.-]+(:[\w./-]+)?")
BRANCHES = ("main", "master")
"""Where no branch or tag is named, as torch.hub takes them."""
SECONDS = 10.0
"""How long a host may stay silent."""
PRETRAINED = {"pretrained": (False, True), "weights": (None, "DEFAULT")}
"""How entry points are told not to load weights, or to load them: the first of these that they have."""


def parted(name: str) -> tuple[str, str]:
    """FOLDER:ENTRY, OWNER/REPO:ENTRY or OWNER/REPO:REF:ENTRY -> where the code is, and the entry.

    Raises:
        UserError: none of these.
    """
    place, colon, entry = name.rpartition(":")
    if not colon or not entry or not (_is_folder(place) or REPOSITORY.fullmatch(place)):
        raise UserError(
            f"hub:{name} is neither hub:FOLDER:ENTRY, with a folder that there is, nor hub:OWNER/REPO:ENTRY"
        )
    return place, entry


def _is_folder(place: str) -> bool:
    """Whether it names a folder here. What reads like a repository is one, wherever a command runs: a folder of that
    name is named in full, or with ./ before it."""
    return Path(place).is_dir() and not REPOSITORY.fullmatch(place)


def local(place: str) -> Path | None:
    """The folder with the code, where it is on this machine: as named, or in torch.hub's own."""
    if _is_folder(place):
        return Path(place)
    repository, _, ref = place.partition(":")
    start = repository.replace("/", "_")
    folders = (Path(torch.hub.get_dir()) / f"{start}_{r.replace('/', '_')}" for r in ((ref,) if ref else BRANCHES))
    return next((folder for folder in folders if folder.is_dir()), None)


def found(place: str) -> Path:
    """The folder with the code; a repository that torch.hub was told to trust before is fetched.

    Raises:
        UserError: it is not here, and not to be fetched.
    """
    folder = local(place)
    if folder is None:
        command = f"python -c \"import torch; torch.hub.list('{place}', trust_repo=True)\""
        if not _trusted(place):
            raise UserError(
                f"hub:{place} runs code from github.com/{place.partition(':')[0]}, which is not in "
                f"{torch.hub.get_dir()}, and torch.hub was not told to trust it: read it, and if you do, fetch it "
                f"with {command}"
            )
        try:
            with _careful(), redirect_stdout(sys.stderr):
                torch.hub.list(place, trust_repo="check", verbose=False)
        except Exception as error:  # the network, the archive and its code throw dozens of kinds
            raise UserError(
                f"cannot fetch github.com/{place} ({_first_line(error)}) and it is not in {torch.hub.get_dir()}: "
                "connect once, or name a folder that holds it, hub:FOLDER:ENTRY"
            ) from None
        folder = local(place)
    if folder is None or not (folder / CODE).is_file():
        raise UserError(f"{folder or place} has no {CODE}, in which torch.hub looks for entry points")
    return folder


def _trusted(place: str) -> bool:
    known = Path(torch.hub.get_dir()) / "trusted_list"
    owner_name = place.partition(":")[0].replace("/", "_")
    return known.is_file() and owner_name in known.read_text("utf-8").split()


def called(folder: Path, entry: str, *, pretrained: bool) -> tuple[nn.Module, tuple[Path, ...]]:
    """What the entry gives, and the files of weights that it read for that: tensors only, whatever it asks for.

    Raises:
        UserError: no such entry, one that cannot be told whether to load weights where it should, one that fails (for
            want of a package, or of the network), or one that gives no network.
    """
    where = f"hub:{folder}:{entry}"
    with _careful() as read:
        function = _entry(folder, entry)
        options = inspect.signature(function).parameters
        switch = next((option for option in PRETRAINED if option in options), None)
        if pretrained and switch is None:
            raise UserError(f"{where} has no option {' or '.join(PRETRAINED)}: give its weights with --weights FILE")
        arguments = {switch: PRETRAINED[switch][pretrained]} if switch else {}
        try:
            with _on_path(folder), redirect_stdout(sys.stderr):
                made = function(**arguments)
        except Exception as error:  # somebody's code
            remedy = "; give a file with --weights" if pretrained else ""
            raise UserError(f"{where} failed ({type(error).__name__}: {_first_line(error)}){remedy}") from None
    if not isinstance(made, nn.Module):
        raise UserError(f"{where} gives no network but {type(made).__name__}; choose another entry")
    if pretrained and not read:
        raise UserError(f"{where} read no file of weights that instar could see: give one with --weights")
    return made, tuple(read)


def _entry(folder: Path, entry: str) -> Callable[..., Any]:
    spec = importlib.util.spec_from_file_location("hubconf", folder / CODE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        with _on_path(folder), redirect_stdout(sys.stderr):
            spec.loader.exec_module(module)
    except Exception as error:  # somebody's code
        raise UserError(f"{folder / CODE} cannot be run ({type(error).__name__}: {_first_line(error)})") from None
    entries = {name: value for name, value in vars(module).items() if callable(value) and not name.startswith("_")}
    if entry not in entries:
        raise UserError(f"{folder / CODE} has no entry {entry!r}; it has {', '.join(sorted(entries)) or 'none'}")
    needed = vars(module).get("dependencies", [])
    missing = [package for package in needed if importlib.util.find_spec(package) is None]
    if missing:
        raise UserError(f"{folder / CODE} needs {', '.join(missing)}, not installed here: pip install them")
    function: Callable[..., Any] = entries[entry]
    return function


@contextmanager
def _on_path(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


@contextmanager
def _careful() -> Iterator[list[Path]]:
    """Nothing is unpickled but tensors, and no host is waited for without limit; gives the files that were read."""
    read: list[Path] = []
    force, timeout, plain = "TORCH_FORCE_WEIGHTS_ONLY_LOAD", socket.getdefaulttimeout(), torch.load
    before = os.environ.get(force)

    def noted(file: Any, *arguments: Any, **more: Any) -> Any:
        if isinstance(file, (str, Path)):
            read.append(Path(file))
        return plain(file, *arguments, **{**more, "weights_only": True})

    os.environ[force] = "1"
    socket.setdefaulttimeout(SECONDS)
    torch.load = noted  # type: ignore[assignment]  # and above for those who imported it by its name
    try:
        yield read
    finally:
        torch.load = plain
        socket.setdefaulttimeout(timeout)
        os.environ.pop(force)
        if before is not None:
            os.environ[force] = before


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
