"""instar against what a user would write or pick instead: time to an accuracy, and the accuracy at the end.

    python bench/rivals.py SET --out FOLDER [--seeds 0,1,2] [--repeats 1] [--rivals plain,trainer,fastai,instar]

SET is butterfly, caltech101 or mcdonalds. All rivals start from the same weights, on the split, batch size and input
size of one run directory, each training in a process of its own, in turns. What is finished is kept in --out: a
killed bench goes on where it was. Prints Markdown. Read README.md beside this file before quoting a figure.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: a waiting thread must not spin (pytorch#80777)

from contest import results, sets
from contest.task import Clock, Floats, Options, Task, task_of

from instar import machine, store

RIVALS = ("plain", "trainer", "fastai", "instar")


def way_of(rival: str, out: Path) -> Callable[[Task, Clock], Floats]:
    """The training of a rival; its libraries are imported here, so that their import is not timed."""
    if rival == "plain":
        from contest import plain

        return plain.train
    if rival == "trainer":
        from contest import trainer

        return trainer.train
    if rival == "fastai":
        from contest import fast

        return fast.train
    from contest import ours

    return lambda task, clock: ours.train(task, clock, out)


def one(rival: str, run: Path, out: Path, seed: int, repeat: int, options: Options) -> None:
    """Train one rival and keep what it reached: the turn of a process of its own, started as a user would, so that
    loaders start their workers in the system's usual way."""
    path = results.place(out, rival, seed, repeat)
    way = way_of(rival, out / f"instar-{seed}-{repeat}")
    load = os.getloadavg()[0]
    task = task_of(run, seed, options)
    task.network()  # imports its library and brings its file into the page cache, before anything is timed
    print(f"{rival}, seed {seed}, repeat {repeat}: {len(task.train):,} training examples", flush=True)
    clock = Clock()
    probabilities = way(task, clock)
    results.keep(path, rival, repeat, task, clock, probabilities, load)


def missing(rival: str, modality: str) -> str:
    """Why a rival cannot take part, or nothing."""
    if rival != "fastai":
        return ""
    if modality != "image":
        return "fastai's own networks for texts are others, so there is no rival with the same backbone"
    return "" if find_spec("fastai") else "fastai is not installed here; bench/README.md says how to add it"


def fixed(out: Path, settings: dict[str, object]) -> None:
    """Refuse to mix results of different settings in one folder."""
    path = out / "settings.json"
    if path.exists() and json.loads(path.read_text()) != settings:
        raise SystemExit(f"{out} holds results of other settings ({path}); choose another --out or delete it")
    store.write_text(path, json.dumps(settings, indent=1))


def arguments() -> argparse.Namespace:
    """The command line."""
    default = Options()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", choices=sets.SETS)
    parser.add_argument("--out", type=Path, required=True, help="folder for the run, the results and the table")
    parser.add_argument("--run", type=Path, help="a planned run of instar to take instead of a fresh one")
    parser.add_argument("--rivals", default=",".join(RIVALS), help="which, in the order of the turns (all)")
    parser.add_argument("--seeds", default="0,1,2", help="of the training; the split is the same (0,1,2)")
    parser.add_argument("--repeats", type=int, default=1, help="trainings of each seed (1)")
    parser.add_argument("--limit", type=int, help="at most so many examples a class: a try, not a measurement")
    parser.add_argument("--epochs", type=int, help="epochs of the rivals' whole network (pictures 6, texts 2)")
    parser.add_argument("--rate", type=float, help="peak rate of the rivals (pictures 1e-3, texts 1e-4; fastai's own)")
    parser.add_argument("--flip", action=argparse.BooleanOptionalAction, default=default.flip,
                        help="mirror pictures in the plain loop's validation and test (yes)")  # fmt: skip
    parser.add_argument("--arithmetic", choices=("default", "planned"), default=default.arithmetic,
                        help="the rivals': fp32, plain memory format; or as instar's plan has measured")  # fmt: skip
    parser.add_argument("--workers", type=int, default=machine.cores(), help="processes that read pictures (cores)")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE",
                        help="a setting of instar's plan; may be repeated")  # fmt: skip
    parser.add_argument("--turn", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Train whatever is not finished, then print the tables."""
    asked = arguments()
    out: Path = asked.out.absolute()
    options = Options(asked.epochs, asked.rate, asked.flip, asked.arithmetic, asked.workers)
    if asked.turn:
        rival, seed, repeat = asked.turn.split(",")
        one(rival, asked.run.absolute() if asked.run else out / "run", out, int(seed), int(repeat), options)
        return
    if asked.run and (asked.limit or asked.settings):
        raise SystemExit(f"{asked.run} is planned already: leave out --limit and --set, or leave out --run")
    fixed(out, {"set": asked.set, "run": str(asked.run or ""), "limit": asked.limit, "settings": asked.settings,
                **asdict(options)})  # fmt: skip
    os.environ["INSTAR_HOME"] = str(out / "home")
    run = asked.run.absolute() if asked.run else sets.opened(asked.set, out, asked.limit, tuple(asked.settings))
    dataset = store.read_dataset(run)
    rivals: list[str] = []
    for rival in asked.rivals.split(","):
        if rival not in RIVALS:
            raise SystemExit(f"--rivals {rival}: choose among {', '.join(RIVALS)}")
        reason = missing(rival, dataset.modality)
        print(f"{rival} is left out: {reason}" if reason else f"{rival} takes part", file=sys.stderr)
        rivals += [] if reason else [rival]
    turns = [
        (rival, int(seed), repeat)
        for repeat in range(asked.repeats)
        for seed in asked.seeds.split(",")
        for rival in rivals
    ]
    for rival, seed, repeat in turns:
        if results.place(out, rival, seed, repeat).exists():
            continue
        turn = [sys.executable, *sys.argv, "--turn", f"{rival},{seed},{repeat}"]
        if subprocess.run(turn, check=False).returncode:
            raise SystemExit(f"{rival}, seed {seed}: the training failed, see above; what is finished is kept in {out}")
    found = [results.read(path) for path in sorted((out / "results").glob("*.json"))]
    found = sorted(found, key=lambda r: (RIVALS.index(r.rival), r.repeat, r.seed))
    text = f"{heading(asked.set, run, found)}\n\n{results.tables(found, dataset.ordered)}"
    store.write_text(out / "rivals.md", text)
    print(text)


def heading(name: str, run: Path, found: list[results.Result]) -> str:
    """Set, network, machine and load, in a few lines."""
    dataset, recipe = store.read_dataset(run), store.recipe_of(store.read_plan(run)[0])
    sizes = ", ".join(f"{dataset.part(part).height:,} {part}" for part in ("train", "val", "test"))
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions().items() if name != "system")
    loads = [result.load for result in found]
    return (
        f"{name}: {len(dataset.classes)} classes, {sizes}; {store.read_card(run).title} at {recipe.input_size}, "
        f"batches of {recipe.batch_size}.\n{machine.cores()} cores, load {min(loads)} to {max(loads)} before the "
        f"trainings; {versions}."
    )


if __name__ == "__main__":
    main()
