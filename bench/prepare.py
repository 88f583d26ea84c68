"""How fast pictures are decoded and resized, and whether reading them keeps up with a tiny network.

    python bench/prepare.py [FOLDER] [--images 1000] [--threads 2] [--repeats 3] [--quick]

The ways to do one thing take turns on the same files, so that a busy machine slows all of them alike. Prints
Markdown: medians over the repeats, from the lowest to the highest in parentheses. Read README.md beside this
file before quoting a figure.
"""

import argparse
import os
import platform
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: a waiting thread must not spin (pytorch#80777)

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from instar import machine
from instar.data.decode import decode
from instar.data.measure_images import measure
from instar.data.opening import build
from instar.data.reading import read
from instar.demo.butterflies import make_butterflies
from instar.models.scratch import CONVNET_SIZE, ConvNet
from instar.prepare.ahead import ahead
from instar.prepare.augment_names import AUGMENTATIONS
from instar.prepare.images import PreparedImages, open_images, prepare_images, shape_of, square
from instar.records import Dataset, InputSpec, Recipe, Stage

SIZE, BATCH, STEPS = 224, 32, 10
SPEC = InputSpec(SIZE, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "bilinear", 0.875)
DECIDED = ("random_resized_crop", "horizontal_flip")
Rates = dict[str, list[float]]


def recipe(augment: tuple[str, ...], size: int, threads: int) -> Recipe:
    """What preparing and reading need; the training values are not used here."""
    return Recipe(
        backbone="scratch:convnet", weights=None, grouping="exact", exclude=(), clean=(), input_size=size, fit="crop",
        augment=augment, metric="accuracy", decode="argmax", loss_weights="none",
        label_smoothing=0.0, dropout=0.0, batch_size=BATCH, stages=(Stage("all", -1, 1, 1e-3, 1.0),),
        weight_decay=0.0, warmup=0.0, clip_norm=1.0, patience=1, precision="fp32", channels_last=True,
        threads=threads, seed=0,
    )  # fmt: skip


def taking_turns(ways: Mapping[str, Callable[[], float]], repeats: int) -> Rates:
    """What each way returns, `repeats` times in turns, after one turn that is not counted."""
    found: Rates = {name: [] for name in ways}
    for turn in range(repeats + 1):
        for name, way in ways.items():
            rate = way()
            if turn:
                found[name].append(rate)
    return found


def table(header: Sequence[str], rates: Rates, base: str) -> str:
    """Markdown, with the ratio of each median to that of `base`."""
    lines = [f"| {' | '.join(header)} | ratio |", "|---|--:|--:|"]
    for name, values in rates.items():
        shown = f"{median(values):,.1f} ({min(values):,.1f}–{max(values):,.1f})"
        lines.append(f"| {name} | {shown} | {median(values) / median(rates[base]):.2f} |")
    return "\n".join(lines) + "\n"


# Decoding and resizing: every way reads the file, decodes it to RGB, brings the shorter side to 256 pixels by
# antialiased bilinear interpolation and keeps the middle 256 x 256.


def by_instar(path: Path) -> NDArray[np.uint8]:
    return square(decode(path.read_bytes()), shape_of(recipe((), SIZE, 1), SPEC))


def opened_by_pillow(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def by_pillow(path: Path) -> NDArray[np.uint8]:
    side = shape_of(recipe((), SIZE, 1), SPEC).side
    picture = opened_by_pillow(path)
    scale = side / min(picture.size)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BILINEAR)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return np.asarray(picture.crop((left, top, left + side, top + side)))


class Listed(torch.utils.data.Dataset[Tensor]):
    """As torchvision's ImageFolder: its own Pillow loader and v2 transforms, here over a list of files."""

    def __init__(self, paths: Sequence[Path]) -> None:
        from torchvision.transforms import v2

        side = shape_of(recipe((), SIZE, 1), SPEC).side
        self.paths = paths
        self.transform = v2.Compose([v2.Resize(side), v2.CenterCrop(side), v2.PILToTensor()])

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensor:
        from torchvision.datasets.folder import pil_loader

        pixels: Tensor = self.transform(pil_loader(str(self.paths[index])))
        return pixels


def by_torchvision(paths: Sequence[Path], workers: int) -> Iterator[Tensor]:
    return iter(torch.utils.data.DataLoader(Listed(paths), batch_size=BATCH, num_workers=workers))


def speed(n: int, work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return n / (time.perf_counter() - started)


def decoders(paths: Sequence[Path], dataset: Dataset, repeats: int) -> str:
    """Which decoder the pictures go to, and what that brings: decoding alone, on one thread."""
    n = len(paths)
    kinds = dataset.part("train", "val", "test").select("measure.format", "measure.mode").iter_rows()
    turbo = sum(kind in ("JPEG", "MPO") and mode in ("RGB", "L") for kind, mode in kinds)
    rates = taking_turns(
        {
            "Pillow": lambda: speed(n, lambda: [np.asarray(opened_by_pillow(path)) for path in paths]),
            "instar": lambda: speed(n, lambda: [decode(path.read_bytes()) for path in paths]),
        },
        repeats,
    )
    shown = table(("decoding alone", "images/s"), rates, "Pillow")
    return (
        f"{shown}\nDecoder: simplejpeg (libjpeg-turbo without a detour) for {turbo} of {n} pictures, which are plain "
        f"JPEG; Pillow for the other {n - turbo}, since it reads every format. Why: simplejpeg's speed is "
        f"{median(rates['instar']) / median(rates['Pillow']):.2f} times that of Pillow here on the same files, and it "
        "lets other threads run meanwhile (docs/decisions/0007-decoding.md).\n"
    )


def decoding(paths: Sequence[Path], dataset: Dataset, threads: int, repeats: int) -> str:
    n = len(paths)

    def whole_step() -> float:
        with tempfile.TemporaryDirectory() as home:
            os.environ["INSTAR_HOME"] = home
            return speed(n, lambda: prepare_images(dataset, recipe((), SIZE, threads), SPEC))

    torch.set_num_threads(1)
    with ThreadPoolExecutor(threads) as pool:
        ways: dict[str, Callable[[], float]] = {
            "plain Pillow loop": lambda: speed(n, lambda: [by_pillow(path) for path in paths]),
            "torchvision's loader, in the main process": lambda: speed(n, lambda: list(by_torchvision(paths, 0))),
            "instar, 1 thread": lambda: speed(n, lambda: [by_instar(path) for path in paths]),
            f"Pillow, {threads} threads": lambda: speed(n, lambda: list(pool.map(by_pillow, paths))),
            f"torchvision's loader, {threads} workers": lambda: speed(
                n, lambda: [len(batch) for batch in by_torchvision(paths, threads)]
            ),
            f"instar, {threads} threads": lambda: speed(n, lambda: list(pool.map(by_instar, paths))),
            f"instar's whole step ({machine.cores()} threads, checks contents, writes)": whole_step,
        }
        return table(("way", "images/s"), taking_turns(ways, repeats), "plain Pillow loop")


# Reading against the network: batches of 32 from the prepared form, made by one thread in the background, as in
# training, and a training step with stochastic gradient descent.


def network(name: str) -> nn.Module:
    from torchvision.models import squeezenet1_1

    body: nn.Module = squeezenet1_1(num_classes=75) if name == "squeezenet1_1" else ConvNet()
    body.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return body.train()


def step_of(name: str) -> Callable[[Tensor], None]:
    """In float32: bf16 makes the training of such small convolutions slower on processors, not faster."""
    model = network(name)
    optimizer = torch.optim.SGD(model.parameters(), 1e-5)

    def step(pixels: Tensor) -> None:
        loss = model(pixels.contiguous(memory_format=torch.channels_last)).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def reading(folder: Path, n: int, name: str, size: int, threads: int, repeats: int, steps: int) -> tuple[str, ...]:
    """Two tables for one network: batches and steps, each alone; and steps on batches that are read meanwhile; and
    what they say."""
    torch.set_num_threads(threads)
    prepared: PreparedImages = open_images(folder, recipe((), size, threads), spec_of(size))
    order = np.random.default_rng(0).permutation(n)
    rows = [order[np.arange(start, start + BATCH) % n] for start in range(0, BATCH * steps, BATCH)]
    fixed = prepared.batch(rows[0], (), 0)["pixels"]
    ways = {"none": (), "crop and flip (as decided)": DECIDED, "everything": tuple(AUGMENTATIONS)}

    def batches(augment: tuple[str, ...]) -> Iterator[Tensor]:
        return ahead(lambda part: prepared.batch(part, augment, int(part[0]))["pixels"], rows)

    def epoch(step: Callable[[Tensor], None], pixels: Callable[[], Iterable[Tensor]]) -> float:
        def work() -> None:
            for batch in pixels():
                step(batch)

        return speed(steps, work)

    def reread(step: Callable[[Tensor], None]) -> dict[str, Callable[[], float]]:
        return {f"read, augmentation: {k}": partial(epoch, step, partial(batches, v)) for k, v in ways.items()}

    step, again = step_of(name), [fixed] * steps
    alone = {"training step": partial(epoch, step, lambda: again)}
    first = taking_turns({**alone, **reread(lambda _: None)}, repeats)
    second = taking_turns({**alone, **reread(step)}, repeats)
    spare = {
        way: median(rates) / median(first["training step"]) for way, rates in first.items() if way != "training step"
    }
    slowest = min(spare, key=spare.__getitem__)
    verdict = "the network waits for nothing" if spare[slowest] >= 1 else "the network has to wait"
    return (
        table((f"{name} at {size}: one or the other", "batches/s"), first, "training step"),
        table((f"{name} at {size}: both at once", "steps/s"), second, "training step"),
        f"{name} at {size}: {slowest} is {spare[slowest]:.1f} times as fast as training, so {verdict}.\n",
    )


def spec_of(size: int) -> InputSpec:
    return InputSpec(size, SPEC.mean, SPEC.std, SPEC.interpolation, SPEC.crop_share)


def pictures(folder: Path, most: int) -> tuple[Dataset, list[Path]]:
    """The pictures of a folder as a data set, and the paths of those that are prepared."""
    raw = read(str(folder), text=None, image=None, label=None)
    raw_rows = raw.frame.filter(raw.frame["label"].is_not_null())
    kept = raw_rows.sample(min(most, raw_rows.height), seed=0).sort("id")
    measured = measure(kept.select("id", "input"), Path(raw.root))
    dataset, _ = build(type(raw)(raw.name, raw.modality, raw.source, raw.root, kept, raw.facts), measured,
                       limit=None, seed=0)  # fmt: skip
    rows = dataset.part("train", "val", "test")
    return dataset, [Path(raw.root) / path for path in rows["input"]]


def main() -> None:
    """Measure, and print the tables."""
    shared = Path(os.environ.get("INSTAR_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "data/butterfly"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="pictures with labels (default: butterfly, else drawn)")
    parser.add_argument("--images", type=int, default=1000, help="at most so many pictures (1000)")
    parser.add_argument("--threads", type=int, default=machine.cores(), help="threads and workers (all cores)")
    parser.add_argument("--repeats", type=int, default=3, help="counted turns (3)")
    parser.add_argument("--quick", action="store_true", help="a try of the script, not a measurement: under a minute")
    asked = parser.parse_args()
    networks: tuple[tuple[str, int], ...]
    networks, steps = (("squeezenet1_1", SIZE), ("scratch:convnet", CONVNET_SIZE)), STEPS
    if asked.quick:
        asked.images, asked.repeats, networks, steps = min(asked.images, 64), 1, networks[1:], 3
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or (shared if shared.is_dir() else Path(temporary) / "butterflies")
        if not folder.exists():
            make_butterflies(folder)
        dataset, paths = pictures(folder, asked.images)
        sides = sorted(dataset.table["measure.width"].drop_nulls().to_list())
        print(f"{len(paths)} pictures of {folder.name}, median width {sides[len(sides) // 2]}; {date.today()}")
        print(f"{processor()}, {machine.cores()} cores, load {os.getloadavg()[0]:.1f} before; {packages()}\n")
        print(decoders(paths, dataset, asked.repeats))
        print(decoding(paths, dataset, asked.threads, asked.repeats))
        for name, size in networks:
            os.environ["INSTAR_HOME"] = f"{temporary}/home"
            prepared = prepare_images(dataset, recipe((), size, asked.threads), spec_of(size))
            print("\n".join(reading(prepared, len(paths), name, size, asked.threads, asked.repeats, steps)))
        print(f"Load {os.getloadavg()[0]:.1f} after; {asked.threads} threads, {asked.repeats} repeats.")


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine())


def packages() -> str:
    return ", ".join(f"{name} {v}" for name, v in machine.versions().items() if name in ("python", "torch", "pillow"))


if __name__ == "__main__":
    main()
