"""What the processes of a training tell each other; with one process everything here is nothing to do.

Every process holds the whole network and computes its part of each batch. The gradients are summed after the backward
pass, not during it as in DistributedDataParallel: then a process that runs out of memory can halve its part and begin
again without the others noticing, and parameters that a stage freezes or a batch does not touch need no special care.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from safetensors.torch import load, save
from torch import Tensor, nn

from instar import processes
from instar.models.network import Network
from instar.prepare.base import Prepared
from instar.prepare.passes import device, logits
from instar.records import Recipe
from instar.train import checkpoint
from instar.train.checkpoint import Progress
from instar.train.stages import learning_norms


def summed(model: nn.Module, loss: float) -> float:
    """Sum over all processes the gradients of `model`, in place, and `loss`, which is returned.

    A parameter that has a gradient nowhere keeps none, so that the optimiser passes it over as it does with one
    process. Statistics of BatchNorm that learns them become the mean over the processes. What comes out is the same in
    every process, to the last bit.
    """
    if processes.number() == 1:
        return loss
    learning = [p for p in model.parameters() if p.requires_grad]
    moving = _statistics(model)
    where = learning[0].device
    told = torch.tensor([float(p.grad is not None) for p in learning] + [loss], dtype=torch.float32, device=where)
    parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in learning]
    parts += [buffer / processes.number() for buffer in moving]
    flat = torch.cat([part.flatten().float() for part in (*parts, told)])
    dist.all_reduce(flat)
    pieces = flat.split([part.numel() for part in (*parts, told)])
    *somewhere, total = pieces[-1].tolist()
    for parameter, piece, holders in zip(learning, pieces, somewhere, strict=False):
        # laid out in memory like its parameter: the fused AdamW takes that for granted
        parameter.grad = torch.empty_like(parameter).copy_(piece.view(parameter.shape)) if holders else None
    for buffer, piece in zip(moving, pieces[len(learning) :], strict=False):
        buffer.copy_(piece.view(buffer.shape))
    return float(total)


def _statistics(model: nn.Module) -> list[Tensor]:
    """The running means and variances that move in the stage at hand."""
    return [b for m in learning_norms(model) for b in (m.running_mean, m.running_var) if b is not None]


def added(values: Tensor) -> Tensor:
    """The sum of a tensor over all processes."""
    if processes.number() > 1:
        shared = values.to(device())
        dist.all_reduce(shared)
        values = shared.cpu()
    return values


def shared_logits(
    network: Network, prepared: Prepared, rows: NDArray[np.int64], recipe: Recipe, what: str
) -> NDArray[np.float32]:
    """`prepare.passes.logits`, of which each process computes its part and gets the whole."""
    own = logits(network, prepared, rows, recipe, what, part=processes.rank(), parts=processes.number())
    return added(torch.from_numpy(own)).numpy()


def given(content: bytes) -> bytes:
    """What the first process holds, in all."""
    if processes.number() == 1:
        return content
    size = torch.tensor([len(content)], device=device())
    dist.broadcast(size, 0)
    filled = torch.frombuffer(bytearray(content), dtype=torch.uint8) if processes.first() else None
    shared = torch.empty(int(size.item()), dtype=torch.uint8) if filled is None else filled
    shared = shared.to(device())
    dist.broadcast(shared, 0)
    return content if processes.first() else shared.cpu().numpy().tobytes()


def agreed(*values: float) -> tuple[float, ...]:
    """Figures as the first process has them: another kind of processor may round otherwise, and all must decide
    alike."""
    return tuple(json.loads(given(json.dumps(values).encode())))


def same(model: nn.Module, progress: Progress, tensors: Mapping[str, Tensor]) -> tuple[Progress, Mapping[str, Tensor]]:
    """Bring every process to where the first one stands: its progress, its model, and from `tensors`, which a
    checkpoint held, the state of its optimiser."""
    if processes.number() == 1:
        return progress, tensors
    state = {f"model.{name}": value for name, value in model.state_dict().items()}
    state |= {name: value for name, value in tensors.items() if name.startswith("optim.")}
    plain = {name: value.detach().to("cpu", copy=True).contiguous() for name, value in state.items()}
    progress = checkpoint.progress_of(json.loads(given(json.dumps(asdict(progress)).encode())))
    shared = load(given(save(plain) if processes.first() else b""))
    if not processes.first():
        model.load_state_dict(checkpoint.model_tensors(shared))
    return progress, shared
