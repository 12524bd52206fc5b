"""One-hot DNA of another project to base codes, with every position looked at."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.core.errors import ConfigError
from exprimo.core.sequence import ALPHABET, N_CODE, Codes

BASES = ALPHABET[:N_CODE]
_FINE, _TWO_BASES, _NOT_A_BIT = 0, 1, 2


class NotOneHot(NamedTuple):
    """The first position that is neither one base nor none.

    ``row`` and ``position`` count from 0; ``values`` are its four channels as stored.
    """

    row: int
    position: int
    values: tuple[float, ...]
    two_bases: bool


def channel_codes(channels: str) -> Codes:
    """Give the base code that each channel stands for, shape (4,).

    Examples
    --------
    >>> channel_codes("AGCT").tolist()
    [0, 2, 1, 3]
    """
    if sorted(channels.upper()) != sorted(BASES):
        raise ConfigError(
            "not an order of the four bases",
            record="channels",
            found=repr(channels),
            expected=f"each letter of {BASES} once, in the order of the file's channels",
        )
    return np.array([BASES.index(letter) for letter in channels.upper()], dtype=np.uint8)


def decode_one_hot(values: npt.NDArray[np.generic], codes_of: Codes) -> Codes | NotOneHot:
    """Turn one-hot bases into codes; a position without any base is N.

    Parameters
    ----------
    values
        Shape (rows, positions, 4), of any kind of number or bool.
    codes_of
        The code of each channel, from `channel_codes`.

    Returns
    -------
    array or NotOneHot
        Codes, shape (rows, positions), or the first position that is not one-hot.

    Examples
    --------
    >>> decode_one_hot(np.eye(5, 4)[None], channel_codes("ACGT")).tolist()
    [[0, 1, 2, 3, 4]]
    """
    set_bits = np.ascontiguousarray(values == 1)
    codes = np.empty(values.shape[:2], dtype=np.uint8)
    # A bool is 0 or 1 by nature; of anything else all but 0 and 1 must be found (NaN too).
    odd = np.zeros((0, 0, 0), dtype=np.bool_)
    if values.dtype != np.bool_:
        odd = np.ascontiguousarray(~(set_bits | (values == 0)))
    row, position, problem = _decode(set_bits, odd, codes_of, codes)
    if problem == _FINE:
        return codes
    stored = tuple(float(value) for value in values[row, position])
    return NotOneHot(int(row), int(position), stored, problem == _TWO_BASES)


@compiled
def _decode(
    set_bits: npt.NDArray[np.bool_],
    odd: npt.NDArray[np.bool_],
    codes_of: Codes,
    codes: Codes,
) -> tuple[int, int, int]:
    for row in range(codes.shape[0]):
        for at in range(codes.shape[1]):
            code, found = N_CODE, 0
            for channel in range(4):
                if odd.size > 0 and odd[row, at, channel]:
                    return row, at, _NOT_A_BIT
                if set_bits[row, at, channel]:
                    code = codes_of[channel]
                    found += 1
            if found > 1:
                return row, at, _TWO_BASES
            codes[row, at] = code
    return 0, 0, _FINE
