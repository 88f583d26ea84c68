"""A small made-up run directory, complete from data to evaluation, without any training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image, ImageDraw

from instar import files, steps, store
from instar.audit.check import run_checks
from instar.audit.doubts import doubted
from instar.evaluate.evaluation import evaluate
from instar.modality.modalities import MODALITIES
from instar.records import (
    Basis,
    Card,
    Dataset,
    Decision,
    Epoch,
    Group,
    InputSpec,
    Measurements,
    Plan,
    Timing,
)
from reasons_fixture import make_reasons

SENTENCES = (
    "The queue was long and the fries were cold when they finally came to our table.",
    "Friendly people, a clean place and a coffee that was just as hot as it should be!",
    "I asked for no onions, twice, and got a burger that was nothing but onions; never again will I "
    "come here on a Friday evening, whatever my children say, because nobody listens and nobody cares.",
    "It is what you expect of a place beside the motorway: neither good nor bad.",
)
HOSTILE = (
    "<script>alert('x')</script><b>bold</b>",
    '=HYPERLINK("http://example.com","click")',
    "\x00\x01\x0bcontrol\x1f characters \ufffe and \ud7ff",
    "مرحبا بالعالم هذا نص طويل 👩‍👩‍👧 🎉",
    "{title} {0.__class__} %s ]]> --> <!--",
)


def make_run(
    folder: Path,
    modality: str = "image",
    classes: int | Sequence[str] = 5,
    *,
    per_class: int = 24,
    skill: float = 0.85,
    probe_skill: float = 0.6,
    pretrained: bool = True,
    twins: bool = True,
    ordered: bool = False,
    hostile: bool = False,
    seed: int = 0,
) -> Path:
    """Write a run: drawn pictures or made-up texts, real audit and evaluation, invented predictions."""
    rng = np.random.default_rng(seed)
    names = tuple(classes) if not isinstance(classes, int) else tuple(f"species {i + 1}" for i in range(classes))
    run = folder / "run"
    dataset, sealed = _dataset(run, modality, names, per_class, twins, ordered, hostile, rng)
    store.write_dataset(run, dataset, sealed)
    audit = run_checks(dataset, MODALITIES[modality].checks)
    store.write_audit(run, audit)
    recipe = _recipe(modality, pretrained, ordered)
    store.write_plan(run, Plan(recipe))
    store.write_record(run / steps.CARD, _card(modality, pretrained, len(names)))
    timings = (
        Timing("fp32", False, 2, 61.0, 24.0),
        Timing("fp32", True, 2, 83.0, 31.0),
        Timing("bf16", True, 2, 192.0, 53.0),
    )
    store.write_record(run / steps.MEASUREMENTS, Measurements(timings, "cpu", 2, 7.8))
    store.write_epochs(run, _epochs(pretrained, skill, probe_skill))
    known = pl.concat(
        [
            dataset.part("val").select("id", "split", "group", "label"),
            sealed.join(dataset.table.select("id", "split", "group"), on="id").select("id", "split", "group", "label"),
        ]
    )
    predictions = _predictions(known, names, skill, rng)
    files.write_frame(run / steps.PREDICTIONS, predictions)
    baselines = _baselines(known.filter(pl.col("split") == "test"), names, dataset, probe_skill, rng)
    files.write_frame(run / "5-eval/baselines.parquet", baselines)
    doubts = doubted(dataset, audit, MODALITIES[modality].doubts)
    asked: dict[str, Any] = {"ordered": ordered, "opened": 1, "seed": 0, "temperature": 0.8, "doubted": doubts}
    result = evaluate(predictions, baselines, names, **asked, table=dataset.table, audit=audit)
    store.write_evaluation(run, result)
    make_reasons(run, dataset, predictions, np.random.default_rng(seed))
    stamps = {
        name: {"seconds": 3.7 * (i + 1) ** 2, "memory_gb": 1.2, "reads": {}, "writes": {}}
        for i, name in enumerate(steps.STEPS)
        if name != "deck"
    }
    stamped = {"command": "instar run", "started": "2026-02-03T04:05:06+00:00", "steps": stamps}
    files.write_yaml(run / steps.MACHINE, stamped)
    _previews(run, dataset)
    return run


def _dataset(
    run: Path,
    modality: str,
    names: tuple[str, ...],
    per_class: int,
    twins: bool,
    ordered: bool,
    hostile: bool,
    rng: Any,
) -> tuple[Dataset, pl.DataFrame]:
    rows: list[dict[str, Any]] = []
    for c, name in enumerate(names):
        for i in range(per_class - (c % 3) * per_class // 5):
            split = "test" if i % 7 == 0 else "val" if i % 7 == 1 else "train"
            rows.append(
                {
                    "id": f"{c}/{i}.png",
                    "label": name,
                    "split": split,
                    "group": len(rows),
                    "error": None,
                    "c": c,
                    "i": i,
                }
            )
    if twins:
        for k in range(0, len(rows) - 8, 29):
            rows[k + 1] |= {"group": rows[k]["group"], "split": rows[k]["split"]}
    rows.append(
        {
            "id": "broken.png",
            "label": names[0],
            "split": "quarantined",
            "group": len(rows),
            "error": "zero bytes",
            "c": 0,
            "i": 0,
        }
    )
    root = run.parent / "data"
    for row in rows:
        row["input"] = row["id"] if modality == "image" else _text(row, hostile)
    if modality == "image":
        sizes = [(160, 120), (200, 200), (120, 180)]
        for row in rows:
            size = sizes[row["i"] % 3]
            _draw(root / row["id"], row["group"], row["c"], len(names), size)
            light = float(rng.uniform(0.3, 0.7))
            row |= {
                "measure.width": size[0],
                "measure.height": size[1],
                "measure.brightness": light,
                "measure.contrast": 0.2,
                "measure.grey": False,
                "measure.format": "PNG",
                "measure.mode": "RGB",
                "measure.bytes": 900,
                "measure.sha256": str(row["group"]),
            }
    else:
        for row in rows:
            words = row["input"].split()
            row |= {
                "measure.characters": len(row["input"]),
                "measure.words": len(words),
                "measure.replacement": int("\ufffd" in row["input"]),
                "measure.entities": 0,
                "measure.letters": sum(x.isalpha() for x in row["input"]),
            }
    frame = pl.DataFrame(rows, infer_schema_length=None, schema_overrides={"error": pl.String}).drop("c", "i")
    frame = frame.with_columns(twin="group")
    sealed = frame.filter(pl.col("split") == "test").select("id", "label")
    table = frame.with_columns(pl.when(pl.col("split") == "test").then(None).otherwise("label").alias("label"))
    used = frame.filter(pl.col("split").is_in(["train", "val", "test"]))
    counts = dict(used["label"].value_counts().iter_rows())
    opening = {
        "layout": "a folder per class" if modality == "image" else "one table",
        "table": "" if modality == "image" else "reviews.csv",
        "text_column": "" if modality == "image" else "review",
        "image_column": "",
        "label_column": "" if modality == "image" else "rating",
        "guessed": "",
        "encoding": "" if modality == "image" else "cp1252",
        "not_utf8": 0 if modality == "image" else 12,
        "headers_stripped": [],
        "rows": len(rows),
        "without_label": 0,
        "quarantined": 1,
        "missing_files": 0,
        "ignored_files": 2,
        "limit": None,
        "left_out_by_limit": 0,
        "seed": 0,
        "given_split": False,
        "shares": [0.7, 0.15, 0.15],
        "twin_groups": int(used["group"].is_duplicated().sum()) // 2,
        "rows_in_twins": int(used["group"].is_duplicated().sum()),
        "random_leak": 0.052 if twins else 0.0,
        "grouping": "near",
        "grouping_reason": "",
        "kept_in_train": 0,
        "order": "",
    }
    return Dataset(
        "butterflies" if modality == "image" else "reviews",
        modality,
        "made up",
        str(root),
        names,
        ordered,
        {c: counts[c] for c in names},
        opening,
        table,
    ), sealed


def _text(row: dict[str, Any], hostile: bool) -> str:
    if hostile and row["i"] % 2 == 0:
        return HOSTILE[row["c"] % len(HOSTILE)]
    base = SENTENCES[(row["group"] + row["c"]) % len(SENTENCES)]
    return f"{base} ({row['group']})"


def _draw(path: Path, group: int, c: int, classes: int, size: tuple[int, int]) -> None:
    """A wing in the colour of its class."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hue = int(255 * c / classes)
    picture = Image.new("HSV", size, (90, 40, 200 - group % 60))
    pen = ImageDraw.Draw(picture)
    w, h = size
    shift = group % 20
    for side in (0.08, 0.52):
        pen.ellipse((w * side, h * 0.15 + shift, w * (side + 0.4), h * 0.8), fill=(hue, 200, 180))
        pen.ellipse(
            (w * (side + 0.12), h * 0.35 + shift, w * (side + 0.26), h * 0.55 + shift),
            fill=((hue + 90) % 255, 220, 240),
        )
    pen.rectangle((w * 0.48, h * 0.15, w * 0.52, h * 0.85), fill=(20, 90, 60))
    picture.convert("RGB").save(path)


