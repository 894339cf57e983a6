"""Procedural faces drawn a second, seconds that all metrics of samples take, and how well zoo/conditional_gan_faces heeds attributes.

    python benchmarks/instruments.py            writes results/instruments.json

Faces of 64 pixels with their parsing maps. Samples: what `evaluate zoo/gan --samples 10000` does once the data are read and the system is
open: five sets of 10,000 images of 28x28 beside as many test digits of MNIST, the real-against-real floor, nearness to all training digits.
"""

import statistics
import time
from collections.abc import Callable

from common import environment, results

from pushforward.core import Samples
from pushforward.data import DataSpec, faces, open_data
from pushforward.evaluation.feature_nets import feature_net
from pushforward.evaluation.samples import of_samples
from pushforward.runs import Run
from pushforward.training.threads import settle_threads

TIMES, COUNT, SIZE = 5, 2_000, 64
SAMPLES, FACES = 10_000, 1_000
TOLD = "attributes, apart from"


def seconds(action: Callable[[], object]) -> float:
    """By the clock."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def main() -> None:
    """Measure both, and write the result."""
    settle_threads()
    told = faces.faces(COUNT)
    faces.drawn(told, SIZE)  # warms up
    took = [seconds(lambda: faces.drawn(told, SIZE)) for _ in range(TIMES)]
    run = Run("zoo/gan")
    train, test = open_data(DataSpec("mnist"))
    system, net = run.open(), feature_net("", "mnist", train.shape)
    assert isinstance(system, Samples) and net is not None and test is not None
    results(
        "instruments.json",
        {
            "command": "python benchmarks/instruments.py",
            "environment": environment(),
            "fingerprint": train.fingerprint[:16],
            "faces of 64 pixels a second": COUNT / statistics.median(took),
            "seconds for all metrics of samples": seconds(lambda: of_samples(system, train, test, net, SAMPLES)),
            "samples of a set": SAMPLES,
            "attributes": heeded(),
        },
    )


def heeded() -> dict[str, object]:
    """What `evaluate zoo/conditional_gan_faces --samples 1000` says of attributes."""
    run = Run("zoo/conditional_gan_faces")
    train, test = run.data()
    system, net = run.open(), feature_net("", "faces", train.shape)
    assert isinstance(system, Samples) and net is not None and test is not None
    found = of_samples(system, train, test, net, FACES)
    return {"samples": FACES, "net": net.name} | {key: value for key, value in found.items() if key.startswith(TOLD)}


if __name__ == "__main__":
    main()
