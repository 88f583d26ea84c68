"""State dicts from files, and the check that they fit."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from instar.errors import UserError

State = dict[str, Tensor]
KINDS = (".safetensors", ".pth", ".pt", ".bin")


def read_state(path: Path) -> State:
    """Read the tensors of a weights file, on the CPU. Nothing is unpickled but tensors (`weights_only=True`).

    Raises:
        UserError: no such file, an unknown kind of file, a broken one, or one that holds more than tensors.
    """
    if not path.is_file():
        raise UserError(f"no weights file {path}: give a file that ends in {', '.join(KINDS)}")
    if path.suffix not in KINDS:
        raise UserError(f"{path} is not a weights file that instar reads: it must end in {', '.join(KINDS)}")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise UserError(f"{path} is no whole safetensors file ({error}): fetch it again") from None
    except Exception as error:  # torch.load passes on whatever zipfile and the unpickler throw
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path} holds more than tensors or is damaged ({reason}): save it as safetensors") from None
    if isinstance(state, Mapping) and "state_dict" in state:
        state = state["state_dict"]
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f"{path} is not a state dict: save model.state_dict() as safetensors")
    return dict(state)


def names_in(path: Path) -> frozenset[str]:
    """Names of the tensors in a safetensors file; the tensors themselves are not read.

    Raises:
        UserError: no such file, or a broken one.
    """
    if not path.is_file():
        raise UserError(f"no weights file {path}: run `instar train` on its run directory again")
    try:
        with safe_open(path, framework="pt") as stream:
            return frozenset(stream.keys())
    except SafetensorError as error:
        raise UserError(f"{path} is no whole safetensors file ({error}): run `instar train` again") from None


def fill(module: nn.Module, state: Mapping[str, Tensor], left_out: Iterable[str], where: str) -> None:
    """Load `state` into `module`, all of it and nothing but it, without the keys that start with `left_out`.

    Raises:
        UserError: keys are missing, unknown or of another shape: the file belongs to another network.
    """
    prefixes = tuple(left_out)
    given = {key: value for key, value in state.items() if not key.startswith(prefixes)}
    wanted = module.state_dict()
    check_fit({key: value.shape for key, value in wanted.items()}, given, where)
    module.load_state_dict({**wanted, **given})


def check_fit(wanted: Mapping[str, torch.Size], given: Mapping[str, Tensor], where: str) -> None:
    """Compare the tensors that a network wants with those that a file gives.

    `num_batches_tracked` may be absent: it counts steps, and old files do not have it.

    Raises:
        UserError: in one line, with the first three keys that do not fit.
    """
    missing = [key for key in wanted if key not in given and not key.endswith("num_batches_tracked")]
    unknown = [key for key in given if key not in wanted]
    shapes = [
        f"{key} is {tuple(value.shape)} instead of {tuple(wanted[key])}"
        for key, value in given.items()
        if key in wanted and value.shape != wanted[key]
    ]
    faults = [
        f"{len(keys)} {what} ({', '.join(keys[:3])})"
        for what, keys in (("missing", missing), ("unknown", unknown), ("of another shape", shapes))
        if keys
    ]
    if faults:
        raise UserError(f"{where} does not fit the network, keys {'; '.join(faults)}: are they of another network?")