def _recipe(modality: str, pretrained: bool, ordered: bool) -> tuple[Decision, ...]:
    image = modality == "image"
    stages = [
        {"name": "head", "thaw": 0, "epochs": 1, "lr": 0.01, "layer_decay": 1.0},
        {"name": "top", "thaw": 3, "epochs": 4, "lr": 0.001, "layer_decay": 0.7},
    ]
    values: dict[str, tuple[Any, Basis, tuple[str, ...], str]] = {
        "backbone": (
            "timm:mobilenetv2_100" if image else "hf:all-MiniLM-L6-v2",
            "rule",
            (),
            "The first backbone of the list whose weights can be reached.",
        ),
        "weights": (None, "fixed", (), "No file was named."),
        "grouping": ("near", "rule", ("exact-twins",), "Copies stay in one split."),
        "exclude": ([], "fixed", (), "Every row is kept."),
        "clean": ([], "fixed", (), "Nothing to repair."),
        "input_size": (
            224 if image else 128,
            "rule",
            ("sizes",) if image else ("lengths",),
            "Half of the examples are smaller than what the backbone saw; larger inputs only cost time.",
        ),
        "fit": (
            "crop" if image else "head",
            "rule",
            ("sizes",) if image else ("lengths",),
            "Width to height lies close to one for most examples, so a crop loses little.",
        ),
        "augment": (
            ["random_resized_crop", "horizontal_flip"] if image else [],
            "rule",
            ("ordered-labels",),
            "Mirrored pictures keep their class; no class name speaks of left or right.",
        ),
        "metric": (
            "macro_f1",
            "rule",
            ("class-counts", "ordered-labels"),
            "The largest class is 1.67 times the smallest (more than 1.5); macro-F1 counts every class "
            "alike, accuracy would favour the large ones.",
        ),
        "decode": ("argmax", "fixed", (), "The most probable class is the answer."),
        "loss_weights": (
            "none",
            "rule",
            ("class-counts",),
            "Weights would cost calibration and gain little.",
        ),
        "label_smoothing": (0.0, "rule", ("class-counts",), "Few classes: plain labels keep calibration."),
        "dropout": (0.1, "fixed", (), "A common value."),
        "batch_size": (32, "measured", (), "The largest that does not slow this machine down."),
        "stages": (
            stages if pretrained else [{"name": "all", "thaw": -1, "epochs": 6, "lr": 0.002, "layer_decay": 1.0}],
            "measured",
            ("class-counts",),
            "First the new head alone, then the upper half of the trunk with it.",
        ),
        "weight_decay": (0.05, "fixed", (), "A common value."),
        "warmup": (0.1, "fixed", (), "A common value."),
        "clip_norm": (1.0, "fixed", (), "A common value."),
        "patience": (3, "fixed", (), "Our judgement."),
        "precision": ("bf16", "measured", (), "Twice as fast as fp32 here."),
        "channels_last": (True, "measured", (), "Faster here."),
        "threads": (2, "measured", (), "As many as cores."),
        "seed": (0, "fixed", (), "Any number does."),
    }
    return tuple(
        Decision(field, value, basis, because, reason, "our judgement")
        for field, (value, basis, because, reason) in values.items()
    )


