"""Grows scikit-learn's trees and forests; writes diabetes.f32 and scikit-learn.json.

Run in this folder: python3 make.py
"""
import json
import math

import numpy as np
import sklearn
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import log_loss
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

SEEDS = range(20)
# scikit-learn's trees see 32-bit floats: rounded here, both sides see the same numbers.
diabetes = load_diabetes()
table = np.column_stack([diabetes.data, diabetes.target]).astype("<f4")
np.random.default_rng(0).shuffle(table)
table.tofile("diabetes.f32")
X, Y = table[:, :10].astype(float), table[:, 10].astype(float)
iris = load_iris()
IRIS = iris.data.astype("f4").astype(float)


def friedman(rows):
    """Friedman's first function on a Kronecker sequence, with triangular noise from two further columns."""
    roots = [math.sqrt(p) for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)]
    u = np.array([[(row * root) % 1 for root in roots] for row in range(1, rows + 1)])
    x = u[:, :10]
    noise = 3 * (u[:, 10] + u[:, 11] - 1)
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4] + noise
    return x, y


def tree(name, model, data, x, y):
    model.set_params(random_state=0).fit(x, y)
    t = model.tree_
    leaves = t.feature < 0
    return {
        "name": name,
        "data": data,
        "options": {
            "max_depth": model.max_depth,
            "min_samples_split": model.min_samples_split,
            "min_samples_leaf": model.min_samples_leaf,
        },
        "features": t.feature.tolist(),
        "thresholds": t.threshold[~leaves].tolist(),
        "leaves": t.value[leaves].reshape(-1).tolist(),
        "importances": model.feature_importances_.tolist(),
    }


def scores(name, x, y, train, max_features):
    values = [
        RandomForestRegressor(100, max_features=max_features, random_state=seed, oob_score=True).fit(x[:train], y[:train])
        for seed in SEEDS
    ]
    r2 = [model.score(x[train:], y[train:]) for model in values]
    return {
        "name": name,
        "train": train,
        "max_features": max_features if max_features < 1 else None,
        "r2": float(np.mean(r2)),
        "r2_sd": float(np.std(r2)),
        "oob": float(np.mean([model.oob_score_ for model in values])),
        "importances": np.mean([model.feature_importances_ for model in values], axis=0).tolist(),
    }


def class_scores(x, y, train):
    values = [
        RandomForestClassifier(100, random_state=seed, oob_score=True).fit(x[:train], y[:train]) for seed in SEEDS
    ]
    return {
        "train": train,
        "accuracy": float(np.mean([model.score(x[train:], y[train:]) for model in values])),
        "log_loss": float(np.mean([log_loss(y[train:], model.predict_proba(x[train:])) for model in values])),
        "oob": float(np.mean([model.oob_score_ for model in values])),
        "importances": np.mean([model.feature_importances_ for model in values], axis=0).tolist(),
    }


fx, fy = friedman(1000)
with open("scikit-learn.json", "w") as out:
    json.dump(
        {
            "version": sklearn.__version__,
            "trees": [
                tree("diabetes, few levels", DecisionTreeRegressor(max_depth=4, min_samples_leaf=5), "diabetes", X, Y),
                tree("diabetes, large leaves", DecisionTreeRegressor(min_samples_leaf=20), "diabetes", X, Y),
                tree("one feature", DecisionTreeRegressor(min_samples_split=4), "bmi", X[:, 2:3], Y),
                tree("iris, petals", DecisionTreeClassifier(max_depth=2), "petals", IRIS[:, 2:3], iris.target),
            ],
            "petals": {"x": IRIS[:, 2].tolist(), "y": iris.target.tolist()},
            "forests": [
                scores("diabetes", X, Y, 353, 1.0),
                scores("diabetes", X, Y, 353, 1 / 3),
                scores("friedman", fx, fy, 500, 1.0),
                scores("friedman", fx, fy, 500, 1 / 3),
            ],
            "classes": class_scores(fx, np.digitize(fy, [11, 17]), 500),
        },
        out,
    )
