"""Homology groups of 100,000 promoters: time, memory, and how alike a pair must be to be linked.

    python -m benchmarks homology [--sequences 100000] [--length 2000] [--threads 2]

The time includes compiling the inner loops.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator, Sequence

import numpy as np

from exprimo.core.sequence import Codes, reverse_complement
from exprimo.splits import homology_groups

_BASES = (0.31, 0.19, 0.19, 0.31)
_REPEAT = 300
_CHUNK = 4_000


def mutated(rng: np.random.Generator, codes: Codes, identity: float) -> Codes:
    """Change each base with probability 1 - identity to one of the other three."""
    changed = rng.random(codes.shape) >= identity
    other = (codes + rng.integers(1, 4, codes.shape, dtype=np.uint8)) % 4
    return np.where(changed, other, codes).astype(np.uint8)


def promoters(n: int, length: int) -> Iterator[Codes]:
    """Yield n sequences in chunks, shape (chunk, length).

    Half are in families of four at 90% identity to their founder, every other copy on the other
    strand; a third carry a 300-base repeat at 85% identity to its consensus.
    """
    rng = np.random.default_rng(0)
    repeat = rng.choice(4, _REPEAT, p=_BASES).astype(np.uint8)
    for start in range(0, n, _CHUNK):
        codes = rng.choice(4, (min(_CHUNK, n - start), length), p=_BASES).astype(np.uint8)
        half = len(codes) // 8 * 4
        founders = codes[0:half:4]
        for copy in (1, 2, 3):
            codes[copy:half:4] = mutated(rng, founders, 0.90)
        codes[1:half:2] = reverse_complement(codes[1:half:2])
        if length > _REPEAT:
            for row in codes[::3]:
                at = rng.integers(0, length - _REPEAT)
                row[at : at + _REPEAT] = mutated(rng, repeat, 0.85)
        yield codes


def linked_share(rng: np.random.Generator, length: int, identity: float, pairs: int) -> float:
    """Measure how often two sequences of an identity, on opposite strands, share a group."""
    one = rng.choice(4, (pairs, length), p=_BASES).astype(np.uint8)
    other = reverse_complement(mutated(rng, one, identity))
    group = homology_groups(np.concatenate([one, other])).group
    return float((group[:pairs] == group[pairs:]).mean())


def main(arguments: Sequence[str] | None = None) -> None:
    """Print time, memory and sensitivity."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks homology")
    parser.add_argument("--sequences", type=int, default=100_000)
    parser.add_argument("--length", type=int, default=2_000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(0)
    codes = np.concatenate(list(promoters(options.sequences, options.length)))
    before = time.perf_counter()
    groups = homology_groups(codes, threads=options.threads)
    seconds = time.perf_counter() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{options.sequences:,} sequences of {options.length:,} bp, {options.threads} threads")
    print(f"  {seconds:.1f} s, peak {peak:.2f} GiB (the sequences: {codes.nbytes / 2**30:.2f})")
    print(
        f"  {groups.n_pairs:,} pairs, {groups.n_groups:,} groups, "
        f"largest {groups.sizes.max():,}; {groups.n_frequent:,} frequent k-mers"
    )
    print("Share of pairs linked, by length and identity (1,000 pairs each)")
    identities = (0.95, 0.90, 0.85, 0.80, 0.75, 0.70)
    print("  bp    " + "".join(f"{identity:>7.0%}" for identity in identities))
    for length in (80, 120, 200, 600, 2_000):
        shares = [linked_share(rng, length, identity, 1_000) for identity in identities]
        print(f"  {length:<6,}" + "".join(f"{share:>7.1%}" for share in shares))


if __name__ == "__main__":
    main()
