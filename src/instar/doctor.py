"""`instar doctor`: what this machine can do, measured where that takes seconds."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from instar import machine, store
from instar.modality.modalities import MODALITIES

if TYPE_CHECKING:
    import torch


def examine() -> Iterator[str]:
    """Lines of the report, each as soon as it is known."""
    versions = machine.versions()
    yield "  ".join(f"{name} {version}" for name, version in versions.items())
    yield f"cores {machine.cores()}, memory {machine.memory_gb():.1f} GiB"
    yield from _torch()
    yield from _backbones()
    yield _kaggle()
    for what, path in (("the cache", store.home()), ("this folder", Path.cwd())):
        yield f"free on the disk of {what} ({path}): {machine.free_gb(path):.1f} GiB"


def _torch() -> Iterator[str]:
    import torch

    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    name = torch.cuda.get_device_name() if device == "cuda" else torch.backends.cpu.get_cpu_capability()
    yield f"device {device} ({name}), torch build {'CUDA ' + torch.version.cuda if torch.version.cuda else 'CPU'}"
    threads = torch.get_num_threads()
    rates = {n: _matmul(n) for n in sorted({1, threads})}
    torch.set_num_threads(threads)
    yield "speed: " + ", ".join(f"{rate:.0f} GFLOP/s with {n} threads" for n, rate in rates.items()) + " (float32)"
    fp32, bf16 = _convolution(torch.float32), _convolution(torch.bfloat16)
    verdict = "worth trying" if bf16 > fp32 else "not worth it here"
    speed = f"{bf16 / fp32:.1f} times the speed of float32 in a convolution"
    yield f"half precision (bf16): {speed} ({verdict}; `instar plan` measures it for the network)"


def _matmul(threads: int) -> float:
    """GFLOP/s of a float32 matrix product."""
    import torch

    torch.set_num_threads(threads)
    a = torch.randn(1024, 1024)
    a @ a
    best = min(_seconds(lambda: a @ a) for _ in range(5))
    return 2 * 1024**3 / best / 1e9


def _convolution(dtype: "torch.dtype") -> float:
    """Convolutions a second."""
    import torch

    layer = torch.nn.Conv2d(64, 64, 3, padding=1).to(dtype)
    x = torch.randn(8, 64, 56, 56).to(dtype).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        layer(x)
        return 1 / min(_seconds(lambda: layer(x)) for _ in range(5))


def _seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def _backbones() -> Iterator[str]:
    from instar.models.sources import reachable

    for modality in MODALITIES.values():
        for backbone in modality.backbones:
            yield f"backbone {backbone} ({modality.many}): {at_hand(backbone, reachable(backbone))}"


def backbones(modality: str) -> Iterator[str]:
    """Lines of a table of the recommended backbones, with whether each can be loaded here without a network."""
    from instar.models.catalogue import recommended, table
    from instar.models.sources import reachable

    entries = recommended(modality)
    here = {entry.backbone: reachable(entry.backbone) == "" for entry in entries}
    yield from table(entries, here, MODALITIES[modality].unit)
    yield "here: without a network. GMACs: thousand million multiply-additions for one example of that size."
    yield "Any other network of the same libraries can be named too: --backbone SOURCE:NAME."


def at_hand(backbone: str, reason: str) -> str:
    """Whether a backbone can be loaded now, and what happens where not; the reason names the file that is missing."""
    if reason:
        return f"not here yet; fetched at first use, or give its --weights ({reason})"
    return "always at hand, starts at random" if backbone.startswith("scratch:") else "at hand offline"


def _kaggle() -> str:
    """Where Kaggle's own client would find credentials; their content is not shown."""
    home = Path.home() / ".kaggle"
    folder = Path(os.environ.get("KAGGLE_CONFIG_DIR") or home)
    places = {
        "KAGGLE_API_TOKEN": bool(os.environ.get("KAGGLE_API_TOKEN")),
        "KAGGLE_USERNAME and KAGGLE_KEY": bool(os.environ.get("KAGGLE_USERNAME") and os.environ.get("KAGGLE_KEY")),
        **{str(home / name): (home / name).exists() for name in ("access_token", "access_token.txt")},
        str(folder / "kaggle.json"): (folder / "kaggle.json").exists(),
    }
    present = [place for place, there in places.items() if there]
    return f"Kaggle credentials: {', '.join(present) if present else 'none (public sets need none)'}"
