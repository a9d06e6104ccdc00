"""Trains scikit-learn's MLPRegressor from the initial weights in cases.json; writes scikit-learn.json.

Run in this folder: python3 make.py
"""
import json
import warnings

import numpy as np
import sklearn
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore")
TABLE = np.fromfile("small.f32", dtype="<f4").astype(float)
X, Y = TABLE[:4000].reshape(500, 8), TABLE[4000:]


class FromWeights(MLPRegressor):
    """MLPRegressor that starts from given weights instead of random ones."""

    def _init_coef(self, fan_in, fan_out, dtype):
        return next(self.start)


def layers(plain, widths):
    place = 0
    for fan_in, fan_out in zip(widths, widths[1:]):
        weights = np.array(plain[place : place + fan_in * fan_out], dtype=float).reshape(fan_in, fan_out)
        place += fan_in * fan_out
        yield weights, np.array(plain[place : place + fan_out], dtype=float)
        place += fan_out


def run(case):
    rows, widths = case["rows"], case["widths"]
    x_scaler = StandardScaler().fit(X[:rows])
    y_scaler = StandardScaler().fit(Y[:rows, None])
    model = FromWeights(
        hidden_layer_sizes=widths[1:-1],
        activation=case["activation"],
        alpha=case["alpha"],
        batch_size=rows,
        learning_rate_init=case["learning_rate"],
        max_iter=case["iterations"],
        n_iter_no_change=case["iterations"] + 1,
        tol=0,
        shuffle=False,
        random_state=0,
    )
    model.start = layers(case["initial"], widths)
    model.fit(x_scaler.transform(X[:rows]), y_scaler.transform(Y[:rows, None])[:, 0])
    predictions = model.predict(x_scaler.transform(X[rows : rows + 20]))[:, None]
    return {
        "name": case["name"],
        "loss_curve": model.loss_curve_,
        "parameters": np.concatenate(
            [np.concatenate([w.ravel(), b]) for w, b in zip(model.coefs_, model.intercepts_)]
        ).tolist(),
        "predictions": y_scaler.inverse_transform(predictions)[:, 0].tolist(),
    }


with open("cases.json") as cases, open("scikit-learn.json", "w") as out:
    json.dump({"version": sklearn.__version__, "cases": [run(case) for case in json.load(cases)]}, out)
