"""Facts of this machine: processor, memory, disk, versions; without importing torch unless asked to."""

import contextlib
import os
import platform
import shutil
from importlib import metadata
from pathlib import Path

PACKAGES = ("torch", "torchvision", "timm", "transformers", "accelerate", "polars", "scikit-learn", "pillow")


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_gb() -> float:
    """Memory of the machine in GiB; 0.0 where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError, AttributeError):
        return 0.0


def free_gb(path: Path) -> float:
    """Free disk in GiB where `path` lies or would lie."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free / 2**30


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on."""
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for package in ("instar", *PACKAGES):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def restart_peak() -> None:
    """Let the peak of the memory start anew, where the kernel can do that (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_mb() -> float | None:
    """Peak resident memory of this process since `restart_peak` in MiB; None where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((round(int(line.split()[1]) / 1024, 1) for line in lines if line.startswith("VmHWM")), None)
