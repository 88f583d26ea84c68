"""Opening and auditing hold figures of each picture, never the pictures: memory hardly grows with their number."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from instar import machine

FEW, MANY, SIDE = 500, 2_000, 160
MOST = 20_000
"""Bytes that a picture may cost: its row of the table, and its part of the comparison of hashes. Its pixels, decoded,
are 76,800 bytes."""
LOOK = """
import sys
from pathlib import Path
from instar import machine
from instar.audit.check import run_checks
from instar.audit.families import IMAGE_CHECKS
from instar.data import opening, reading
from instar.data.measure_images import measure
raw = reading.read(sys.argv[1], text=None, image=None, label=None)
measured = measure(raw.frame.select("id", "input"), Path(raw.root))
dataset, _ = opening.build(raw, measured, limit=None, seed=0)
audit = run_checks(dataset, IMAGE_CHECKS)
print(dataset.part("train", "val", "test").height, audit["near-twins"].verdict, machine.peak_memory_mb())
"""


def draw(root: Path, n: int) -> Path:
    """Pictures of two classes, each of its own rough layout, so that none is a near copy of another."""
    rng = np.random.default_rng(0)
    for i in range(n):
        path = root / ("ant", "bee")[i % 2] / f"{i}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        rough = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        rough.resize((SIDE, SIDE), Image.Resampling.BILINEAR).save(path, quality=85)
    return root


def peak(root: Path, n: int) -> float:
    """Bytes that a process of its own needs at most."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    command = [sys.executable, "-c", LOOK, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    seen, verdict, megabytes = done.stdout.split()
    assert (int(seen), verdict) == (n, "passed")
    return float(megabytes) * 2**20


@pytest.mark.slow
@pytest.mark.skipif(machine.peak_memory_mb() is None, reason="the system does not tell the peak of the memory")
def test_memory_hardly_grows_with_the_number_of_pictures(tmp_path: Path) -> None:
    few, many = (peak(draw(tmp_path / str(n), n), n) for n in (FEW, MANY))
    assert (many - few) / (MANY - FEW) < MOST
