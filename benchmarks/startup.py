"""Seconds until something happens: imports, help, and the first step of a training on MNIST; and what that training needs of memory.

    python benchmarks/startup.py            writes results/startup.json

Each in a process of its own, five times; medians.
"""

import json
import statistics
import subprocess
import sys
import time

from common import environment, results

TIMES = 5
FIRST = """
import json, sys, tempfile, time
import pushforward
from pushforward.training import Trainer
pushforward.train, pushforward.load
began, usual, told = time.perf_counter(), Trainer.round, []
def timed(trainer):
    usual(trainer)
    told.append(time.perf_counter() - began)
Trainer.round = timed
with tempfile.TemporaryDirectory() as folder:
    run = pushforward.train("vae", "mnist", images=12_800, run=folder + "/run", quiet=True)
    print(json.dumps([told[0], run.sessions()[0]["memory"]]))
"""


def seconds(*command: str) -> float:
    """Median of a whole process."""
    took = []
    for _ in range(TIMES + 1):  # the first one fills the disk's cache
        start = time.perf_counter()
        subprocess.run([sys.executable, *command], check=True, capture_output=True)
        took.append(time.perf_counter() - start)
    return statistics.median(took[1:])


def main() -> None:
    """Measure, and write the result."""
    found = {
        "import torch": seconds("-c", "import torch"),
        "import pushforward, with what it offers": seconds("-c", "import pushforward; pushforward.train, pushforward.load"),
        "pushforward train --help": seconds("-c", "from pushforward.cli import main; main(['train', '--help'])"),
    }
    steps = [json.loads(subprocess.run([sys.executable, "-c", FIRST], check=True, capture_output=True).stdout) for _ in range(TIMES)]
    found["first step of vae on mnist, after imports"] = statistics.median(step for step, _ in steps)
    memory = max(most for _, most in steps)
    told = {"command": "python benchmarks/startup.py", "environment": environment(), "processes of each": TIMES, "seconds": found}
    results("startup.json", told | {"peak memory of vae on mnist, MiB": memory})


if __name__ == "__main__":
    main()
