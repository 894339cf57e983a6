"""Keeps memory that a round has freed for the next one.

The C library of Linux gives large arrays back to the kernel as soon as they are freed, and the kernel clears every page again when the next
round asks for it. Networks whose arrays are a few MiB each spend a tenth to a fifth of a round on that.
"""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Numbers of the two settings in glibc's `malloc.h`."""
FREE = 2**31 - 1
"""Bytes that may lie free at the heap's end: the most that the setting can say."""


def keep_memory() -> None:
    """Have this process keep what it frees, where its C library is glibc; it holds the most that it ever needed, and no more."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform.startswith("linux") else None
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, FREE)
