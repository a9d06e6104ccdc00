"""Golden numbers of the Gaussian process. Needs Debian's python3-sklearn: /usr/bin/python3 make.py > scikit-learn.json"""

import json
import sys

import numpy
import sklearn
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel

SHAPES = {"matern52": lambda l, b: Matern(l, b, nu=2.5), "matern32": lambda l, b: Matern(l, b, nu=1.5), "rbf": RBF}


def kernel(shape, signal, lengths, noise):
    bounds = (1e-5, 1e5)
    inner = SHAPES[shape](lengths, bounds)
    return ConstantKernel(signal, bounds) * inner + WhiteKernel(noise, (1e-6, 1e5))


def table(rows, dimension, seed, noise):
    rng = numpy.random.default_rng(seed)
    x = numpy.round(rng.uniform(-2, 3, (rows, dimension)) * 10.0 ** (numpy.arange(dimension) % 3), 6)
    z = x / 10.0 ** (numpy.arange(dimension) % 3)
    y = numpy.sin(2 * z[:, 0]) + (z**2).sum(axis=1) / 5 + noise * rng.standard_normal(rows)
    return x, numpy.round(40 + 15 * y, 6), rng


def case(name, shape, rows, dimension, seed, noise, signal, lengths, noise_variance):
    x, y, rng = table(rows, dimension, seed, noise)
    low, high = x.min(axis=0), x.max(axis=0)
    box = (x - low) / (high - low)
    mean, std = y.mean(), y.std()
    targets = (y - mean) / std
    fixed = GaussianProcessRegressor(kernel(shape, signal, lengths, noise_variance), alpha=0.0, optimizer=None)
    fixed.fit(box, targets)
    value, gradient = fixed.log_marginal_likelihood(fixed.kernel_.theta, eval_gradient=True)
    queries = numpy.round(rng.uniform(-0.3, 1.3, (7, dimension)) * (high - low) + low, 6)
    at, std_at = fixed.predict((queries - low) / (high - low), return_std=True)
    latent = std_at**2 - noise_variance
    ours = numpy.r_[gradient[0], gradient[-1], gradient[1:-1]]
    climbed = GaussianProcessRegressor(
        kernel(shape, 1.0, numpy.full(dimension, 0.5), 1e-2), alpha=0.0, n_restarts_optimizer=8, random_state=0
    ).fit(box, targets)
    return {
        "name": name,
        "covariance": shape,
        "rows": rows,
        "dimension": dimension,
        "inputs": x.ravel().tolist(),
        "targets": y.tolist(),
        "signalVariance": signal,
        "noiseVariance": noise_variance,
        "lengthScales": list(lengths),
        "logMarginalLikelihood": value,
        # In log σ_f², log σ_n², log ℓ_d.
        "gradient": ours.tolist(),
        "queries": queries.ravel().tolist(),
        "mean": (mean + std * at).tolist(),
        "stdWithNoise": (std * std_at).tolist(),
        "std": (std * numpy.sqrt(numpy.maximum(latent, 0))).tolist(),
        "optimisedLogMarginalLikelihood": climbed.log_marginal_likelihood_value_,
    }


CASES = [
    case("one input", "matern52", 12, 1, 1, 0.1, 1.3, [0.3], 0.05),
    case("three inputs", "matern52", 41, 3, 2, 0.2, 0.8, [0.2, 0.7, 2.5], 0.02),
    case("five inputs", "matern52", 80, 5, 3, 0.05, 2.0, [0.5, 1.0, 0.4, 3.0, 0.9], 0.003),
    case("rough", "matern32", 30, 2, 4, 0.3, 1.1, [0.35, 0.6], 0.1),
    case("smooth", "rbf", 33, 2, 5, 0.1, 0.9, [0.4, 0.3], 0.04),
    case("more inputs than rows", "matern52", 6, 9, 6, 0.1, 1.0, [1.0 + 0.1 * d for d in range(9)], 0.01),
]

json.dump({"scikit-learn": sklearn.__version__, "numpy": numpy.__version__, "cases": CASES}, sys.stdout, indent=1)
print()
