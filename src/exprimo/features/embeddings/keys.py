"""What identifies a sequence in a store."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from exprimo.core.sequence import Codes

KEY_BYTES = 16
Keys = npt.NDArray[np.bytes_]


def sequence_keys(sequences: Codes) -> Keys:
    """Hash each row of (rows, length) codes, shape (rows,), 16 bytes each.

    Unlike the ledger's, a key tells the strands apart: an embedding read in the other direction
    is another one.

    Examples
    --------
    >>> keys = sequence_keys(np.array([[0, 1], [2, 3], [0, 1]], dtype=np.uint8))
    >>> bool(keys[0] == keys[2]), bool(keys[0] == keys[1])
    (True, False)
    """
    rows = np.ascontiguousarray(sequences)
    digests = [hashlib.blake2b(row.tobytes(), digest_size=KEY_BYTES).digest() for row in rows]
    return np.frombuffer(b"".join(digests), dtype=f"S{KEY_BYTES}")
