"""Trains PyTorch networks in f64 from drawn weights; writes torch.json.

Run in this folder: /usr/bin/python3 make_torch.py
"""
import json
import math

import numpy as np
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, ExponentialLR, LinearLR, SequentialLR, StepLR

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
TABLE = np.fromfile("small.f32", dtype="<f4").astype(float)
ROWS = 60
scale = lambda t: (t - t.mean(0)) / t.std(0)
X = torch.tensor(scale(TABLE[:4000].reshape(500, 8)[:ROWS]))
Y = torch.tensor(scale(TABLE[4000 : 4000 + ROWS]))[:, None]
LABELS = torch.bucketize(Y[:, 0], torch.tensor([-0.5, 0.5]))
ALPHA, DECAY, STEPS = 0.01, 0.05, 30
ACTIVATIONS = {"tanh": torch.nn.Tanh, "gelu": torch.nn.GELU}


def loss_of(kind, outputs):
    if kind == "squared_error":
        return 0.5 * ((outputs - Y) ** 2).sum(1).mean()
    if kind == "gaussian_nll":
        return torch.nn.GaussianNLLLoss(eps=0)(outputs[:, :1], Y, outputs[:, 1:].exp())
    return torch.nn.CrossEntropyLoss()(outputs, LABELS)


def plain(layers, of):
    """W[inputs×outputs] row-major, then b, layer by layer."""
    return [v for l in layers for t in (of(l.weight).T, of(l.bias)) for v in t.reshape(-1).tolist()]


def train(name, loss, activation, solver, outputs):
    torch.manual_seed(len(name))
    layers = [torch.nn.Linear(8, 6), torch.nn.Linear(6, outputs)]
    net = torch.nn.Sequential(layers[0], ACTIVATIONS[activation](), layers[1])
    value = lambda t: t.detach()
    initial = plain(layers, value)
    groups = [
        {"params": [l.weight for l in layers], "weight_decay": DECAY},
        {"params": [l.bias for l in layers], "weight_decay": 0},
    ]
    optimiser = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[solver](groups, lr=ALPHA)
    losses, gradient = [], None
    for t in range(1, STEPS + 1):
        for group in optimiser.param_groups:
            # The form at the end of Kingma & Ba's section 2 adds ε before the bias correction.
            group["eps"] = 1e-8 / math.sqrt(1 - 0.999**t)
        optimiser.zero_grad()
        current = loss_of(loss, net(X))
        current.backward()
        gradient = gradient or plain(layers, lambda p: p.grad)
        losses.append(current.item())
        optimiser.step()
    return {
        **{"name": name, "loss": loss, "activation": activation, "solver": solver, "widths": [8, 6, outputs]},
        **{"initial": initial, "losses": losses, "gradient": gradient, "parameters": plain(layers, value)},
    }


def rates(schedule, make, per_epoch, steps=4, epochs=6):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(optimiser)
    factors = []
    for t in range(steps * epochs):
        factors.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        if not per_epoch or (t + 1) % steps == 0:
            scheduler.step()
    return {"schedule": schedule, "steps": steps, "epochs": epochs, "factors": factors}


def warm_cosine(optimiser):
    warm = LinearLR(optimiser, start_factor=1 / 6, total_iters=5)
    return SequentialLR(optimiser, [warm, CosineAnnealingLR(optimiser, T_max=18, eta_min=0.1)], milestones=[6])


z = torch.linspace(-10, 10, 81, requires_grad=True)
g = torch.nn.functional.gelu(z)
g.sum().backward()
with open("torch.json", "w") as out:
    json.dump(
        {
            "version": torch.__version__,
            "rows": ROWS,
            "labels": LABELS.tolist(),
            "learning_rate": ALPHA,
            "weight_decay": DECAY,
            "gelu": {"z": z.tolist(), "value": g.tolist(), "slope": z.grad.tolist()},
            "training": [
                train("gelu, AdamW", "squared_error", "gelu", "adamw", 1),
                train("a noise of each row", "gaussian_nll", "tanh", "adam", 2),
                train("classes", "log_loss", "gelu", "adam", 3),
            ],
            "schedules": [
                rates({"kind": "cosine"}, lambda o: CosineAnnealingLR(o, T_max=24), False),
                rates({"kind": "cosine", "warmup": 1.5, "minimum": 0.1}, warm_cosine, False),
                rates({"kind": "step", "stepSize": 2, "gamma": 0.3}, lambda o: StepLR(o, 2, 0.3), True),
                rates({"kind": "exponential", "gamma": 0.9}, lambda o: ExponentialLR(o, 0.9), True),
            ],
        },
        out,
    )
