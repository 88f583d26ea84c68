"""The processes of one command: one, or those that `accelerate launch` or `torchrun` has started for a training.

Who is who stands in the environment variables that torchrun sets; nothing heavy is imported to read them. The first
process alone prints, locks the run directory and writes into it.
"""

import contextlib
import os
from collections.abc import Iterator
from datetime import timedelta

from instar.errors import UserError

PATIENCE = timedelta(days=1)
"""How long the other processes wait for the first one, which prepares the examples and solves heads alone."""
LEFT = ("Connection closed by peer", "Connection reset by peer", "remote process exited", "Broken pipe")
"""In the messages by which gloo and NCCL tell that another process has ended."""
UNSUPPORTED = {"FSDP": "FSDP", "DEEPSPEED": "DeepSpeed", "MEGATRON_LM": "Megatron-LM", "TP": "tensor parallelism"}
"""What `accelerate launch` may ask for with ACCELERATE_USE_<key> and instar does not do."""


def number() -> int:
    """How many processes share the work, on all machines."""
    return int(os.environ.get("WORLD_SIZE", 1)) if "RANK" in os.environ else 1


def rank() -> int:
    """This process among them, from 0."""
    return int(os.environ["RANK"]) if number() > 1 else 0


def first() -> bool:
    """Whether this is the one that prints and writes."""
    return rank() == 0


def neighbours() -> int:
    """Processes that share the cores of this machine, this one included."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", 1)) if number() > 1 else 1


def name() -> str:
    """Who speaks, in front of an error."""
    return "instar" if first() else f"instar, process {rank()}"


def check(verb: list[str]) -> None:
    """Refuse what several processes cannot share.

    Args:
        verb: the first argument of the command line, if there is one.

    Raises:
        UserError: another verb than train (in the first process; the others end).
    """
    if number() > 1 and verb not in (["train"], ["--help"]):
        raise fault(
            "only `train RUN` is shared by several processes: run the other steps without a launcher (or unset "
            "RANK and WORLD_SIZE)"
        )


def wishes() -> list[str]:
    """What the launcher was asked for that is not heeded, a line each.

    Raises:
        UserError: something without which the training would be another (in the first process; the others end).
    """
    for key, kind in UNSUPPORTED.items():
        if _asked(f"ACCELERATE_USE_{key}"):
            raise fault(
                f"{kind} is not supported: every process holds the whole network; launch with --multi_gpu "
                "(docs/devices.md)"
            )
    lines = []
    if (precision := os.environ.get("ACCELERATE_MIXED_PRECISION", "no").lower()) != "no":
        lines.append(f"accelerate's mixed_precision={precision} is not read: the plan decides (--set precision=bf16)")
    if (backend := os.environ.get("ACCELERATE_DYNAMO_BACKEND", "no").lower()) != "no":
        lines.append(f"accelerate's dynamo_backend={backend} is not read: networks are not compiled")
    if _asked("ACCELERATE_USE_CPU") and "MASTER_PORT" in os.environ and "RANK" not in os.environ:
        lines.append(
            "accelerate launch --cpu starts one process only; for several: ACCELERATE_USE_CPU=1 "
            "torchrun --nproc-per-node N -m instar train RUN"
        )
    return lines


def cpu_wanted() -> bool:
    """Whether the launcher was told to leave accelerators alone."""
    return _asked("ACCELERATE_USE_CPU")


@contextlib.contextmanager
def joined(where: str) -> Iterator[None]:
    """Connect the processes, as long as the block lasts; nothing where there is one.

    Args:
        where: kind of device that they compute on: cpu (they talk through gloo) or another.

    Raises:
        Told: the first process has ended; it alone says why.
    """
    if number() == 1:
        yield
        return
    from accelerate import PartialState

    state = PartialState(cpu=where == "cpu", timeout=PATIENCE)
    try:
        yield
    except RuntimeError as error:
        if first() or not any(words in str(error) for words in LEFT):
            raise
        raise Told(2) from None
    state.destroy_process_group()


def meet() -> None:
    """Wait until every process has come here."""
    if number() > 1:
        import torch.distributed as dist

        dist.barrier()


def _asked(variable: str) -> bool:
    return os.environ.get(variable, "").lower() in ("1", "true", "yes", "on")


class Told(SystemExit):
    """Ends a process whose mistake the first one tells."""


def fault(message: str) -> UserError | Told:
    """The error of something that all processes notice at once: the first one tells it."""
    return UserError(message) if first() else Told(2)
