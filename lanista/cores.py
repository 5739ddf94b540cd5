"""The machine's processors: how many this process may use, and what they can."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """How many there are for this process: under taskset, those it was given."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fast_bfloat16() -> bool:
    """Whether they compute in bfloat16 by themselves; emulated it would be slower than float32."""
    import torch  # only who computes asks

    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