def _card(modality: str, pretrained: bool, classes: int) -> Card:
    groups = (
        Group("stem", "stem", ("stem",), 1800),
        *(Group(f"blocks.{i}", "trunk", (f"blocks.{i}",), 9000 * 2**i) for i in range(7)),
        Group("neck", "neck", ("neck",), 410_000),
    )
    spec = (
        InputSpec(224, (0.5,) * 3, (0.5,) * 3, "bicubic", 0.875)
        if modality == "image"
        else InputSpec(512, tokenizer="weights/minilm")
    )
    title, name = (
        ("MobileNetV2 1.0", "timm:mobilenetv2_100") if modality == "image" else ("MiniLM-L6", "hf:all-MiniLM-L6-v2")
    )
    parameters = sum(g.parameters for g in groups) + 1280 * classes + classes
    if not pretrained:
        title, name = "Small convolutional network", "scratch:convnet"
    return Card(
        name,
        title,
        modality,
        spec,
        groups,
        1280,
        parameters,
        pretrained,
        "mobilenetv2_100.safetensors" if pretrained else "random",
    )


def _epochs(pretrained: bool, skill: float, probe: float) -> tuple[Epoch, ...]:
    if not pretrained:
        steps = [(1.6 * 0.75**i, 1.7 * 0.8**i, skill * (1 - 0.5 ** (i + 1))) for i in range(6)]
        return tuple(Epoch("all", i + 1, t, v, s, 0.001, 11.0, 400, True) for i, (t, v, s) in enumerate(steps))
    head = [
        Epoch("head", i + 1, 0.9 - 0.1 * i, 1.0 - 0.05 * i, probe - 0.02 + 0.01 * i, 10.0**-i, 2.0, 400, True)
        for i in range(3)
    ]
    top = [
        Epoch(
            "top",
            i + 1,
            0.6 * 0.7**i,
            0.8 * 0.85**i,
            probe + (skill - probe) * (1 - 0.4 ** (i + 1)),
            0.001,
            14.0,
            400,
            True,
        )
        for i in range(4)
    ]
    return (*head, *top)


