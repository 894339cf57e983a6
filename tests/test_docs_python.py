"""Lines of Python on pages of docs run as they stand there."""

import re
from pathlib import Path

import pytest
import torch

import pushforward

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("page", ["faces", "completion", "pix2pix"])
def test_lines_of_python_run(page: str) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text(), re.DOTALL)
    known = {"pushforward": pushforward, "torch": torch}
    for block in blocks:
        exec(block, known)
    assert blocks and bool(torch.cat([value.flatten() for value in known.values() if isinstance(value, torch.Tensor)]).isfinite().all())
