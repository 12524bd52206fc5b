"""Device, precision, threads and allocator: the settings that decide speed."""

from __future__ import annotations

import ctypes
import os
import platform
from functools import cache
from pathlib import Path

import torch
from threadpoolctl import threadpool_limits

from exprimo.core.errors import ConfigError
from exprimo.models.network import Precision
from exprimo.training.config import MachineConfig

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEEP_BYTES = 2**31 - 1


@cache
def keep_memory() -> bool:
    """Keep glibc from handing freed memory back; return whether it took the setting.

    Page faults dominate large CPU activations: a 20 kb convolution ran five times faster with
    this. It costs resident memory; ``EXPRIMO_KEEP_MEMORY=0`` turns it off.
    """
    if platform.libc_ver()[0] != "glibc" or os.environ.get("EXPRIMO_KEEP_MEMORY") == "0":
        return False
    libc = ctypes.CDLL(None)
    libc.malloc_trim(0)
    taken = [libc.mallopt(option, _KEEP_BYTES) for option in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD)]
    return all(taken)


def use_threads(threads: int | None) -> int:
    """Set the CPU threads of torch and of linear algebra, and return their number."""
    count = threads or len(os.sched_getaffinity(0))
    torch.set_num_threads(count)
    # More BLAS threads than free cores spin against each other: ten times slower, not faster.
    threadpool_limits(count, user_api="blas")
    return count


def choose_devices(name: str) -> list[torch.device]:
    """Resolve ``auto``, one device, or several with commas.

    Examples
    --------
    >>> choose_devices("cpu")
    [device(type='cpu')]
    """
    if name == "auto":
        return [torch.device("cuda" if torch.cuda.is_available() else "cpu")]
    devices = []
    for part in name.split(","):
        try:
            device = torch.device(part.strip())
        except RuntimeError:
            raise ConfigError(
                "unknown device", found=part, expected="cpu, cuda, cuda:N, or several with commas"
            ) from None
        if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
            raise ConfigError(
                "no such CUDA device",
                found=part,
                expected=f"one of {torch.cuda.device_count()} CUDA devices",
                remedy="Use --device cpu or auto",
            )
        if device.type not in ("cpu", "cuda"):
            raise ConfigError("unsupported device", found=part, expected="cpu or cuda")
        devices.append(device)
    return devices


def choose_precision(name: str, device: torch.device) -> Precision:
    """Resolve ``auto``: bf16 where the hardware computes in it."""
    if name == "bf16" or name == "fp32":
        return "bf16" if name == "bf16" else "fp32"
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if _cpu_has_bf16() else "fp32"


@cache
def _cpu_has_bf16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def prepare(config: MachineConfig) -> tuple[list[torch.device], Precision, int]:
    """Apply the machine's settings and return devices, precision and threads."""
    keep_memory()
    threads = use_threads(config.threads)
    devices = choose_devices(config.device)
    return devices, choose_precision(config.precision, devices[0]), threads
