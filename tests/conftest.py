"""One thread per process (tests run side by side), and shape annotations of formulas and networks checked while tests run."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported
sys.path.insert(0, str(Path(__file__).parents[1]))  # so that `tests.tiny_game` has a dotted name wherever pytest was started

CHECKED = ["pushforward.maths", "pushforward.nets"]
"""Where a wrong shape is an error in tests. Users do not pay for it, and need no beartype."""

if find_spec("beartype") is not None:
    from jaxtyping import install_import_hook

    install_import_hook(CHECKED, "beartype.beartype")

import torch  # noqa: E402 - it reads OMP_NUM_THREADS as it is imported

torch.set_num_threads(1)
