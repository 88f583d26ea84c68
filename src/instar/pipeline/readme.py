"""README.md of a run directory: what was done, how good it is, and what lies where."""

from pathlib import Path

from instar import store

CONTENTS = """\
| where | what |
|---|---|
| `deck.pptx`, `deck.html`, `deck.pdf` | the presentation |
| `deck.yaml` | its slides, to reorder, drop, retitle and add to; then `instar deck` on this directory |
| `report.md` | the same as a text |
| `MODEL_CARD.md`, `DATA_CARD.md` | cards in the form of the Hugging Face hub |
| `1-data/` | the examples with their splits; the labels of the test split lie apart in `sealed.parquet` |
| `2-audit/` | what was found in the data, a table per finding |
| `3-plan/plan.md` | every decision with its reason |
| `3-plan/plan.yaml` | the same to edit: change a value under `recipe`, then `instar run` on this directory |
| `4-train/` | `epochs.csv`, the best weights, their temperature, and `last/` to go on after an interruption |
| `5-eval/` | predictions, scores with intervals, errors; in `reasons/` what speaks for some answers |
| `figures/` | every chart as SVG, PNG and CSV |
| `machine.yaml` | command, options, versions, seconds and memory of each step |
"""

METHODS = {"wilson": "Wilson", "groups": "Wilson, groups", "bootstrap": "bootstrap", "definition": "definition"}
HOW = """\
How the intervals were found, with a group of copies as one witness throughout. Wilson: the score interval at the
effective number of examples, that of an independent sample with the variance found over groups; where the groups do
not differ (all right, all wrong, or alike in each), at the number of groups. Bootstrap: bias-corrected
and accelerated, over groups. Definition: what is always answered alike has this value whatever the examples.
"""


def readme(run: Path) -> str:
    """The page, from the records of a finished run."""
    dataset, evaluation, card = store.read_dataset(run), store.read_evaluation(run), store.read_card(run)
    steps = store.read_machine(run)["steps"]
    rows = [
        f"| {s.subject} | {s.metric} | {s.value:.3f} | {s.low:.3f} to {s.high:.3f} | {METHODS[s.method]} | {s.n} |"
        for s in evaluation.scores
    ]
    seconds = ", ".join(f"{name} {stamp['seconds']:.0f} s" for name, stamp in steps.items())
    return "\n".join(
        [
            f"# {dataset.name}: {card.title}",
            "",
            f"{len(dataset.classes)} classes, weights: {card.weights}. Time: {seconds}.",
            "",
            "| whose | metric | value | 95 % interval | by | n |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            HOW,
            CONTENTS,
        ]
    )
