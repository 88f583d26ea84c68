"""Names of networks as a reader knows them."""

import re

SPELLINGS = {
    "all-minilm": "MiniLM",
    "albert": "ALBERT",
    "alexnet": "AlexNet",
    "beit": "BEiT",
    "bert": "BERT",
    "convnext": "ConvNeXt",
    "convnextv2": "ConvNeXt V2",
    "deberta": "DeBERTa",
    "deit": "DeiT",
    "deit3": "DeiT III",
    "densenet": "DenseNet-",
    "dinov2": "DINOv2",
    "distilbert": "DistilBERT",
    "efficientnet": "EfficientNet-",
    "efficientnet_v2": "EfficientNetV2-",
    "efficientnetv2": "EfficientNetV2-",
    "electra": "ELECTRA",
    "googlenet": "GoogLeNet",
    "inception_v": "Inception v",
    "maxvit": "MaxViT",
    "minilm": "MiniLM",
    "mnasnet": "MNASNet ",
    "mobilenet_v": "MobileNetV",
    "mobilenetv": "MobileNetV",
    "modernbert": "ModernBERT",
    "mpnet": "MPNet",
    "regnet": "RegNet",
    "resnet": "ResNet-",
    "resnetv2": "ResNet V2",
    "resnext": "ResNeXt-",
    "roberta": "RoBERTa",
    "shufflenet_v": "ShuffleNet V",
    "squeezenet": "SqueezeNet ",
    "swin": "Swin",
    "swinv2": "Swin V2",
    "vgg": "VGG-",
    "vit": "ViT",
    "wide_resnet": "Wide ResNet-",
}
"""How a family's name begins in the libraries -> how its paper spells it; the longest beginning counts."""


def title(name: str) -> str:
    """A readable form of a library's name for a network.

    mobilenetv2_100.ra_in1k -> MobileNetV2 1.0; vit_b_16 -> ViT B 16; owner/all-MiniLM-L6-v2 -> MiniLM-L6-v2.
    The folder or owner before the name and timm's tag of the training behind it are left out. A name of no
    known family is shown as it is.
    """
    short = name.rstrip("/").rsplit("/", 1)[-1].removeprefix("hf_").removeprefix("tf_")
    short = re.sub(r"\.[a-z]\w*$", "", short)
    known = [start for start in SPELLINGS if short.lower().startswith(start)]
    if not known:
        return short
    start = max(known, key=len)
    return SPELLINGS[start] + _rest(SPELLINGS[start], short[len(start) :])


def _rest(family: str, rest: str) -> str:
    """What stands behind the family: versions as they are, width multipliers as decimals, sizes large."""
    if family.startswith(("MNASNet", "RegNet", "ShuffleNet", "SqueezeNet")):
        rest = re.sub(r"(\d)_(\d)", r"\1.\2", rest)
    words = [word for word in rest.split("_") if word]
    if family.startswith("MobileNet"):
        if len(words) > 2 and "." in words[1]:
            words = words[:2]  # the third is the size of the pictures
        words = [f"{int(word) / 100:.2g}" if re.fullmatch(r"\d{3}", word) else word for word in words]
        words = [f"{word}.0" if i and word == "1" else word for i, word in enumerate(words)]
    words = [word.upper() if re.fullmatch(r"[a-z]\d?", word) else word for word in words]
    glued = family.endswith(("-", " ", "V", "v")) or rest[:1] in ("-", "")
    return ("" if glued else " ") + " ".join(words)
