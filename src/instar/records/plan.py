"""The network, what was measured, and the decisions that make the recipe."""

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

from instar.records.data import STRICT, Json

Basis = Literal["fixed", "rule", "measured", "asked"]


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
    weights_sha256: str = ""
    """SHA-256 of their file (of several files: of their digests); "" where not pre-trained."""
    assumed: str = ""
    """What its source does not tell of it and is taken as usual, in a sentence; "" where it tells everything."""


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
    extent: int = 0
    """How large the timed examples were: pixels a side, or tokens of a text as padded in a usual batch."""


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
    views: int = field(default=0, repr=False)
    """0: the frozen part runs in every step, on freshly augmented examples. V: its activations of V augmented views of
    every training example are computed once and kept, and epoch e learns from view e modulo V (`train.tail`)."""


@dataclass(frozen=True)
class Recipe:
    """The typed form of a plan: every field is the value of exactly one live decision."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    backbone: str
    """SOURCE:NAME, SOURCE one of timm, torchvision, hf, scratch, hub."""
    weights: str | None
    """A safetensors file to load instead of asking the hub."""
    grouping: str
    """What never straddles a split: exact (twins alone) or near (near copies too). Settled when the data are opened."""
    exclude: tuple[str, ...]
    """Codes of findings whose rows are left out of training; validation and test keep every row."""
    clean: tuple[str, ...]
    """Repairs of each text before it is tokenised, by the names that the modality knows: mojibake, entities,
    whitespace."""
    input_size: int
    """Images: pixels a side. Texts: tokens."""
    fit: str
    """How an example is brought to `input_size`; images: crop, pad or squash; texts: head or ends."""
    augment: tuple[str, ...]
    """Augmentations of the training examples, by the names that the modality knows."""
    metric: str
    """Validation metric that chooses the checkpoint."""
    decode: str
    """How probabilities become a label: argmax (the most probable), or median (of ordered classes)."""
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
    test_augment: tuple[str, ...] = field(default=(), repr=False)
    """Changes of an example that is answered: its probabilities are the mean over the example as it is and each change
    of it. horizontal_flip, or nothing; the training does not depend on it."""


@dataclass(frozen=True)
class Plan:
    """Decisions, append-only: the last one per field holds."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    decisions: tuple[Decision, ...]

    def live(self) -> dict[str, Decision]:
        """The decision in force for each field, in the order of the fields of `Recipe`."""
        last = {d.field: d for d in self.decisions}
        return {f.name: last[f.name] for f in fields(Recipe) if f.name in last}
