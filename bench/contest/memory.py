"""How much memory a training takes, looked at from another process."""

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from prepare import table

from contest.ready import dataset_of, ready
from instar.train.training import fit

POLL = 0.02
"""Seconds between two looks at the memory of a process."""


def child(source: Path, backbone: str, weights: Path, images: int) -> None:
    """Open, prepare and train on so many pictures: the process whose memory is looked at."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["INSTAR_HOME"] = f"{folder}/home"
        made = ready(dataset_of(source, images), backbone, weights, None, Path(folder) / "cache")
        fit(Path(folder) / "train", made.network, replace(made.recipe, stages=made.recipe.stages[:2]), made.data, "")


def peak(command: Sequence[str]) -> tuple[float, float]:
    """Highest memory of a process in MB: its own (anonymous) pages, and with the pages of mapped files, which the
    kernel takes back when it needs them."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    own = whole = 0.0
    while process.poll() is None:
        try:
            lines = dict(line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
        except OSError:
            break
        if "RssAnon" in lines:
            own = max(own, int(lines["RssAnon"].split()[0]) / 1000)
            whole = max(whole, int(lines["VmHWM"].split()[0]) / 1000)
        time.sleep(POLL)
    if process.wait():
        raise SystemExit(f"{' '.join(command)} failed; run it to see why")
    return own, whole


def memory(command: Sequence[str], images: int, repeats: int) -> str:
    """Peak memory of open, prepare, the head and an epoch of the upper half, at 1x and at 4x the pictures; `command`
    and a number is a process that does all this."""
    if not Path("/proc/self/status").exists():
        return "Peak memory is left out: this system does not tell the memory of another process by /proc.\n"
    found: dict[int, list[tuple[float, float]]] = {images: [], 4 * images: []}
    for _ in range(repeats):
        for n, values in found.items():
            values.append(peak([*command, str(n)]))
    titles = ("peak memory, own pages", "peak memory, with mapped files")
    return "\n".join(
        table(
            (title, "MB"), {f"{n} pictures": [value[i] for value in values] for n, values in found.items()},
            f"{images} pictures",
        )
        for i, title in enumerate(titles)
    )  # fmt: skip
