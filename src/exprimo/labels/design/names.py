"""Names of coefficients as R makes them."""

from __future__ import annotations

import re

_RESERVED = frozenset(
    {
        "if", "else", "repeat", "while", "function", "for", "next", "break", "in",
        "TRUE", "FALSE", "NULL", "Inf", "NaN", "NA", "NA_integer_", "NA_real_",
        "NA_character_", "NA_complex_",
    }
)  # fmt: skip
_STARTS_WELL = re.compile(r"[^\W\d_]|\.(?!\d)")


def make_names(name: str) -> str:
    """Make a syntactic name, as R's ``make.names`` does.

    Examples
    --------
    >>> [make_names(name) for name in ("status_IS vs-C", "statusIS:batchB", "1st", "if")]
    ['status_IS.vs.C', 'statusIS.batchB', 'X1st', 'if.']
    """
    start = name if _STARTS_WELL.match(name) else "X" + name
    # isalpha and isdecimal, not isalnum: R takes a superscript two for no letter.
    made = "".join(c if c.isalpha() or c.isdecimal() or c in "._" else "." for c in start)
    return made + "." if made in _RESERVED else made
