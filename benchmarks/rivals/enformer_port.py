"""Enformer by its published PyTorch port, in an environment of its own.

Source: enformer-pytorch 0.8.12 (MIT, https://github.com/lucidrains/enformer-pytorch). Run as

    python enformer_port.py WEIGHTS CODES.npy OUT.npz THREADS PRECISION ROUNDS

with the weights as a torch file of its names. It writes the hidden vectors, the first human
tracks, the seconds of each round, and the most memory it had.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
import time
from pathlib import Path

import numpy as np
import torch
from enformer_pytorch import Enformer

_TRACKS = 64


def main() -> None:
    """Load, warm up, time, write."""
    weights, codes_file, out, threads, precision, rounds = sys.argv[1:]
    # The allocator setting that the other side has.
    libc = ctypes.CDLL(None)
    for option in (-3, -1):
        libc.mallopt(option, 2**31 - 1)
    torch.set_num_threads(int(threads))
    network = Enformer.from_hparams(use_tf_gamma=True).eval()
    found = network.load_state_dict(torch.load(weights, mmap=True), strict=False)
    assert not found.unexpected_keys
    assert all(name.startswith("_trunk.") for name in found.missing_keys)
    table = torch.cat([torch.eye(4), torch.zeros(1, 4)])
    bases = table[torch.from_numpy(np.load(codes_file).astype(np.int64))][None]
    low = torch.autocast("cpu", torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()
    seconds = []
    with torch.no_grad(), low:
        for _ in range(int(rounds) + 1):
            began = time.perf_counter()
            hidden = network(bases, return_only_embeddings=True)
            tracks = network._heads["human"](hidden)
            seconds.append(time.perf_counter() - began)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    np.savez(
        out,
        hidden=hidden[0].float().numpy(),
        tracks=tracks[0, :, :_TRACKS].float().numpy(),
        seconds=seconds[1:],
        kib=int(status.split("VmHWM:")[1].split()[0]),
    )


if __name__ == "__main__":
    main()
