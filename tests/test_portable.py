"""A run directory alone is enough to label new examples: the weights that it started from and the data may be gone."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from safetensors.torch import save_file
from timm import create_model
from tokenizers import Tokenizer, models, pre_tokenizers
from torchvision import models as torchvision_models

from instar import pipeline, steps, store
from instar.errors import UserError
from instar.evaluate.predict import load_best
from instar.models import sources
from instar.models.network import Network
from instar.models.weights import names_in
from instar.train.checkpoint import write_tensors

WORDS = {"bad": "cold rude slow", "fair": "plain usual square", "good": "warm kind fresh"}
TIMM = "mobilenetv3_small_050"


def reviews(path: Path) -> Path:
    chance = random.Random(0)
    rows = [f"{' '.join(chance.choices(w.split(), k=6))} {i},{k}" for k, w in WORDS.items() for i in range(14)]
    path.write_text("\n".join(["review,rating", *rows]))
    return path


def pictures(folder: Path) -> Path:
    noise = np.random.default_rng(0)
    for name, colour in {"red": (200, 40, 40), "green": (40, 160, 60), "blue": (50, 70, 200)}.items():
        (folder / name).mkdir(parents=True)
        for i in range(10):
            pixels = np.clip(np.array(colour) + noise.normal(0, 40, (40, 48, 3)), 0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{i}.png")
    return folder


def encoder(folder: Path) -> Path:
    """A tiny encoder of texts with a tokenizer and the files of sentence-transformers."""
    words = " ".join(WORDS.values()).split()
    names = ["[PAD]", "[UNK]", *words]
    tokenizer = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    config = transformers.BertConfig(
        vocab_size=1000, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8
    )
    torch.manual_seed(0)
    transformers.BertModel(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling/config.json").write_text('{"pooling_mode_mean_tokens": true}')
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 32}')
    return folder


def small_timm(path: Path) -> Path:
    torch.manual_seed(0)
    save_file(create_model(TIMM).state_dict(), path)
    return path


def trained(kind: str, folder: Path) -> Path:
    """A run up to the end of the training."""
    small = ("epochs=1", "batch_size=8", "threads=1")
    folder.mkdir()
    if kind == "timm":
        options = pipeline.Options(
            str(pictures(folder / "data")),
            backbone=f"timm:{TIMM}",
            weights=str(small_timm(folder / "w.safetensors")),
            settings=(*small, "input_size=32"),
        )
    else:
        backbone = "scratch:words" if kind == "scratch" else f"hf:{encoder(folder / 'encoder')}"
        options = pipeline.Options(str(reviews(folder / "data.csv")), backbone=backbone, settings=small)
    run = pipeline.start(options, folder / "run")
    pipeline.audit(run)
    pipeline.plan(run)
    pipeline.train(run)
    return run


@pytest.mark.parametrize("kind", ["scratch", "hf", "timm"])
def test_a_run_directory_can_be_moved(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = trained(kind, tmp_path / "here")
    new = tmp_path / "new"
    if kind == "timm":
        arguments = [str(pictures(new))]
    else:
        new.write_text("warm kind\n\ncold slow rude\n")
        arguments = [str(new)]
    before = pipeline.predict(run, arguments)
    assert str(tmp_path) not in (run / steps.CARD).read_text().replace(f"hf:{tmp_path}", "")

    moved = tmp_path / "there" / "run"
    shutil.copytree(run, moved)
    shutil.rmtree(tmp_path / "here")
    monkeypatch.setenv("INSTAR_HOME", str(tmp_path / "empty"))
    after = pipeline.predict(moved, arguments)
    assert after.drop("input").equals(before.drop("input"))
    assert after["label"].drop_nulls().len() > 0
    if kind == "timm":
        with pytest.raises(UserError, match=r"images of data are not in .*: put them there, or start a new run"):
            pipeline.evaluate(moved)
        assert "test_opened" not in store.read_machine(moved)
    else:
        assert pipeline.evaluate(moved).score("accuracy", "probe").n > 0


def small_vit(folder: Path) -> Path:
    config = transformers.ViTConfig(
        hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8, image_size=16, patch_size=8
    )
    return saved(folder, transformers.ViTForImageClassification(config))


def vit_body(folder: Path) -> Path:
    """A network of patches without a classifier, and without a pooler in its file."""
    config = transformers.ViTMSNConfig(
        hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8, image_size=16, patch_size=8
    )
    return saved(folder, transformers.ViTMSNModel(config))


def dino(folder: Path) -> Path:
    config = transformers.Data2VecVisionConfig(
        hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8, image_size=16, patch_size=8
    )
    return saved(folder, transformers.Data2VecVisionModel(config, add_pooling_layer=False))


def saved(folder: Path, model: transformers.PreTrainedModel) -> Path:
    model.save_pretrained(folder)
    spec = {"size": {"height": 16, "width": 16}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "resample": 2}
    (folder / "preprocessor_config.json").write_text(json.dumps(spec))
    return folder


def translator(folder: Path) -> Path:
    config = transformers.T5Config(vocab_size=50, d_model=8, d_kv=4, d_ff=8, num_layers=2, num_heads=2)
    transformers.T5Model(config).save_pretrained(folder)
    (folder / "tokenizer.json").write_text("{}")
    return folder


def shufflenet(path: Path) -> Path:
    save_file(torchvision_models.shufflenet_v2_x0_5().state_dict(), path)
    return path


PLACES: dict[str, Callable[[Path], tuple[str, Path | None]]] = {
    "vit": lambda at: (f"hf:{small_vit(at)}", None),
    "no classifier": lambda at: (f"hf:{vit_body(at)}", None),
    "no pooler": lambda at: (f"hf:{dino(at)}", None),
    "translator": lambda at: (f"hf:{translator(at)}", None),
    "torchvision": lambda at: ("torchvision:shufflenet_v2_x0_5", shufflenet(at)),
    "timm": lambda at: (f"timm:{TIMM}", small_timm(at)),
    "convnet": lambda at: ("scratch:convnet", None),
    "scratch timm": lambda at: (f"scratch:timm/{TIMM}", None),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_network_is_built_again_from_what_a_run_keeps(place: str, tmp_path: Path) -> None:
    backbone, weights = PLACES[place](tmp_path / "source.safetensors")
    network = sources.load(backbone, weights, classes=3, dropout=0.1, seed=5)
    run = tmp_path / "run"
    store.write_card(run, network.card, network.kept)
    write_tensors(run / store.BEST, network.model.state_dict(), {})
    size = network.card.spec.size
    shutil.rmtree(tmp_path / "source.safetensors", ignore_errors=True)
    (tmp_path / "source.safetensors").unlink(missing_ok=True)

    card, kept = store.read_card(run), run / "3-plan/backbone"
    empty = sources.unfilled(card, kept, names_in(run / store.BEST), classes=3, input_size=size)
    again = load_best(empty, run / store.BEST)
    torch.testing.assert_close(logits(again, size), logits(network, size), rtol=0, atol=0)


@torch.inference_mode()
def logits(network: Network, size: int) -> torch.Tensor:
    if network.card.modality == "image":
        batch = {"pixels": torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))}
    else:
        ids = torch.tensor([[2, 5, 6, 3], [2, 9, 3, 0]])
        batch = {"input_ids": ids, "attention_mask": (ids > 0).long()}
    found: torch.Tensor = network.model.eval()(batch)
    return found
