"""Hugging Face's Trainer on the same network, for pictures and for texts."""

import tempfile
from typing import Any

import numpy as np
import torch
from scipy.special import softmax
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import EvalPrediction

from contest.examples import Labelled, Padded, Pictures, Texts
from contest.task import Clock, Floats, Task, accuracy


def train(task: Task, clock: Clock) -> Floats:
    """As many epochs as the plain loop has, all layers from the start; else the Trainer's own ways: AdamW without
    decay, a rate that falls in a straight line, texts in random order, each batch padded to its longest."""
    torch.manual_seed(task.seed)
    pictures = task.card.modality == "image"

    class Curve(TrainerCallback):
        def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any) -> None:
            clock.point(f"epoch {round(state.epoch)}", metrics["eval_accuracy"])

    def examples(part: Any, augment: bool) -> Any:
        return Pictures(part, task, augment=augment) if pictures else Texts(part, task)

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            num_train_epochs=task.epochs + pictures,
            per_device_train_batch_size=task.recipe.batch_size,
            per_device_eval_batch_size=2 * task.recipe.batch_size,
            learning_rate=task.rate,
            bf16=task.bf16,
            eval_strategy="epoch",
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
            remove_unused_columns=False,
            label_names=["labels"],
            dataloader_pin_memory=torch.accelerator.is_available(),
            dataloader_num_workers=task.options.workers if pictures else 0,
            seed=task.seed,
        )
        trainer = Trainer(
            model=Labelled(task.network().model),
            args=arguments,
            train_dataset=examples(task.train, True),
            eval_dataset=examples(task.val, False),
            data_collator=None if pictures else Padded(task),
            compute_metrics=_accuracy,
            callbacks=[Curve()],
        )
        trainer.train()
        clock.stop()
        logits_NC = np.asarray(trainer.predict(examples(task.test, False)).predictions, dtype=np.float64)
    probabilities: Floats = softmax(logits_NC, axis=1)
    return probabilities


def _accuracy(found: EvalPrediction) -> dict[str, float]:
    return {"accuracy": accuracy(found.predictions, found.label_ids)}  # type: ignore[arg-type]
