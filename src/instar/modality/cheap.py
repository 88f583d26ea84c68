"""Baselines without a network."""

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from instar.records import Dataset

Columns = Callable[[pl.DataFrame], "NDArray[np.float64] | csr_matrix"]


def logistic(dataset: Dataset, columns: Columns) -> NDArray[np.float64]:
    """Multinomial logistic regression fitted on the training rows.

    Args:
        dataset: its test labels are not looked at.
        columns: rows -> (rows, columns); called for the training rows first, then for the test rows.

    Returns:
        Probabilities (test rows, classes); a class without a training row gets 0.
    """
    train, test = dataset.part("train"), dataset.part("test")
    model = LogisticRegression(max_iter=300).fit(columns(train), train["label"].to_list())
    seen = model.predict_proba(columns(test))
    probabilities = np.zeros((test.height, len(dataset.classes)))
    probabilities[:, [dataset.classes.index(c) for c in model.classes_]] = seen
    return probabilities
