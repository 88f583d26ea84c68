"""The headers of the cards, for machines: https://github.com/huggingface/hub-docs, modelcard.md and datasetcard.md."""

import re
from typing import Any

from instar.data.licences import identifier, size
from instar.deck.facts import Facts
from instar.deck.text import clean
from instar.deck.words import LEVEL, Words
from instar.models.catalogue import recommended
from instar.records import Score

UNKNOWN = "unknown"


def model_header(facts: Facts, words: Words) -> dict[str, Any]:
    """Of MODEL_CARD.md: task, data, and the scores of the network with their intervals."""
    task = f"{facts.dataset.modality}-classification"
    tuned = [s for s in facts.evaluation.scores if s.subject == "tuned"]
    source, _, name = facts.card.backbone.partition(":")
    return {
        "license": backbone_licence(facts),
        "pipeline_tag": task,
        "tags": ["instar", task, *(["fine-tuned"] if facts.card.pretrained else [])],
        **({"base_model": name} if source == "hf" and re.fullmatch(r"[\w.-]+/[\w.-]+", name) else {}),
        "datasets": [_slug(facts.dataset.name)],
        "metrics": [s.metric for s in tuned],
        "model-index": [
            {
                "name": clean(facts.run),
                "results": [
                    {
                        "task": {"type": task},
                        "dataset": {
                            "name": clean(facts.dataset.name),
                            "type": _slug(facts.dataset.name),
                            "split": "test",
                        },
                        "metrics": [_metric(s, words) for s in tuned],
                    }
                ],
            }
        ],
    }


def _metric(score: Score, words: Words) -> dict[str, Any]:
    """A score with its interval, which the form has no own keys for."""
    level = {"level": LEVEL, "low": round(score.low, 4), "high": round(score.high, 4), "n": score.n}
    return {"type": score.metric, "value": round(score.value, 4), "name": words.metric(score.metric), "args": level}


def data_header(facts: Facts) -> dict[str, Any]:
    """Of DATA_CARD.md: name, licence, task and size."""
    n = facts.labelled.height
    licence = str(facts.machine.get("source", {}).get("licence") or UNKNOWN)
    known = identifier(licence)
    return {
        "pretty_name": clean(facts.dataset.name),
        "license": known,
        **({"license_name": _slug(licence), "license_details": clean(licence)} if known == "other" else {}),
        "task_categories": [f"{facts.dataset.modality}-classification"],
        "size_categories": [size(n)],
        "tags": ["instar"],
    }


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:40].strip("-") or "data"


def backbone_licence(facts: Facts) -> str:
    """The licence of the weights that the network started from, where the catalogue states it."""
    found = [e.licence for e in recommended(facts.dataset.modality) if e.backbone == facts.card.backbone and e.licence]
    return found[0] if found else UNKNOWN
