"""The Celery application of celery_peer.py: broker and results in the Redis whose socket TABGRID_BENCH_REDIS names."""
import os

from celery import Celery

socket = os.environ["TABGRID_BENCH_REDIS"]
app = Celery("bench", broker=f"redis+socket://{socket}", backend=f"redis+socket://{socket}")
app.conf.update(
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    # Short tasks: more of them on the way to each child than the default of 4.
    worker_prefetch_multiplier=64,
)


@app.task
def ping():
    return {"status": "pong"}
