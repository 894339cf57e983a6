"""Processors, precision and ranks: what differs between a laptop and many machines, so that nothing else must know."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from shutil import which
from sysconfig import get_path
from typing import Literal

import torch
import torch.distributed as dist
from torch import Tensor, nn

from pushforward.core import BadInput, Batch
from pushforward.nets import use_products

Precision = Literal["auto", "float32", "bfloat16"]


def seed_of(*what: object) -> int:
    """A 64-bit seed that is a function of `what` alone: the same in every process and on every machine."""
    return int.from_bytes(blake2b(repr(what).encode(), digest_size=8).digest(), "little")


def sow(device: torch.device, seed: int) -> None:
    """Seed the default generator of `device` (microseconds, where torch.manual_seed takes a fifth of a millisecond)."""
    if device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(seed)
    torch.default_generator.manual_seed(seed)


def moved(batch: Batch, device: torch.device) -> Batch:
    """A batch where a system computes; the same where it lies there already."""
    return {key: value.to(device, non_blocking=True) for key, value in batch.items()}  # type: ignore[return-value, attr-defined]


def usual_device() -> torch.device:
    """This rank's GPU where there is one, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    return torch.device("cpu")


def fast_bfloat16(device: torch.device) -> bool:
    """Whether the processor multiplies bfloat16 faster than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


HEAVY = 2**18
"""Weights of a fully connected layer from which bfloat16 is faster: below, turning them into it costs what it saves."""


def heavy(system: nn.Module) -> bool:
    """Whether a system spends its time in products: it has convolutions over images, or a large fully connected layer."""
    layers = nn.Conv2d | nn.ConvTranspose2d
    return any(isinstance(part, layers) or (isinstance(part, nn.Linear) and part.weight.numel() >= HEAVY) for part in system.modules())


def choose_precision(asked: Precision, system: nn.Module, device: torch.device) -> Literal["float32", "bfloat16"]:
    """bfloat16 for convolutional and for large fully connected networks where the processor is fast at it, else float32.

    Measured by `benchmarks/precision.py`: small fully connected networks are as fast in float32, which is the safer choice.
    """
    if asked != "auto":
        return asked
    return "bfloat16" if heavy(system) and fast_bfloat16(device) else "float32"


def can_compile() -> bool:
    """Whether torch.compile finds what it needs here: a C++ compiler and Python's headers."""
    usual = {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++")
    return which(os.environ.get("CXX", usual)) is not None and Path(get_path("include"), "Python.h").exists()


def lay_out(system: nn.Module) -> None:
    """Put the weights of convolutions into channels_last order, in which they are fastest on CPU and GPU alike.

    On a CPU the heaviest compute by matrix products."""
    if not any(weight.is_cuda for weight in system.parameters()):
        use_products(system)
    for part in system.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
            for weight in part.parameters():  # not part.weight: where it is parametrised, reading it has effects and it is a copy
                if weight.dim() == 4:
                    weight.data = weight.data.contiguous(memory_format=torch.channels_last)


def join_ranks() -> None:
    """Enter the process group when started by torchrun; nothing otherwise."""
    if "WORLD_SIZE" in os.environ and int(os.environ["WORLD_SIZE"]) > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")


def rank_and_ranks() -> tuple[int, int]:
    """This process's number and how many there are; (0, 1) when alone."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def wait_for_ranks() -> None:
    """Return when every rank has come here."""
    if dist.is_initialized():
        dist.barrier()


def largest(number: int) -> int:
    """The largest of the ranks' numbers, the same on all of them."""
    if not dist.is_initialized():
        return number
    shared = torch.tensor(number, device=usual_device())
    dist.all_reduce(shared, dist.ReduceOp.MAX)
    return int(shared)


def mine(shards: int) -> range:
    """The shards that this rank owns."""
    rank, ranks = rank_and_ranks()
    return range(rank * shards // ranks, (rank + 1) * shards // ranks)


def check_shards(shards: int, batch_size: int, system: nn.Module) -> None:
    """Refuse shards that ranks or batches cannot be cut into, or that batch normalisation would take for one example each."""
    _, ranks = rank_and_ranks()
    if shards < 1:
        raise BadInput(f"shards is {shards}, but a batch is cut into 1 part or more.")
    if shards % ranks:
        raise BadInput(f"{shards} shards cannot be shared by {ranks} processes. Make --shards a multiple of {ranks}.")
    if batch_size % shards:
        raise BadInput(f"A batch of {batch_size} cannot be cut into {shards} shards. Make the batch size a multiple of {shards}.")
    if batch_size == shards and any(isinstance(module, nn.BatchNorm1d) for module in system.modules()):
        raise BadInput(f"Batch normalisation needs at least 2 examples at a time, not 1. Make the batch size at least {2 * shards}.")


def mean_over_shards(found: Sequence[Sequence[Tensor]], shards: int) -> list[Tensor]:
    """The mean of each tensor over all shards of all ranks, summed in shard order so that any number of ranks gives the same bits.

    found: for each shard of this rank, the same list of tensors.
    """
    if shards == 1:
        return list(found[0])
    flats = torch.stack([torch.cat([t.reshape(-1) for t in parcel]) for parcel in found])
    if len(found) < shards:
        every = flats.new_empty(shards, flats.shape[1])
        dist.all_gather_into_tensor(every, flats)
        flats = every
    total = flats[0].clone()
    for flat in flats[1:]:
        total += flat
    parts = (total / shards).split([t.numel() for t in found[0]])
    return [part.view(t.shape).to(t.dtype) for part, t in zip(parts, found[0], strict=True)]


def peak_memory() -> float:
    """Largest memory this process has held, in MiB (GPU memory where one is used)."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


@contextmanager
def generators_left_alone() -> Iterator[None]:
    """Give the caller's random generators back as they were."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        yield
