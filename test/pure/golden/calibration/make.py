"""Scores of predictions by SciPy, scikit-learn and PyTorch; writes peers.json.

Run in this folder: /usr/bin/python3 make.py
"""
import json

import numpy as np
import scipy
import sklearn
import torch
from scipy import integrate, optimize, stats
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss

rng = np.random.default_rng(20)


def crps(mean, std, y):
    """The definition: integral of (F − [x ≥ y])²."""
    below = integrate.quad(lambda x: stats.norm.cdf(x, mean, std) ** 2, mean - 40 * std, y, epsabs=1e-13, limit=500)
    above = integrate.quad(lambda x: stats.norm.sf(x, mean, std) ** 2, y, mean + 40 * std, epsabs=1e-13, limit=500)
    return below[0] + above[0]


def gaussian(n):
    mean, std = rng.normal(size=n).round(3), rng.uniform(0.2, 2, n).round(3)
    y = (mean + 1.5 * std * rng.normal(size=n)).round(3)
    nll = lambda scale: torch.nn.GaussianNLLLoss(full=True)(
        torch.tensor(mean), torch.tensor(y), torch.tensor((std * scale) ** 2)
    ).item()
    inside = lambda level: float(np.mean(np.abs(y - mean) <= stats.norm.interval(level)[1] * std))
    return {
        "mean": mean.tolist(),
        "std": std.tolist(),
        "y": y.tolist(),
        "nll": nll(1.0),
        "crps": float(np.mean([crps(*row) for row in zip(mean, std, y)])),
        "coverage": {str(round(100 * level)): inside(level) for level in (0.5, 0.9, 0.95)},
        "scale": float(optimize.minimize_scalar(nll, bounds=(0.1, 10), method="bounded", options={"xatol": 1e-10}).x),
    }


def classes(n, c):
    logits = 3 * rng.normal(size=(n, c))
    labels = np.array([rng.choice(c, p=row / row.sum()) for row in np.exp(0.6 * logits)])
    p = torch.softmax(torch.tensor(logits), 1).numpy()
    at = lambda t: log_loss(labels, torch.softmax(torch.tensor(np.log(p) / t), 1).numpy(), labels=range(c))
    one_hot = np.eye(c)[labels]
    return {
        "classes": c,
        "probabilities": p.ravel().tolist(),
        "labels": labels.tolist(),
        "accuracy": accuracy_score(labels, p.argmax(1)),
        "log_loss": log_loss(labels, p, labels=range(c)),
        "brier": sum(brier_score_loss(one_hot[:, k], p[:, k]) for k in range(c)),
        "temperature": float(optimize.minimize_scalar(at, bounds=(0.1, 10), method="bounded", options={"xatol": 1e-9}).x),
    }


versions = {"numpy": np.__version__, "scipy": scipy.__version__, "sklearn": sklearn.__version__, "torch": torch.__version__}
with open("peers.json", "w") as out:
    json.dump({"versions": versions, "gaussian": gaussian(40), "classes": classes(60, 4)}, out)
