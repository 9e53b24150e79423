"""Celery as its documentation shows it, with results kept. `python3 celery_tasks.py fill COUNT` or `stamp COUNT SECONDS`; the port of Redis
is in BENCH_REDIS, the file that waits are written into in BENCH_WAITS."""
import os
import sys
import time

from celery import Celery

url = "redis://127.0.0.1:" + os.environ["BENCH_REDIS"]
app = Celery("celery_tasks", broker=url + "/0", backend=url + "/1")
app.conf.worker_prefetch_multiplier = 32


@app.task
def noop(name, email, note):
    return None


@app.task
def stamp(fired_at):
    with open(os.environ["BENCH_WAITS"], "a") as waits:
        waits.write(f"{(time.monotonic_ns() - fired_at) / 1e6}\n")


if __name__ == "__main__":
    what, count = sys.argv[1], int(sys.argv[2])
    for _ in range(count):
        if what == "fill":
            noop.delay(*sys.argv[3:])
        else:
            stamp.delay(time.monotonic_ns())
            time.sleep(float(sys.argv[3]))
