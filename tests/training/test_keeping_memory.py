"""Memory that a round has freed serves the next one."""

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import torch
from pushforward.training.memory import keep_memory

if sys.argv[1] == "kept":
    keep_memory()
for number in range(30):
    if number == 20:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(12_000_000) + 1
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages(way: str) -> int:
    """Pages that the kernel had to provide for ten rounds of two arrays of 46 MiB each."""
    told = subprocess.run([sys.executable, "-c", FAULTS, way], capture_output=True, text=True, check=True)
    return int(told.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the setting is that of Linux's usual C library")
def test_pages_are_asked_for_once() -> None:
    assert pages("kept") < pages("as it comes") / 20
