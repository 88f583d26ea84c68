"""How much faster a stage learns from kept activations than live, for each depth of the cut.

    python bench/tail.py [timm:mobilenetv2_100] [--weights FILE] [--thaw 4 2 1] [--steps 4] [--repeats 3]

Three loops train the same layers with the same optimiser, in turns, so that a busy machine slows all of them alike:
"plain", forward and backward of the whole network on one batch that is in memory already (torch's own layout, nothing
decoded or augmented, no gradients in frozen layers); "live", instar's loop with augmentation; "tail", instar's loop
with activations from the disk. Pictures are noise, for speed does not depend on what they show. Prints Markdown:
images a second of wall time (of processor time), medians over the repeats, from the lowest to the highest ratio.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: a waiting thread must not spin (pytorch#80777)

import numpy as np
import torch
from accelerate import Accelerator

from instar import machine
from instar.models.network import Network
from instar.models.sources import load
from instar.prepare.images import PreparedImages, shape_of
from instar.prepare.passes import device, placed, running
from instar.records import Recipe, Stage
from instar.train import tail
from instar.train.checkpoint import Position
from instar.train.loop import Live, TrainingData, one_epoch
from instar.train.loss import loss_of
from instar.train.optim import optimiser
from instar.train.stages import enter

CLASSES, SIZE = 75, 32


def recipe_of(backbone: str, weights: Path | None, size: int, threads: int) -> Recipe:
    """The plan's usual values for pictures."""
    return Recipe(
        backbone=backbone, weights=str(weights), grouping="near", exclude=(), clean=(), input_size=size, fit="crop",
        augment=("random_resized_crop", "horizontal_flip"), metric="accuracy", decode="argmax", loss_weights="none",
        label_smoothing=0.1, dropout=0.2, batch_size=SIZE, stages=(), weight_decay=0.05, warmup=0.1, clip_norm=1.0,
        patience=3, precision="fp32", channels_last=True, threads=threads, seed=0,
    )  # fmt: skip


def noise(network: Network, recipe: Recipe, n: int, folder: Path) -> TrainingData:
    """Stored squares of noise, on the disk as `prepare` leaves them; a few of them to validate."""
    spec = network.card.spec
    shape = shape_of(recipe, spec)
    path = folder / "pixels.npy"
    generator = np.random.default_rng(0)
    np.save(path, generator.integers(0, 256, (n + 8, shape.side, shape.side, 3), np.uint8))
    stored = np.load(path, mmap_mode="r")
    ids, costs = tuple(f"n{i}" for i in range(n + 8)), np.ones(n + 8, np.int64)
    prepared = PreparedImages("noise", ids, costs, lambda rows: stored[rows], shape, spec.mean, spec.std)
    rows, labels = np.arange(n + 8), generator.integers(0, CLASSES, n + 8)
    return TrainingData(prepared, rows[:n], labels[:n], rows[n:], labels[n:], CLASSES, folder)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backbone", nargs="?", default="timm:mobilenetv2_100")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--thaw", type=int, nargs="+", default=[4, 2, 1])
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    threads = machine.cores()
    network = load(options.backbone, options.weights, classes=CLASSES, dropout=0.2, seed=0)
    recipe = recipe_of(options.backbone, options.weights, network.card.spec.size, threads)
    print(
        f"{options.backbone}, batches of {SIZE}, {threads} threads, images a second of wall time (of processor time)\n"
    )
    print("| thawed | a view takes | plain | live | tail | tail / plain | tail / live |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, running(recipe):
        data = noise(network, recipe, options.steps * SIZE, Path(folder))
        for thaw in options.thaw:
            print(row(network, recipe, data, thaw, options.repeats), flush=True)


def row(network: Network, recipe: Recipe, data: TrainingData, thaw: int, repeats: int) -> str:
    """One cut: every loop once a repeat."""
    stage = Stage("top", thaw, 1, 1e-4, 0.8, 1)
    found: dict[str, list[tuple[float, float]]] = {"plain": [], "live": [], "tail": []}
    folder = data.cache / f"cut{thaw}"
    model = network.model

    def loop(source: TrainingData) -> None:
        enter(network, thaw)
        live = Live(network, model, optimiser(network, stage, recipe), Accelerator(), stage, recipe, source, None)
        one_epoch(live, Position(), lambda _: None)

    def plain() -> None:
        enter(network, thaw)
        adam = optimiser(network, stage, recipe)
        pixels = data.prepared.batch(data.train_rows[:SIZE], (), 0)["pixels"].contiguous()
        labels_B = torch.from_numpy(data.train_labels[:SIZE])
        for _ in range(len(data.train_rows) // SIZE):
            loss_of(model({"pixels": pixels}), labels_B, None, 0.1).backward()
            adam.step()
            adam.zero_grad()

    def timed(name: str, run: Callable[[], None]) -> None:
        wall, processor = time.perf_counter(), time.process_time()
        run()
        found[name].append((time.perf_counter() - wall, time.process_time() - processor))

    placed(model, recipe, device())
    enter(network, thaw)
    with tail.source(folder, network, recipe, data, stage, Accelerator()):
        pass  # written now, read in every repeat
    for _ in range(repeats):
        model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        timed("plain", plain)
        placed(model, recipe, device())
        timed("live", lambda: loop(data))
        enter(network, thaw)
        with tail.source(folder, network, recipe, data, stage, Accelerator()) as kept:
            timed("tail", lambda: loop(kept))
    size = max(path.stat().st_size for path in folder.glob("*.npy")) / len(data.train_rows) / 1e3
    n = len(data.train_rows)
    speeds = [
        f"{n / median(wall for wall, _ in times):.1f} ({n / median(cpu for _, cpu in times):.1f})"
        for times in found.values()
    ]
    ratios = [ratio(found[name], found["tail"], at) for name in ("plain", "live") for at in (0, 1)]
    return f"| {thaw} | {size:,.0f} kB | {' | '.join(speeds)} | {ratios[0]}; {ratios[1]} | {ratios[2]}; {ratios[3]} |"


def ratio(slow: list[tuple[float, float]], fast: list[tuple[float, float]], at: int) -> str:
    """How many times as fast, median and range over the repeats."""
    each = sorted(a[at] / b[at] for a, b in zip(slow, fast, strict=True))
    return f"{median(each):.2f} ({each[0]:.2f} to {each[-1]:.2f})"


if __name__ == "__main__":
    main()
