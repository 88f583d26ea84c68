"""Networks of Hugging Face transformers, from a folder, an installed package, the hub's cache or the hub."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from transformers import AutoConfig, PretrainedConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING
from transformers.utils import logging as chatter

from instar.errors import UserError
from instar.models import hf_images, hf_texts, hub
from instar.models.body import Body, Source, seeded
from instar.models.hf_loading import Given, Made
from instar.models.titles import title
from instar.models.weights import read_state

CONFIG = "config.json"
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
SHARDS = "model-*.safetensors"
PATTERNS = ("*.json", "1_Pooling/*.json", "model.safetensors", SHARDS)
KEPT = (
    CONFIG,
    hf_texts.TOKENIZER,
    "tokenizer_config.json",
    hf_images.PREPROCESSOR,
    "sentence_bert_config.json",
    "1_Pooling/config.json",
)
"""All that architecture, preparation and tokenizer are made from."""


def load(name: str, weights: Path | None, seed: int, input_size: int | None) -> Body:
    """Open a folder or a hub name; the modality follows from its configuration.

    Only safetensors are read, and no code that comes with a model is run.

    Raises:
        UserError: nothing of that name here or on the hub, no safetensors in it, weights of another network.
    """
    folder = _folder(name, weights is not None)
    state = read_state(weights) if weights else None
    with seeded(seed):
        made = _made(folder, name, state, input_size)
    where = weights.name if weights else name.rstrip("/").rsplit("/", 1)[-1] if Path(name).is_dir() else name
    files = (weights,) if weights else _weights(folder)
    kept = {file: folder / file for file in KEPT if (folder / file).is_file()}
    return Body(made.module, made.modality, made.features, made.spec, title(name), where, made.missing, files, kept)


def unfilled(name: str, kept: Path, input_size: int, names: frozenset[str]) -> Body:
    """The same network from the kept files, not filled. `names` says which optional parts (a pooler) it had.

    Raises:
        UserError: a kept file is missing or broken.
    """
    made = _made(kept, name, frozenset(key.removeprefix("network.") for key in names), input_size)
    return Body(made.module, made.modality, made.features, made.spec, title(name), "random")


def _made(folder: Path, name: str, given: Given, input_size: int | None) -> Made:
    with quiet():
        config = _config(folder, name)
        kind = hf_images if _sees(config, folder) else hf_texts
        try:
            made: Made = kind.make(folder, config, given, input_size)
        except SafetensorError as error:
            raise UserError(f"the weights in {folder} are damaged ({error}): fetch them again") from None
        except OSError as error:
            raise UserError(f"cannot load hf:{name} from {folder}: {_first_line(error)}") from None
    return made


def reachable(name: str) -> str:
    """ "" where a folder, an installed package or the hub's cache has it whole."""
    folder = _local(name)
    if folder is None:
        return f"{name} is no folder here and not in the hub's cache"
    if not _has_weights(folder):
        return f"{folder} holds no {WEIGHTS[0]}"
    return ""


@contextmanager
def quiet() -> Iterator[None]:
    """No reports, bars and warnings of transformers during loading: instar says what was not found."""
    level, bars = chatter.get_verbosity(), chatter.is_progress_bar_enabled()
    chatter.set_verbosity_error()
    chatter.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        chatter.set_verbosity(level)
        if bars:
            chatter.enable_progress_bar()


def _folder(name: str, weights_given: bool) -> Path:
    """The folder with the model's files; fetched from the hub where it is not on this machine."""
    folder = _local(name)
    if folder is not None and (weights_given or _has_weights(folder)):
        return folder
    if Path(name).is_dir():
        raise UserError(
            f"the folder {name} holds no {WEIGHTS[0]}: save the model with save_pretrained, or give --weights"
        )
    if name.startswith(("/", ".")) or name.count("/") > 1:
        raise UserError(
            f"no folder {name}: hf: takes a folder with {CONFIG} and {WEIGHTS[0]}, or OWNER/NAME of the hub"
        )
    patterns = [p for p in PATTERNS if not (weights_given and p.endswith(".safetensors"))]
    folder = hub.fetch_folder(name, patterns)
    if not weights_given and not _has_weights(folder):
        raise UserError(
            f"hf:{name} has no safetensors on the hub: convert it, then give the folder instead of the name"
        )
    return folder


def _local(name: str) -> Path | None:
    if (Path(name) / CONFIG).is_file():
        return Path(name)
    if Path(name).is_dir():
        return Path(name)
    found = hub.packaged(name)
    if found is not None:
        return found
    cached = hub.cached_file(name, CONFIG) if name.count("/") <= 1 and not name.startswith(("/", ".")) else None
    return cached.parent if cached else None


def _has_weights(folder: Path) -> bool:
    return any((folder / file).is_file() for file in WEIGHTS)


def _weights(folder: Path) -> tuple[Path, ...]:
    whole = folder / WEIGHTS[0]
    return (whole,) if whole.is_file() else tuple(sorted(folder.glob(SHARDS)))


def _config(folder: Path, name: str) -> PretrainedConfig:
    try:
        config: PretrainedConfig = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"cannot read hf:{name}: {folder / CONFIG}: {_first_line(error)}") from None
    return config


def _sees(config: PretrainedConfig, folder: Path) -> bool:
    return type(config) in MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING or (folder / hf_images.PREPROCESSOR).is_file()


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def like(name: str) -> list[str]:
    """The name where it is a folder, an installed package, in the hub's cache, or written OWNER/NAME."""
    return [name] if _local(name) is not None or name.count("/") == 1 else []


SOURCE = Source(load, unfilled, reachable, like)
