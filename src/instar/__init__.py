"""instar fine-tunes pre-trained PyTorch models on labelled images or texts and shows its reasons.

    from pathlib import Path
    import instar

    folder = instar.run(instar.Options("reviews.csv", text="review", label="rating"), Path("runs/reviews"))
    answers = instar.predict(folder, ["new.txt"])

The single steps are functions of `instar.pipeline`: start, audit, plan, prepare, train, evaluate, deck.
"""

import importlib
import os
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # must precede torch: pytorch/pytorch#80777
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from instar import compat

compat.install()

__version__ = "0.1.0"
FROM_PIPELINE = ("Options", "run", "predict")


def __getattr__(name: str) -> Any:
    """What the pipeline offers, loaded when first asked for: `import instar` stays quick."""
    if name in (*FROM_PIPELINE, "pipeline"):
        pipeline = importlib.import_module("instar.pipeline")
        return pipeline if name == "pipeline" else getattr(pipeline, name)
    raise AttributeError(f"module 'instar' has no attribute {name!r}")
