"""Prints the systems whose losses are compiled anew in later rounds, or not at all, of those that say `compiles`.

A program of its own: where annotations are checked, as in tests, each check is compiled anew.
"""

import warnings
from dataclasses import fields
from functools import partial
from typing import Any

import torch
from torch._dynamo.backends.debugging import aot_eager

from pushforward.core import find_system, system_names
from pushforward.training import Trainer, machines
from tests.cases import SMALL, TOTAL, Case, Made


def failing(name: str) -> bool:
    """Whether three rounds of a system compile more than the first of them does."""
    graphs = []

    def backend(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Any:
        """Split into forward and backward, but not turned into C++, which takes half a minute."""
        graphs.append(graph)
        return aot_eager(graph, inputs)

    torch.compiler.reset()
    torch.compile, usual = partial(torch.compile, backend=backend), torch.compile  # type: ignore[assignment]
    known = {f.name for f in fields(find_system(name).Config)}
    system = Case(name, "usual", {key: value for key, value in SMALL.items() if key in known}).build()
    trainer = Trainer(system, Made.accepted_by(system), TOTAL, precision="float32", device="cpu", compiled=True)
    counts = []
    for _ in range(3):
        trainer.round()
        counts.append(len(graphs))
    torch.compile = usual  # type: ignore[assignment]
    return not 0 < counts[0] == counts[-1]


if __name__ == "__main__":
    machines.can_compile = lambda: True
    warnings.simplefilter("ignore")
    print(*(name for name in system_names() if find_system(name).compiles and failing(name)))
