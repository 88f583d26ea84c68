"""How fast this machine runs a network, in each of the ways that the plan may choose. A matter of seconds."""

import copy
import math
import time
from collections.abc import Callable
from functools import partial
from itertools import product

import torch
from torch.nn.functional import cross_entropy
from torch.nn.modules.batchnorm import _BatchNorm

from instar.machine import cores, memory_gb
from instar.modality.modalities import MODALITIES
from instar.models.depth import belongs
from instar.models.network import Classifier, Network, summed
from instar.prepare.base import Batch
from instar.prepare.passes import device
from instar.progress import bar
from instar.records import Measurements, Timing

ROUGH, BATCH = 2, 8
"""Examples of the step that warms up, and of the timed steps."""
HOPELESS = 3.0
"""A way whose first step is this many times slower than the best way so far is not measured further: on
processors without bf16 arithmetic a convolution in bf16 takes ten times as long, and nobody should wait for
the exact figure."""
SECONDS = 0.5
"""Of timed steps per way and direction; two steps at least."""


def measure(
    network: Network, batch_of: Callable[[int], Batch] | None = None, *, extent: int | None = None
) -> Measurements:
    """Time inference and training with the upper half of the trunk thawed, on a copy of the network.

    Args:
        batch_of: number of examples -> batch; without it, noise.
        extent: pixels a side, or tokens of a text, of a usual batch (`Modality.extent`); without it, what the network
            was trained at or takes at most.

    Returns:
        A timing for each of float32 and bf16, and for pictures also plain and channels_last layout, with as
        many threads as there are cores. The best of the repeats counts: others only tell of what else the
        machine did.
    """
    where = device()
    extent = extent or network.card.spec.size
    sample = MODALITIES[network.card.modality].feed().sample
    batch_of = batch_of or partial(sample, network.card.spec, extent)
    rough, batch = batch_of(ROUGH), batch_of(BATCH)
    layouts = (False, True) if any(value.ndim == 4 for value in batch.values()) else (False,)
    ways = list(product(("fp32", "bf16"), layouts))
    threads, before = cores(), torch.get_num_threads()
    torch.set_num_threads(threads)
    timings: list[Timing] = []
    try:
        with bar("measuring the network's speed", len(ways)) as advance:
            for precision, channels_last in ways:
                model = _half_thawed(network).to(where)
                model.to(memory_format=_layout(channels_last))  # type: ignore[call-overload]
                rates = _rates(model, rough, precision, channels_last, where, steady=network.card.pretrained, once=True)
                best = max((t.training for t in timings), default=0.0)
                if rates[1] * HOPELESS > best:
                    rates = _rates(
                        model, batch, precision, channels_last, where, steady=network.card.pretrained, once=False
                    )
                timings.append(Timing(precision, channels_last, threads, *rates))
                advance(1, f"{rates[1]:.0f} a second")
    finally:
        torch.set_num_threads(before)
    return Measurements(tuple(timings), where.type, cores(), round(memory_gb(), 1), extent)


def _layout(channels_last: bool) -> torch.memory_format:
    return torch.channels_last if channels_last else torch.contiguous_format


def _rates(
    model: Classifier,
    batch: Batch,
    precision: str,
    channels_last: bool,
    where: torch.device,
    *,
    steady: bool,
    once: bool,
) -> tuple[float, float]:
    """Examples a second forward, and forward with backward and step; `steady`: as in training, BatchNorm keeps its
    statistics."""
    layout = _layout(channels_last)
    batch = {k: v.to(where, memory_format=layout) if v.ndim == 4 else v.to(where) for k, v in batch.items()}
    labels_B = torch.zeros(len(next(iter(batch.values()))), dtype=torch.long, device=where)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-6, fused=True)

    def forward() -> None:
        with torch.inference_mode(), torch.autocast(where.type, torch.bfloat16, enabled=precision == "bf16"):
            model(batch)

    def train() -> None:
        with torch.autocast(where.type, torch.bfloat16, enabled=precision == "bf16"):
            given = model(batch)
        summed(given, lambda logits_BC: cross_entropy(logits_BC.float(), labels_B)).backward()
        optimizer.step()
        optimizer.zero_grad()

    model.eval()
    forward_seconds = _fastest(forward, where, once)
    model.train()
    for module in model.modules():
        if isinstance(module, _BatchNorm) and steady:
            module.eval()
    return len(labels_B) / forward_seconds, len(labels_B) / _fastest(train, where, once)


def _half_thawed(network: Network) -> Classifier:
    model = copy.deepcopy(network.model)
    trunk = [g for g in network.card.groups if g.role == "trunk"]
    frozen = [g for g in network.card.groups if g.role == "stem"] + trunk[: len(trunk) // 2]
    for name, parameter in model.body.named_parameters():
        parameter.requires_grad = not any(belongs(name, group) for group in frozen)
    return model


def _fastest(step: Callable[[], None], where: torch.device, once: bool) -> float:
    """Seconds of the fastest of some steps, or of a single one."""
    best, spent, steps = math.inf, 0.0, 0
    while steps < 1 or (not once and (spent < SECONDS or steps < 2)):
        started = time.perf_counter()
        step()
        if where.type != "cpu":
            torch.accelerator.synchronize()
        seconds = time.perf_counter() - started
        best, spent, steps = min(best, seconds), spent + seconds, steps + 1
    return best