def _predictions(known: pl.DataFrame, names: tuple[str, ...], skill: float, rng: Any) -> pl.DataFrame:
    place = {name: i for i, name in enumerate(names)}
    truth = np.array([place[label] for label in known["label"]])
    right = rng.random(len(truth)) < skill
    neighbour = (truth + np.where(rng.random(len(truth)) < 0.7, 1, 2)) % len(names)
    answer = np.where(right, truth, neighbour)
    top = np.clip(np.where(right, rng.beta(9, 1, len(truth)), rng.beta(5, 2, len(truth))), 1 / len(names) + 0.01, 0.999)
    p = np.repeat(((1 - top) / (len(names) - 1))[:, None], len(names), axis=1)
    p[np.arange(len(truth)), answer] = top
    return known.with_columns(
        pl.Series("predicted", [names[i] for i in answer]),
        pl.Series("confidence", top),
        *(pl.Series(f"p.{name}", p[:, i]) for i, name in enumerate(names)),
    )


def _baselines(test: pl.DataFrame, names: tuple[str, ...], dataset: Dataset, probe: float, rng: Any) -> pl.DataFrame:
    largest = max(dataset.counts, key=lambda c: dataset.counts[c])
    frames = []
    for subject, skill in (("majority", 0.0), ("probe", probe), ("cheap", probe * 0.6)):
        labels = test["label"].to_list()
        answers = [
            largest if subject == "majority" else label if rng.random() < skill else str(rng.choice(names))
            for label in labels
        ]
        frames.append(pl.DataFrame({"subject": subject, "id": test["id"], "label": labels, "predicted": answers}))
    return pl.concat(frames)


def _previews(run: Path, dataset: Dataset) -> None:
    rows = []
    for row in dataset.part("train").unique("label", keep="first", maintain_order=True).head(6).iter_rows(named=True):
        made: dict[str, Any] = {
            "id": row["id"],
            "label": row["label"],
            "before_path": "",
            "after_path": "",
            "augmented_path": "",
            "before_text": "",
            "after_text": "",
        }
        if dataset.modality == "image":
            before = Path(dataset.root) / row["id"]
            stem = row["id"].replace("/", "-").removesuffix(".png")
            (run / "figures/prepared").mkdir(parents=True, exist_ok=True)
            with Image.open(before) as picture:
                side = min(picture.size)
                left, top = (picture.width - side) // 2, (picture.height - side) // 2
                square = picture.crop((left, top, left + side, top + side)).resize((224, 224))
                square.save(run / f"figures/prepared/{stem}.png")
                strip = Image.new("RGB", (3 * 224, 224))
                for i in range(3):
                    part = square.crop((10 * i, 20 * i, 160 + 20 * i, 160 + 20 * i))
                    strip.paste(part.resize((224, 224)), (224 * i, 0))
                strip.save(run / f"figures/prepared/{stem}-varied.png")
            made |= {
                "before_path": str(before),
                "after_path": f"figures/prepared/{stem}.png",
                "augmented_path": f"figures/prepared/{stem}-varied.png",
            }
        else:
            made |= {
                "before_text": row["input"],
                "after_text": " ".join(["[CLS]", *row["input"].lower().split(), "[SEP]"]),
            }
        rows.append(made)
    files.write_frame(run / "figures/prepared.csv", pl.DataFrame(rows))
