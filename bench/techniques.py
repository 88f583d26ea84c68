"""What each technique lifts, over the plan's own training, seed by seed.

    python bench/techniques.py SET --out FOLDER [--trials base,mixup,...] [--seeds 0,1,2] [--backbone SOURCE:NAME]
                               [--weights FILE] [--epochs N] [--limit N] [--table]

SET is butterfly, caltech101 or mcdonalds. A run directory is opened, audited and planned in FOLDER/run; every trial
trains the same network on its split, as planned but for the technique, and answers validation and test rows with the
weights of its end. What is finished lies in FOLDER/results and is not trained again. Prints Markdown; --table alone
trains nothing. Seeds are those of the training; the split is that of the run. Read README.md beside this file.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: a waiting thread must not spin (pytorch#80777)

import numpy as np
import torch
from contest import sets
from trials import loop, table
from trials.tricks import Trial

from instar import store
from instar.modality.modalities import MODALITIES
from instar.models import sources
from instar.pipeline.learning import rows_of
from instar.prepare.features import features
from instar.train.loop import TrainingData

COMMON = (
    Trial("base", "the plan's own training"),
    Trial("longer", "twice the epochs", epochs=2),
    Trial("everything", "all groups thawed", thaw=-1),
    Trial("no decay", "one rate for all depths", layer_decay=1.0),
    Trial("more decay", "arXiv 1801.06146: rates fall faster with depth", layer_decay=0.6),
    Trial("rate x3", "peak rate", rate=3.0),
    Trial("rate /3", "peak rate", rate=1 / 3),
    Trial("weights", "loss weighted by inverse class frequency", loss="weighted"),
    Trial("balanced", "sampling balanced by class", sampling="balanced"),
    Trial("adjusted", "logit adjustment, arXiv 2007.07314", loss="adjusted"),
    Trial("random head", "no solved head: arXiv 2202.10054 says why one is", plain_head=True),
)
PICTURES = (
    Trial("no smoothing", "arXiv 1512.00567", smoothing=0.0),
    Trial("smoothing 0.2", "arXiv 1512.00567", smoothing=0.2),
    Trial("mixup", "arXiv 1710.09412", mix="mixup"),
    Trial("cutmix", "arXiv 1905.04899", mix="cutmix"),
    Trial("plain views", "centre crop and flip alone", augment=("horizontal_flip",)),
    Trial("trivial", "TrivialAugment, arXiv 2103.10158",
          augment=("random_resized_crop", "horizontal_flip", "trivial_augment")),
    Trial("larger at the end", "arXiv 1906.06423", last_size=8 / 7),
    Trial("everything longer", "all groups thawed, twice the epochs", thaw=-1, epochs=2),
    Trial("all together", "all groups, twice the epochs, TrivialAugment", thaw=-1, epochs=2,
          augment=("random_resized_crop", "horizontal_flip", "trivial_augment")),
)  # fmt: skip
TEXTS = (
    Trial("smoothing", "arXiv 1512.00567", smoothing=0.1),
    Trial("distance", "squared earth mover's distance beside cross-entropy, arXiv 1611.05916", loss="distance"),
    Trial("fresh top", "re-initialised top group, arXiv 2006.05987", fresh_top=1),
    Trial("everything longer", "all groups thawed, twice the epochs", thaw=-1, epochs=2),
)  # fmt: skip


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", choices=sets.SETS)
    parser.add_argument("--out", type=Path, required=True, help="folder for the run, the results and the table")
    parser.add_argument("--trials", default="", help="by name, with commas (all for this kind of data)")
    parser.add_argument("--seeds", default="0,1,2", help="of the training (0,1,2)")
    parser.add_argument("--backbone", help="another than the bench's usual one")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--epochs", type=int, help="of the base; else as planned on this machine")
    parser.add_argument("--limit", type=int, help="at most so many examples a class")
    parser.add_argument("--metric", default="accuracy", help="the metric of the gains (accuracy)")
    parser.add_argument("--threads", type=int, help="of torch, where several benches share a machine")
    parser.add_argument("--table", action="store_true", help="train nothing")
    return parser.parse_args()


def main() -> None:
    """Train what is not finished, seed by seed, then print the table."""
    asked = arguments()
    out: Path = asked.out.absolute()
    os.environ["INSTAR_HOME"] = str(out / "home")
    run = sets.opened(asked.set, out, asked.limit, backbone=asked.backbone, weights=asked.weights)
    dataset, recipe = store.read_dataset(run), store.recipe_of(store.read_plan(run)[0])
    if asked.threads:
        recipe = recipe.__class__(**{**recipe.__dict__, "threads": asked.threads})
    stage = recipe.stages[-1]
    if asked.epochs:
        stage = stage.__class__(**{**stage.__dict__, "epochs": asked.epochs})
    feed, spec = MODALITIES[dataset.modality].feed(), store.read_card(run).spec
    cache = feed.prepare(dataset, recipe, spec)
    prepared = feed.open(cache, recipe, spec)
    train_rows, train_labels = rows_of(dataset, prepared.ids, "train")
    sealed = dict(store.read_sealed(run).iter_rows())
    rows = {"val": rows_of(dataset, prepared.ids, "val"), "test": rows_of(dataset, prepared.ids, "test", sealed)}
    data = TrainingData(prepared, train_rows, train_labels, *rows["val"], len(dataset.classes), cache)
    known = COMMON + (TEXTS if dataset.modality == "text" else PICTURES)
    trials = [t for t in known if not asked.trials or t.name in asked.trials.split(",")]
    for seed in map(int, asked.seeds.split(",")):
        for trial in [] if asked.table else trials:
            path = out / "results" / f"{trial.name.replace('/', 'by ')}-{seed}.npz"
            if path.exists():
                continue
            print(f"{trial.name}, seed {seed}", flush=True)
            started = time.monotonic()
            network = sources.load(
                recipe.backbone, Path(recipe.weights) if recipe.weights else None, classes=len(dataset.classes),
                dropout=recipe.dropout, seed=seed, input_size=recipe.input_size,
            )  # fmt: skip
            parts = [
                features(network, prepared, part, augment=(), seed=0, cache=cache, what="features", recipe=recipe)
                for part in (train_rows, data.val_rows)
            ]
            loop.solved_head(network, *parts, data, recipe)
            states = loop.trained(network, trial, stage, recipe, data, seed)
            seconds = time.monotonic() - started
            found = {
                f"{part}:{way}": logits
                for part, (of, _) in rows.items()
                for way, logits in loop.answers(
                    network, states, recipe, data, of, cache, every=trial.name == "base"
                ).items()
            }
            path.parent.mkdir(exist_ok=True)
            with store.replacing(path) as temporary, temporary.open("wb") as file:
                np.savez(file, seconds=np.float64(seconds), **found)  # type: ignore[arg-type]
    results = [table.kept(path) for path in sorted((out / "results").glob("*.npz"), key=lambda p: p.stat().st_mtime)]
    truth = {
        part: table.Truth(labels, np.array(dataset.part(part)["group"].to_list(), dtype=np.int64))  # type: ignore[arg-type]
        for part, (_, labels) in rows.items()
    }
    prior_C = np.bincount(train_labels, minlength=len(dataset.classes)) / len(train_labels)
    about = (
        f"{asked.set}: {len(train_rows):,} to train, {len(rows['val'][0]):,} and {len(rows['test'][0]):,} held out; "
        f"{store.read_card(run).title} at {recipe.input_size}, {stage.epochs} epochs, peak {stage.lr:.2g}, "
        f"{stage.thaw} groups thawed, torch {torch.__version__}."
    )
    made = table.table(results, truth, prior_C, asked.metric, ordered=dataset.ordered)
    store.write_text(out / "techniques.md", f"{about}\n\n{made}\n")
    print(f"{about}\n\n{made}")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
