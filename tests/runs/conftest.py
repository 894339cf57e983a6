"""What tests of runs share."""

import os

import pytest

from tests.runs.children import SHEET


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits for the disk, and sheets are of a few samples: for tests that write much and pull no plug."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    monkeypatch.setattr("pushforward.runs.sheet.COUNT", SHEET)
