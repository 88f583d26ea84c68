"""Networks without pre-training: where no weights can be had, and to compare pre-trained ones with."""

from collections.abc import Callable
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional

from instar.errors import UserError
from instar.models.body import Body, Source, seeded
from instar.records import InputSpec

CONVNET_SIZE = 112
BUCKETS = 2**16
WORDS = 1024


class Residual(nn.Module):
    """Two 3 × 3 convolutions beside a shortcut (He et al. 2016, arXiv 1512.03385), batch-normalised."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride, ceil_mode=True),
                nn.Conv2d(inputs, outputs, 1, bias=False),
                nn.BatchNorm2d(outputs),
            )
        nn.init.zeros_(self.norm2.weight)  # each block starts as its shortcut (Goyal et al. 2017, arXiv 1706.02677)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (B, inputs, H, W) -> (B, outputs, H / stride, W / stride)."""
        inner = functional.relu(self.norm1(self.conv1(maps)))
        return functional.relu(self.norm2(self.conv2(inner)) + self.shortcut(maps))


class ConvNet(nn.Module):
    """A small residual network for pictures of about 100 pixels: stem / 4, six blocks, mean over the map."""

    features = 256

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 24, 3, 2, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        )
        widths = [(24, 32, 1), (32, 32, 1), (32, 64, 2), (64, 64, 1), (64, 128, 2), (128, 128, 1)]
        self.blocks = nn.Sequential(*(Residual(*block) for block in widths))
        self.neck = nn.Sequential(
            nn.Conv2d(128, self.features, 1, bias=False), nn.BatchNorm2d(self.features), nn.ReLU()
        )

    def forward(self, pixels: Tensor) -> Tensor:
        """Features (B, 256) of normalised pixels (B, 3, H, W)."""
        maps: Tensor = self.neck(self.blocks(self.stem(pixels)))
        return maps.mean((2, 3))


class Mixer(nn.Module):
    """One residual layer on the vector of a text."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(features)
        self.up = nn.Linear(features, 2 * features)
        self.down = nn.Linear(2 * features, features)

    def forward(self, texts_BD: Tensor) -> Tensor:
        """(B, D) -> (B, D)."""
        inner: Tensor = self.down(functional.gelu(self.up(self.norm(texts_BD))))
        return texts_BD + inner


class Words(nn.Module):
    """Mean of the vectors of a text's words and pairs of words, then two small layers.

    The bag of hashed words and bigrams is fastText's (Joulin et al. 2016, arXiv 1607.01759). Words come
    hashed into 1 ... buckets - 1, 0 is padding; neighbours are hashed together here, not by the tokenizer.
    """

    def __init__(self, buckets: int, features: int) -> None:
        super().__init__()
        self.buckets = buckets
        self.words = nn.Embedding(buckets, features, padding_idx=0)
        self.pairs = nn.Embedding(buckets, features, padding_idx=0)
        for table in (self.words, self.pairs):
            nn.init.normal_(table.weight, std=0.1)
            nn.init.zeros_(table.weight[0].detach())
        self.layers = nn.ModuleList(Mixer(features) for _ in range(2))
        self.norm = nn.LayerNorm(features)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Features (B, D) of word ids and mask (B, L); the mean of a text without words is zero."""
        both_BP = attention_mask[:, 1:] * attention_mask[:, :-1]
        pairs_BP = (1 + (input_ids[:, :-1] * 1_000_003 + input_ids[:, 1:]) % (self.buckets - 1)) * both_BP
        words_BD = self.words(input_ids * attention_mask).sum(1) + self.pairs(pairs_BP).sum(1)
        texts_BD: Tensor = words_BD / (attention_mask.sum(1) + both_BP.sum(1)).clamp(min=1).unsqueeze(1)
        for layer in self.layers:
            texts_BD = layer(texts_BD)
        features_BD: Tensor = self.norm(texts_BD)
        return features_BD


def load(name: str, weights: Path | None, seed: int, input_size: int | None) -> Body:
    """Build a network at its random start, which the seed alone decides.

    Raises:
        UserError: unknown name, or a weights file, which a start from scratch does not take.
    """
    if weights is not None:
        raise UserError(f"scratch:{name} starts from random weights: leave out --weights {weights}, or name a backbone")
    library, _, network = name.partition("/")
    if network and library in LIBRARIES:
        return LIBRARIES[library](network, seed, input_size)
    if name not in OWN:
        names = ", ".join([*OWN, *(f"{library}/NAME" for library in LIBRARIES)])
        raise UserError(f"there is no scratch:{name}; there is {names}")
    with seeded(seed):
        return OWN[name]()


def unfilled(name: str, kept: Path, input_size: int, names: frozenset[str]) -> Body:
    """The same network, to be filled by somebody else."""
    return load(name, None, 0, input_size)


def reachable(name: str) -> str:
    """ "" for every network that there is: nothing has to be fetched."""
    library, _, network = name.partition("/")
    return "" if name in OWN or (network and library in LIBRARIES) else f"there is no scratch:{name}"


def _convnet() -> Body:
    # Mean and deviation of ImageNet: pictures of anything are near them; nothing was fitted to them here.
    spec = InputSpec(CONVNET_SIZE, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "bilinear", 1.0)
    return Body(ConvNet(), "image", ConvNet.features, spec, "small residual network", "random")


def _words() -> Body:
    spec = InputSpec(WORDS, tokenizer=f"hashed:{BUCKETS}")
    return Body(Words(BUCKETS, 64), "text", 64, spec, "bag of words and bigrams", "random")


def _timm(name: str, seed: int, input_size: int | None) -> Body:
    from instar.models import timm_source

    return timm_source.build(name, seed, input_size)


def _torchvision(name: str, seed: int, input_size: int | None) -> Body:
    from instar.models import torchvision_source

    return torchvision_source.build(name, seed, input_size)


OWN: dict[str, Callable[[], Body]] = {"convnet": _convnet, "words": _words}
LIBRARIES: dict[str, Callable[[str, int, int | None], Body]] = {"timm": _timm, "torchvision": _torchvision}


def like(name: str) -> list[str]:
    """The name where there is one; nobody means another."""
    return [name] if not reachable(name) else []


SOURCE = Source(load, unfilled, reachable, like)
