"""The default head against scikit-learn's logistic regression, on the same features."""

import warnings
from pathlib import Path

from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from tests.benchmarks.data_sets import photographs
from tests.benchmarks.rows import Row
from tests.benchmarks.stored import features_and_labels
from tlapp.training.config import TrainConfig
from tlapp.training.head import HeadData, train_head

SETS = ("clothing10", "grocery40", "signdigits")
STRENGTHS = (0.001, 0.01, 0.1, 1.0)  # scikit-learn's C; the best one counts


def measure(folder: Path) -> tuple[Row, ...]:
    """Held-out accuracy in percent. Best epoch and best C are both chosen on the held-out
    pictures, so they are compared with each other; the last epoch is chosen on nothing."""
    rows: list[Row] = []
    theirs, best, last = [], [], []
    for name in SETS:
        data = features_and_labels(photographs(name, folder))
        theirs.append(_logistic_regression(data))
        best_epoch, last_epoch = _our_head(data)
        best.append(best_epoch)
        last.append(last_epoch)
        rows.append(Row(f"{name}: logistic regression, best C", theirs[-1], "%"))
        rows.append(Row(f"{name}: our head, best epoch", best_epoch, "%"))
        rows.append(Row(f"{name}: our head, last epoch", last_epoch, "%"))
    below = (sum(theirs) - sum(best)) / len(SETS)
    rows.append(Row("mean: our best epoch below their best C", below, "points", goal="<= 1"))
    below = (sum(theirs) - sum(last)) / len(SETS)
    rows.append(Row("mean: our last epoch below their best C", below, "points"))
    return tuple(rows)


def _our_head(data: HeadData) -> tuple[float, float]:
    epochs = list(train_head(data, TrainConfig(), should_stop=lambda: False))
    accuracies = [100 * epoch.valid.accuracy for epoch in epochs if epoch.valid is not None]
    return max(accuracies), accuracies[-1]


def _logistic_regression(data: HeadData) -> float:
    scaler = StandardScaler().fit(data.train_ND.numpy())
    train, valid = scaler.transform(data.train_ND.numpy()), scaler.transform(data.valid_ND.numpy())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # as the reference figures were made
        scores = [
            LogisticRegression(C=strength, max_iter=500)
            .fit(train, data.train_labels_N.numpy())
            .score(valid, data.valid_labels_N.numpy())
            for strength in STRENGTHS
        ]
    return 100 * max(scores)
