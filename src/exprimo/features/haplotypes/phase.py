"""Which copy carries what: where phase is known, and what may be done where it is not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import ConfigError, MismatchError
from exprimo.data.genotypes.view import NO_COPY, Block

Unphased = Literal["error", "mixture"] | int
Flags = npt.NDArray[np.bool_]
_WORDS = ("error", "mixture")
# Keys of phase sets lie above those that are made from positions.
_SETS = 1 << 48
_PER_POSITION = 64


def check_unphased(unphased: object) -> Unphased:
    """Refuse what is neither a word nor a number of phasings."""
    if unphased in _WORDS:
        return unphased  # type: ignore[return-value]  # one of the two words
    if isinstance(unphased, int) and not isinstance(unphased, bool) and unphased >= 1:
        return unphased
    raise ConfigError(
        "not a way to treat unphased genotypes",
        record="unphased",
        found=repr(unphased),
        expected="error, mixture, or a number of random phasings (1 or more)",
    )


def heterozygous(block: Block) -> Flags:
    """Tell where one copy carries ALT and the other does not, (variants, samples)."""
    first, second = block.alleles[..., 0], block.alleles[..., 1]
    both: Flags = (first >= 0) & (second >= 0) & (first != second)
    return both


def phase_keys(block: Block) -> npt.NDArray[np.int64]:
    """Number the stretches within which phase is known, (variants, samples).

    0: along the chromosome; else one number a phase set, and one for each record whose genotype
    has no phase, the same in whichever window it is read.
    """
    start = block.variants["start"].to_numpy(np.int64)
    record = block.variants["record"].to_numpy(np.int64)
    new_start = np.concatenate([[True], start[1:] != start[:-1]])[: len(start)]
    new_record = new_start | np.concatenate([[True], record[1:] != record[:-1]])[: len(start)]
    order = np.cumsum(new_record)
    leading = np.maximum.accumulate(np.where(new_start, order, 0))
    own = (start * _PER_POSITION + (order - leading) % _PER_POSITION + 1)[:, None]
    sets = np.zeros_like(own) if block.phase_set is None else block.phase_set.astype(np.int64)
    known = np.where(sets == 0, 0, _SETS + sets)
    keys: npt.NDArray[np.int64] = np.where(block.phased, known, own)
    return keys


def require_phase(block: Block, relevant: Flags, samples: Sequence[str], path: object) -> None:
    """Refuse a person with two heterozygous variants of which the common phase is not known.

    One heterozygous variant makes the same two haplotypes whichever copy carries it.
    """
    keys = phase_keys(block)
    open_ones = heterozygous(block) & relevant[:, None]
    doubtful = (open_ones & (keys != 0)).any(axis=0)
    for person in np.flatnonzero(doubtful).tolist():
        rows = np.flatnonzero(open_ones[:, person])
        found, first = np.unique(keys[rows, person], return_index=True)
        if len(found) > 1:
            unphased = rows[~block.phased[rows, person]]
            row = int(unphased[0]) if len(unphased) else int(rows[max(first)])
            variant = block.variants.iloc[row]
            raise MismatchError(
                "phase is needed here and not known",
                file=str(path),
                record=f"person {samples[person]}, variant {variant['variant_id']} at "
                f"{variant['chrom']}:{variant['start'] + 1}",
                found=f"{len(rows)} heterozygous variants in one window, "
                + ("unphased" if len(unphased) else "in different phase sets"),
                expected="genotypes phased along the window (0|1)",
                remedy="Phase the genotypes, or choose random phasings: --unphased 10. Predictions "
                "may be mixed instead: --unphased mixture; in a study, people.unphased",
            )


def carried_copies(
    block: Block, samples: Sequence[str], chrom: str, *, phasings: int, seed: int
) -> Iterator[Flags]:
    """Give who carries what, (variants, samples, 2), once per phasing.

    A random phasing turns each unphased record and each phase set over or not. The choice depends
    on the seed, the person, the position and the number of the phasing alone, so that it is the
    same in windows that overlap, and whichever other people are asked for.
    """
    carried = block.alleles == 1
    keys = phase_keys(block)
    free = heterozygous(block) & (keys != 0)
    people = np.array([_number(f"{seed}\0{chrom}\0{name}") for name in samples], dtype=np.uint64)
    for phasing in range(phasings):
        drawn = _mixed(keys.astype(np.uint64) ^ _mixed(people + np.uint64(phasing))[None, :])
        turned = free & (drawn >> np.uint64(63)).astype(np.bool_)
        yield np.where(turned[..., None], carried[..., ::-1], carried)


def existing_copies(block: Block) -> Flags:
    """Tell which copies there are, (samples, 2); where no variant lies, two."""
    missing = (block.alleles == NO_COPY).any(axis=0)
    there: Flags = ~missing
    return there


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _mixed(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Scatter 64-bit numbers: the finaliser of SplitMix64 (Steele et al. 2014, OOPSLA)."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
