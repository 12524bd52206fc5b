"""How near-duplicates are told from strangers, and what is chosen by the sequences' length."""

from __future__ import annotations

from typing import NamedTuple

from exprimo.core.errors import ConfigError

IDENTITY = 0.75
SPAN = 0.25
MAX_COPIES = 100

_SHORT = 300
_SHORT_K, _LONG_K = 12, 15
_SAMPLE = 500


class HomologySettings(NamedTuple):
    """How near-duplicates are told from strangers.

    Attributes
    ----------
    k
        Length of the k-mers: 12 for sequences up to 300 bp, else 15 (at most 31).
    every
        One k-mer in so many is compared: by default what leaves about 500 per sequence, so all
        of them up to 500 bp and one in four at 2 kb.
    identity
        Two sequences are linked when they share as large a fraction of the smaller one's k-mers
        as two whole sequences of this identity would on average (identity ** k).
    span
        From the first to the last k-mer that they share it must be this fraction of both, or
        they share a tenth of all k-mers, so that a dispersed repeat does not link its hosts:
        0.25, or 0 (not asked) for sequences up to 300 bp.
    max_copies
        A k-mer in more sequences than this is a repeat, and links only sequences that share
        half of all their k-mers.
    """

    k: int
    every: int
    identity: float = IDENTITY
    span: float = SPAN
    max_copies: int = MAX_COPIES

    @property
    def min_shared(self) -> float:
        """The fraction of k-mers that two linked sequences share at least."""
        return float(self.identity**self.k)

    @classmethod
    def for_length(
        cls,
        length: int,
        *,
        k: int | None = None,
        every: int | None = None,
        identity: float = IDENTITY,
        max_copies: int = MAX_COPIES,
    ) -> HomologySettings:
        """Choose what is not given by the length of the sequences.

        Examples
        --------
        >>> HomologySettings.for_length(80)
        HomologySettings(k=12, every=1, identity=0.75, span=0.0, max_copies=100)
        >>> HomologySettings.for_length(2000)
        HomologySettings(k=15, every=4, identity=0.75, span=0.25, max_copies=100)
        """
        chosen = cls(
            k if k is not None else (_SHORT_K if length <= _SHORT else _LONG_K),
            every if every is not None else max(1, round(length / _SAMPLE)),
            identity,
            SPAN if length > _SHORT else 0.0,
            max_copies,
        )
        if not 5 <= chosen.k <= 31:
            raise ConfigError("k out of range", found=chosen.k, expected="5 to 31")
        if chosen.every < 1 or chosen.max_copies < 2:
            raise ConfigError(
                "sampling out of range",
                found=f"every {chosen.every}, max_copies {chosen.max_copies}",
                expected="every >= 1, max_copies >= 2",
            )
        if not 0.5 <= chosen.identity <= 1:
            raise ConfigError("identity out of range", found=identity, expected="0.5 to 1")
        return chosen
