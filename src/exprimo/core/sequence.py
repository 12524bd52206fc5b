"""DNA as one ``uint8`` per base: A, C, G, T, N = 0..4."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError

ALPHABET = "ACGTN"
N_CODE = 4

Codes = npt.NDArray[np.uint8]

_INVALID = 255
_PADDING = bytes([N_CODE])
# IUPAC ambiguity codes are bases that the assembly does not know: N.
_TO_CODE = np.full(256, _INVALID, dtype=np.uint8)
for _code, _letters in enumerate(("Aa", "Cc", "Gg", "TtUu", "NnRrYySsWwKkMmBbDdHhVv")):
    for _letter in _letters:
        _TO_CODE[ord(_letter)] = _code
_TO_LETTER = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)
_COMPLEMENT = np.array([3, 2, 1, 0, 4], dtype=np.uint8)


def encode(sequence: str | bytes) -> Codes:
    """Turn letters into codes, shape (length,); lower case counts as upper, ambiguity as N.

    Examples
    --------
    >>> encode("ACGTNr").tolist()
    [0, 1, 2, 3, 4, 4]
    """
    raw = sequence.encode("latin-1", "replace") if isinstance(sequence, str) else sequence
    codes: Codes = _TO_CODE[np.frombuffer(raw, dtype=np.uint8)]
    if codes.size and codes.max() == _INVALID:
        at = int(np.argmax(codes == _INVALID))
        raise FormatError(
            "not a DNA letter",
            record=f"base {at + 1}",
            found=repr(chr(raw[at])),
            expected="A, C, G, T, N or an IUPAC ambiguity code",
        )
    return codes


def decode(codes: Codes) -> str:
    """Turn codes, shape (length,), back into letters.

    Examples
    --------
    >>> decode(encode("acgtn"))
    'ACGTN'
    """
    return _TO_LETTER[codes].tobytes().decode()


def reverse_complement(codes: Codes) -> Codes:
    """Reverse the last axis (positions) and complement each base; N stays N.

    Examples
    --------
    >>> decode(reverse_complement(encode("AACGN")))
    'NCGTT'
    """
    complemented: Codes = _COMPLEMENT[codes[..., ::-1]]
    return complemented


def canonical_hashes(sequences: Codes) -> list[str]:
    """Hash each row of (rows, length) codes to 16 hex digits, the same for both strands.

    The ledger identifies a sequence by this: a promoter read from the other strand is the
    same promoter. N at either end are padding and do not count.

    Examples
    --------
    >>> pair = np.stack([encode("AACGN"), encode("CGTTN")])
    >>> len(set(canonical_hashes(pair)))
    1
    """
    flipped = reverse_complement(sequences)
    return [
        hashlib.blake2b(
            min(row.tobytes().strip(_PADDING), other.tobytes().strip(_PADDING)), digest_size=8
        ).hexdigest()
        for row, other in zip(sequences, flipped, strict=True)
    ]
