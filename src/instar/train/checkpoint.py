"""Where the training stands, on the disk, whole or not at all."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from instar import processes, store
from instar.progress import say
from instar.records import Epoch, Stage

SECONDS = 30.0
"""Between two checkpoints within an epoch."""
NEW, LAST, OLD = "last.new", "last", "last.old"
STATE = "state.safetensors"


@dataclass(frozen=True)
class Position:
    """The next step to take."""

    stage: int = 0
    epoch: int = 1
    step: int = 0
    loss: float = 0.0
    """Sum of the losses of the epoch's examples so far."""
    examples: int = 0
    seconds: float = 0.0
    at_once: int = 0
    """Examples that are computed at once because memory did not suffice for a whole batch; 0: it does."""


@dataclass(frozen=True)
class Best:
    """The best weights so far; they are in best.safetensors."""

    stage: str
    epoch: int
    score: float
    loss: float


@dataclass(frozen=True)
class Progress:
    """All that the training knows besides tensors."""

    stamp: str
    """Digest of what the training rests on: a checkpoint with another stamp belongs to another training."""
    position: Position = Position()
    history: tuple[Epoch, ...] = ()
    best: Best | None = None

    def bettered_by(self, epoch: Epoch) -> bool:
        """Whether an epoch is the best so far."""
        best = self.best
        return best is None or (epoch.val_score, -epoch.val_loss) > (best.score, -best.loss)

    def over(self, stage: Stage, patience: int) -> bool:
        """Whether a stage has had all its epochs, or `patience` of them since the best one of this stage."""
        scores = [epoch.val_score for epoch in self.history if epoch.stage == stage.name]
        stale = len(scores) - 1 - scores.index(max(scores)) if scores else 0
        return self.position.epoch > stage.epochs or stale >= patience


def write_tensors(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write a safetensors file. `about` is one JSON text in its header, since the order of several would
    vary."""
    plain = {k: v.detach().to("cpu", copy=True).contiguous() for k, v in tensors.items()}
    store.write_bytes(path, save(plain, {"instar": json.dumps(about)}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `write_tensors` wrote. Raises OSError or SafetensorError for a file that is not whole."""
    with safe_open(path, framework="pt") as stream:
        about: dict[str, Any] = json.loads(stream.metadata()["instar"])
        return {name: stream.get_tensor(name) for name in stream.keys()}, about  # noqa: SIM118 (not a dict)


def stamp_of(path: Path) -> str | None:
    """The stamp of the training that wrote the file; None where there is no file, or none that training wrote whole."""
    try:
        with safe_open(path, framework="pt") as stream:
            return str(json.loads(stream.metadata()["instar"])["stamp"])
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return None


def save_checkpoint(
    folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer | None, progress: Progress
) -> None:
    """Write last/: the checkpoint before it stays whole, as last.old/. Of several processes the first one writes.

    Raises:
        UserError: it cannot be written, the disk is full say; the checkpoints that were there still are.
    """
    if not processes.first():
        return
    new, last, old = folder / NEW, folder / LAST, folder / OLD
    shutil.rmtree(new, ignore_errors=True)
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    if optimizer is not None:
        tensors |= optimiser_tensors(optimizer)
    write_tensors(new / STATE, tensors, {"progress": asdict(progress)})
    shutil.rmtree(old, ignore_errors=True)
    if last.exists():
        last.rename(old)
    new.rename(last)


def forget(folder: Path) -> None:
    """Remove all checkpoints: what follows is another training."""
    for name in (NEW, LAST, OLD):
        shutil.rmtree(folder / name, ignore_errors=True)


def load_checkpoint(folder: Path, stamp: str) -> tuple[Progress, dict[str, Tensor]] | None:
    """The last whole checkpoint of this training with its tensors, or None where there is none.

    An unreadable one and one of another training are passed over, with a line that says so.
    """
    broken = False
    for path in (folder / LAST / STATE, folder / OLD / STATE):
        if not path.exists():
            continue
        try:
            tensors, about = read_tensors(path)
            progress = progress_of(about["progress"])
        except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
            say(f"{path} cannot be read ({error}); looking for the checkpoint before it")
            broken = True
            continue
        if progress.stamp != stamp:
            say(f"{path} belongs to another plan or other data; starting anew")
            return None
        return progress, tensors
    if broken:
        say(f"no checkpoint in {folder} can be read; starting anew")
    return None


def progress_of(content: dict[str, Any]) -> Progress:
    """The record of which `content` is the plain form."""
    return Progress(
        content["stamp"],
        Position(**content["position"]),
        tuple(Epoch(**row) for row in content["history"]),
        Best(**content["best"]) if content["best"] else None,
    )


def optimiser_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """State of the optimiser by parameter number and key; its rates follow from the position."""
    state = optimizer.state_dict()["state"]
    return {f"optim.{i}.{key}": value for i, entry in state.items() for key, value in entry.items()}


def fill_optimiser(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `optimiser_tensors` took, each tensor laid out in memory like its parameter.

    The layout matters for equal bits: kernels round the same in the same order only.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optim."):
            _, number, key = name.split(".")
            parameter = parameters[int(number)]
            like = torch.empty_like(parameter) if value.shape == parameter.shape else torch.empty_like(value)
            state.setdefault(int(number), {})[key] = like.copy_(value)
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def model_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The model's part of a checkpoint."""
    return {name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")}
