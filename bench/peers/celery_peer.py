"""Celery as a peer: `python3 celery_peer.py celery SOCKET LABEL CHILDREN` submits to the Redis at SOCKET, while a prefork worker computes.

Answers each line of JSON with one.
"""
import ctypes
import json
import os
import signal
import subprocess
import sys
import time

_, _, socket, label, children = sys.argv
os.environ["TABGRID_BENCH_REDIS"] = socket
here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)

import celery  # noqa: E402
from celery.result import ResultSet  # noqa: E402

from celery_app import app, ping  # noqa: E402


def end_with_parent():
    """Linux ends the worker when this process dies, however it dies (prctl(2), PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def start_worker():
    options = ["--pool=prefork", f"--concurrency={children}", "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=ERROR"]
    command = [sys.executable, "-m", "celery", "-A", "celery_app", "worker", *options]
    environment = {**os.environ, "C_FORCE_ROOT": "1"}
    return subprocess.Popen(command, cwd=here, env=environment, stdin=subprocess.DEVNULL, stdout=2, preexec_fn=end_with_parent)


def bulk(request):
    """Celery has no message for many tasks; the quickest way is one connection for all."""
    tasks = request["tasks"]
    start = time.monotonic()
    with app.producer_pool.acquire(block=True) as producer:
        results = [ping.apply_async(producer=producer) for _ in range(tasks)]
    values = ResultSet(results).join_native()
    seconds = time.monotonic() - start
    if any(value != {"status": "pong"} for value in values):
        raise RuntimeError("a task came to something else")
    return {"tasks_per_s": tasks / seconds}


worker = start_worker()
try:
    ping.apply_async().get(timeout=60)
    print(json.dumps({"peer": f"Celery {celery.__version__} (prefork {children}, {label})"}), flush=True)
    for line in sys.stdin:
        print(json.dumps(bulk(json.loads(line))), flush=True)
finally:
    worker.terminate()
    worker.wait()
