"""The records that instar passes from step to step and writes to disk, in that order.

Read this file first: it is the table of contents of the tool. Records are frozen; functions take records and
return records; only `store` and the steps that say so touch the disk.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

import polars as pl

Json = Any
"""A value that YAML and JSON can hold: None, bool, int, float, str, list or dict of these."""

STRICT: dict[str, Any] = {"extra": "forbid", "arbitrary_types_allowed": True}
"""How pydantic reads the records at the disk border: an unknown key is an error that names the key."""

Split = Literal["train", "val", "test", "unlabelled", "quarantined"]
Verdict = Literal["issue", "note", "passed", "not applicable", "skipped"]
Basis = Literal["fixed", "rule", "measured", "asked"]


@dataclass(frozen=True)
class Dataset:
    """Labelled examples of one modality, measured, grouped and split.

    `table` has one row per example found, none dropped:
      id     str, unique: the path below `root` for a picture, "row 17" for the 17th line of data of a table
      input  str: the path below `root`, or the text itself, unchanged
      label  str or null: null where there is no label and *for every test row* (these labels are sealed, see `store`)
      split  one of `Split`; "quarantined" rows cannot be read (column `error` says why) and take no part in anything
      group  int: examples of one group (twins) never stand in two splits
      error  str or null
      measure.*  columns that the modality measured (width, words, brightness ...)
      extra.*    the other columns of the table that the set came in, unchanged
    """

    name: str
    modality: str
    source: str
    root: str
    classes: tuple[str, ...]
    ordered: bool
    counts: Mapping[str, int]
    """Examples per class over train, val and test together: the one thing known of the sealed labels."""
    opening: Mapping[str, Json]
    """What opening guessed, repaired or set aside, with its figures (see `data.opening` for the keys)."""
    table: pl.DataFrame = field(compare=False)

    def part(self, *splits: Split) -> pl.DataFrame:
        """The rows of the named splits, in the order of the table."""
        return self.table.filter(pl.col("split").is_in(splits))


@dataclass(frozen=True)
class Finding:
    """What one check of the audit found. `evidence` holds every figure that `sentence` names."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    code: str
    verdict: Verdict
    sentence: str
    evidence: Mapping[str, Json] = field(default_factory=dict)
    rows: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """The table behind the sentence (findings/<code>.csv); with an `id` column where it is about examples."""


@dataclass(frozen=True)
class Audit:
    """All findings of one data set, in the order in which the checks ran."""

    findings: tuple[Finding, ...]

    def __getitem__(self, code: str) -> Finding:
        return next(f for f in self.findings if f.code == code)

    def get(self, code: str) -> Finding | None:
        """The finding with this code, or None where that check does not belong to this modality."""
        return next((f for f in self.findings if f.code == code), None)


@dataclass(frozen=True)
class Decision:
    """One value of the recipe and why it is so."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    field: str
    """Name of a field of `Recipe`."""
    value: Json
    basis: Basis
    """fixed: the same for every set; rule: follows from findings; measured: from a measurement on this machine
    or data; asked: the user wanted it."""
    because: tuple[str, ...]
    """Codes of the findings that it rests on."""
    reason: str
    source: str
    """Paper, documentation, measurement or "our judgement"."""


@dataclass(frozen=True)
class InputSpec:
    """What a network wants to be fed, read from its own configuration."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    size: int
    """Images: pixels a side. Texts: the most tokens that the network takes."""
    mean: tuple[float, ...] = ()
    """Images: mean per channel (R, G, B) of the normalisation, in units of 0 to 1."""
    std: tuple[float, ...] = ()
    interpolation: str = ""
    """Images: bilinear or bicubic."""
    crop_share: float = 1.0
    """Images: side of the centre crop as a share of the resized shorter side (0.875: resize to 256, crop 224)."""
    tokenizer: str = ""
    """Texts: folder with tokenizer.json, or "hashed:BUCKETS" for hashed words."""


@dataclass(frozen=True)
class Group:
    """A depth group: part of a network between input and head that is frozen and thawed as one."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    name: str
    """stem, the name of a trunk member (blocks.3), or neck."""
    role: Literal["stem", "trunk", "neck"]
    modules: tuple[str, ...]
    """Names of modules or parameters below `Classifier.body`, as prefixes."""
    parameters: int


@dataclass(frozen=True)
class Card:
    """What is known of a backbone without running it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    backbone: str
    title: str
    """Name to show a reader: MobileNetV2 1.0, MiniLM-L6 ..."""
    modality: str
    spec: InputSpec
    groups: tuple[Group, ...]
    """From the input to the head; the head itself is not among them."""
    features: int
    """Width of the features that the head gets."""
    parameters: int
    """Of the body and the head together."""
    pretrained: bool
    weights: str
    """Where the weights came from, to show a reader (file name, hub name); "random" where not pre-trained."""


@dataclass(frozen=True)
class Timing:
    """Speed of one way to run the network on this machine, in examples a second."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    precision: str
    channels_last: bool
    threads: int
    forward: float
    """Inference of the whole network."""
    training: float
    """Forward, backward and step with the upper half of the trunk thawed."""


@dataclass(frozen=True)
class Measurements:
    """What was measured before the plan was made."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    timings: tuple[Timing, ...]
    device: str
    """cpu, cuda, mps"""
    cores: int
    memory_gb: float


