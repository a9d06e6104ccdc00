"""Peers in Python: `python3 peers.py NAME` says what it is, then answers each line of JSON with one.

Every answer has "seconds", the processor time of the work alone. Tables are files of little-endian f32 or f64: inputs row-major, then the targets.
"""
import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")


def read_table(request, kind):
    import numpy as np

    numbers = np.fromfile(request["table"], dtype=kind)
    rows, columns = request["rows"], request["columns"]
    inputs = numbers[: rows * columns].reshape(rows, columns)
    return inputs, numbers[rows * columns : rows * (columns + 1)]


def timed(work):
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def blas():
    """The BLAS library that is loaded, with its version and the kernel it chose."""
    from threadpoolctl import threadpool_info

    found = [f"{one['internal_api']} {one['version']} {one.get('architecture', '')}".strip() for one in threadpool_info() if one["user_api"] == "blas"]
    return found[0] if found else "BLAS unknown"


class ScikitLearn:
    def __init__(self):
        import numpy
        import sklearn
        from sklearn import ensemble, gaussian_process, neural_network

        self.ensemble, self.gaussian_process, self.neural_network = ensemble, gaussian_process, neural_network
        self.peer = f"scikit-learn {sklearn.__version__} (NumPy {numpy.__version__}, {blas()})"

    def mlp(self, request):
        x, y = read_table(request, "<f4")
        model = self.neural_network.MLPRegressor(
            hidden_layer_sizes=request["hidden"],
            activation="relu",
            solver="adam",
            alpha=0,
            batch_size=request["batch"],
            max_iter=request["epochs"],
            tol=0,
            n_iter_no_change=10**9,
            random_state=0,
        )
        seconds, _ = timed(lambda: model.fit(x, y))
        return {"seconds": seconds, "loss": model.loss_}

    def forest(self, request):
        x, y = read_table(request, "<f8")
        rows = request["train"]
        features = request["max_features"]
        model = self.ensemble.RandomForestRegressor(
            n_estimators=request["trees"],
            max_depth=request["depth"],
            max_features=1.0 if features is None else features,
            n_jobs=1,
            random_state=0,
        )
        seconds, _ = timed(lambda: model.fit(x[:rows], y[:rows]))
        return {"seconds": seconds, "r2": model.score(x[rows:], y[rows:])}


    def gp(self, request):
        """Matérn 5/2 with a length scale for each input, a variance and noise; three climbs, as ours."""
        x, y = read_table(request, "<f8")
        train, kernels = request["train"], self.gaussian_process.kernels
        scales = kernels.Matern(length_scale=[1.0] * request["columns"], nu=2.5)
        model = self.gaussian_process.GaussianProcessRegressor(
            kernel=kernels.ConstantKernel() * scales + kernels.WhiteKernel(),
            normalize_y=True,
            n_restarts_optimizer=2,
            random_state=0,
        )
        seconds, _ = timed(lambda: model.fit(x[:train], y[:train]))
        return {"seconds": seconds, "r2": model.score(x[train:], y[train:])}


class Torch:
    def __init__(self):
        import torch

        torch.set_num_threads(1)
        self.torch = torch
        self.peer = f"torch {torch.__version__} ({blas()})"

    def mlp(self, request):
        torch = self.torch
        x, y = (torch.from_numpy(part.copy()) for part in read_table(request, "<f4"))
        rows, batch = request["rows"], request["batch"]
        widths = [request["columns"], *request["hidden"]]
        layers = []
        for fan_in, fan_out in zip(widths, widths[1:]):
            layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
        model = torch.nn.Sequential(*layers, torch.nn.Linear(widths[-1], 1))
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, foreach=True)

        def train():
            for _ in range(request["epochs"]):
                order = torch.randperm(rows)
                for start in range(0, rows, batch):
                    chosen = order[start : start + batch]
                    loss = torch.nn.functional.mse_loss(model(x[chosen]).squeeze(1), y[chosen])
                    optimiser.zero_grad(set_to_none=True)
                    loss.backward()
                    optimiser.step()
            return loss.item()

        seconds, loss = timed(train)
        return {"seconds": seconds, "loss": loss}


class Pycma:
    def __init__(self):
        import cma
        import numpy

        self.cma, self.numpy = cma, numpy
        self.peer = f"pycma {cma.__version__} (NumPy {numpy.__version__})"

    def cma_es(self, request):
        """Whole searches on the sphere with pycma's defaults, as many as make up `evaluations`."""
        numpy, cma = self.numpy, self.cma
        evaluations, seconds = 0, 0.0
        while evaluations < request["evaluations"]:
            start = numpy.full(request["dimension"], 1.0)
            es = cma.CMAEvolutionStrategy(start, 0.5, {"verbose": -9, "ftarget": 1e-12, "seed": evaluations + 1})

            def search():
                while not es.stop():
                    points = es.ask()
                    es.tell(points, [float(numpy.dot(point, point)) for point in points])

            seconds += timed(search)[0]
            evaluations += es.countevals
        return {"seconds": seconds, "evaluations": evaluations}


PEERS = {"scikit-learn": ScikitLearn, "torch": Torch, "pycma": Pycma}

if __name__ == "__main__":
    peer = PEERS[sys.argv[1]]()
    print(json.dumps({"peer": peer.peer}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(getattr(peer, request["work"])(request)), flush=True)
