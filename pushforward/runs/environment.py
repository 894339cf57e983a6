"""What a run was made on and by."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from pushforward.training.machines import fast_bfloat16, usual_device

PACKAGES = ("pushforward", "torch", "numpy", "pillow", "scikit-learn", "safetensors")


def environment() -> dict[str, Any]:
    """What this process runs on."""
    return {
        "command": command(),
        "versions": {"python": platform.python_version(), **{package: found(package) for package in PACKAGES}},
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "processor": str(torch.cpu.get_capabilities().get("cpu_name", platform.processor())),
            "threads": torch.get_num_threads(),
            "bfloat16": fast_bfloat16(usual_device()),
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        },
    }


def found(package: str) -> str:
    """The version of an installed package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def command() -> str:
    """The command line, with the program's name in place of its path."""
    program = Path(sys.argv[0]).name or "python"
    return " ".join(["pushforward" if program in ("__main__.py", "cli.py") else program, *sys.argv[1:]])