@dataclass(frozen=True)
class Stage:
    """One stage of the training: how much of the trunk is thawed, for how long, at which rates."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    name: str
    thaw: int
    """Depth groups of the trunk that learn, counted from the head down: 0 is the head alone, -1 everything."""
    epochs: int
    lr: float
    """Peak learning rate of the head and of all that stands after the trunk."""
    layer_decay: float
    """Factor on the rate per depth group going down from the head."""


@dataclass(frozen=True)
class Recipe:
    """The typed form of a plan: every field is the value of exactly one live decision."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    backbone: str
    """SOURCE:NAME, SOURCE one of timm, torchvision, hf, scratch."""
    weights: str | None
    """A safetensors file to load instead of asking the hub."""
    input_size: int
    """Images: pixels a side. Texts: tokens."""
    fit: str
    """How an example is brought to `input_size`; images: crop, pad or squash; texts: head or ends."""
    augment: tuple[str, ...]
    """Augmentations of the training examples, by the names that the modality knows."""
    metric: str
    """Validation metric that chooses the checkpoint."""
    loss_weights: str
    """none, or balanced (inverse class frequency)."""
    label_smoothing: float
    dropout: float
    """Dropout before the head."""
    batch_size: int
    stages: tuple[Stage, ...]
    weight_decay: float
    warmup: float
    """Share of a stage's steps in which the rate rises to its peak; then it falls along a cosine."""
    clip_norm: float
    patience: int
    """Epochs without a better validation score after which a stage ends."""
    precision: str
    """fp32 or bf16."""
    channels_last: bool
    threads: int
    seed: int


@dataclass(frozen=True)
class Plan:
    """Decisions, append-only: the last one per field holds."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    decisions: tuple[Decision, ...]

    def live(self) -> dict[str, Decision]:
        """The decision in force for each field, in the order of the fields of `Recipe`."""
        last = {d.field: d for d in self.decisions}
        return {f.name: last[f.name] for f in fields(Recipe) if f.name in last}


@dataclass(frozen=True)
class Epoch:
    """One pass over the training examples (or one solve of the head), as a row of 4-train/epochs.csv."""

    stage: str
    epoch: int
    """From 1 within the stage."""
    train_loss: float
    val_loss: float
    val_score: float
    """The plan's metric on the validation split."""
    lr: float
    """Rate of the head at the end of the epoch; for a solved head the strength of the regularisation, 1/C."""
    seconds: float
    examples: int
    best: bool
    """Whether this was the best validation score so far, over all stages."""


@dataclass(frozen=True)
class Score:
    """A figure with its 95 % interval and the number of examples that it rests on."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    subject: str
    """Whose predictions: tuned, probe, cheap or majority."""
    metric: str
    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Evaluation:
    """How good the model is on the test split, and against what."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    scores: tuple[Score, ...]
    groups: int
    """Twin groups among the test rows: what the bootstrap draws."""
    opened: int
    """How many times the test split has been opened for this run."""
    majority: str
    """The class that the majority baseline always answers."""
    per_class: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """label, n, precision, recall, f1, recall_low, recall_high, most_confused_with, confused_n"""
    confusion: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """label, predicted, n (pairs that occur)"""
    reliability: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """confidence (mean of the bin), accuracy, low, high, n"""
    errors: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """id, label, predicted, confidence: the mistakes, most confident first"""

    def score(self, metric: str, subject: str = "tuned") -> Score:
        """The score of a subject, by metric."""
        return next(s for s in self.scores if s.metric == metric and s.subject == subject)


@dataclass(frozen=True)
class Points:
    """At most three short sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Figure:
    """A chart or drawing of figures/: `stem` names the .svg, .png and .csv there."""

    stem: str
    alt: str


@dataclass(frozen=True)
class Picture:
    """A picture with its caption; `path` is absolute or below the run directory."""

    path: str
    caption: str
    alt: str
    tone: Literal["plain", "good", "bad"] = "plain"


@dataclass(frozen=True)
class Gallery:
    """Pictures side by side, never stretched."""

    pictures: tuple[Picture, ...]
    columns: int


@dataclass(frozen=True)
class Quote:
    """A text example with its caption (label, prediction)."""

    text: str
    caption: str
    tone: Literal["plain", "good", "bad"] = "plain"


@dataclass(frozen=True)
class Quotes:
    """Text examples."""

    items: tuple[Quote, ...]


@dataclass(frozen=True)
class TableBlock:
    """A small table; the first row is the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...] = ()
    """Relative widths of the columns; empty: equal."""


@dataclass(frozen=True)
class Headline:
    """One large figure with what it is, and smaller ones beside it: (figure, caption)."""

    large: tuple[str, str]
    small: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Chain:
    """Cards in columns, each row numbered and read from left to right; equal neighbours in a column are one card."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Points | Figure | Gallery | Quotes | TableBlock | Headline | Chain


@dataclass(frozen=True)
class Slide:
    """One message: a claim as title, what proves it, and where it comes from."""

    key: str
    part: str
    title: str
    blocks: tuple[Block, ...]
    notes: str
    """Definitions, n, intervals: what the speaker may need."""
    sources: tuple[str, ...]
    """Files of the run directory that the figures come from."""
