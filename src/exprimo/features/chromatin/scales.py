"""The scales of signal and expression, and the size of a library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import ConfigError, FormatError

SignalScale = Literal["raw", "log1p", "asinh"]
ExpressionScale = Literal["raw", "log2", "asinh"]
Numbers = npt.NDArray[np.floating[Any]]

READ_KINDS = ("bam", "bed")
_READS = 1e6

# Scale -> function, and the smallest number that it is defined for.
_SIGNAL: Mapping[str, tuple[Callable[[Numbers], Numbers], float]] = {
    "raw": (np.asarray, -np.inf),
    "log1p": (np.log1p, 0.0),
    "asinh": (np.arcsinh, -np.inf),
}
_EXPRESSION: Mapping[str, tuple[Callable[[Numbers], Numbers], float]] = {
    "raw": (np.asarray, -np.inf),
    "log2": (lambda values: np.log2(values + 1), 0.0),
    "asinh": (np.arcsinh, -np.inf),
}


def check_scales(signal: str, expression: str) -> None:
    """Refuse the name of a scale that there is not, before long work begins."""
    for name, given, known in (
        ("scale", signal, get_args(SignalScale)),
        ("expression-scale", expression, get_args(ExpressionScale)),
    ):
        if given not in known:
            raise ConfigError(
                "no such scale", record=f"--{name}", found=given, expected=", ".join(known)
            )


def scale_signal(values: Numbers, scale: str, *, record: str = "") -> npt.NDArray[np.float32]:
    """Put signal on a scale: as it is, log(x + 1), or asinh(x).

    Parameters
    ----------
    values
        Any shape, finite.
    scale
        ``raw``, ``log1p`` (natural logarithm; refused below 0) or ``asinh``.
    record
        Whose signal it is, for errors.

    Examples
    --------
    >>> scale_signal(np.array([0.0, np.e - 1]), "log1p").tolist()
    [0.0, 1.0]
    """
    return _scaled(values, _SIGNAL[scale], scale, "a signal", record)


def scale_expression(values: Numbers, scale: str, *, record: str = "") -> npt.NDArray[np.float32]:
    """Put expression on a scale: as it is, log2(x + 1), or asinh(x); NaN stays missing.

    Examples
    --------
    >>> scale_expression(np.array([0.0, 3.0, np.nan]), "log2").tolist()
    [0.0, 2.0, nan]
    """
    return _scaled(values, _EXPRESSION[scale], scale, "an expression", record)


def library_factor(kind: str, total: float, n_bases: int | None, *, record: str) -> float:
    """Give what a file's signal is multiplied with, so that files of any depth compare.

    Reads become reads per million; any other signal gets the mean 1 over the genome.

    Parameters
    ----------
    kind
        ``bam`` or ``bed`` for reads, ``bigwig`` or ``bedgraph`` for signal.
    total
        Number of reads, or the sum of the signal over all bases.
    n_bases
        Length of the genome; None where nobody knows it. Reads do not need it.
    record
        Cell type and mark, for errors.

    Examples
    --------
    >>> library_factor("bam", 2e6, None, record="K562 H3K4me3")
    0.5
    >>> library_factor("bigwig", 50.0, 100, record="K562 H3K4me3")
    2.0
    """
    if not total > 0:
        raise FormatError(
            "a library without signal cannot be divided by its size",
            record=record,
            found=f"a total of {total:g}",
            remedy="Check the file, or leave --library-size out",
        )
    if kind in READ_KINDS:
        return _READS / total
    if n_bases is None:
        raise ConfigError(
            "the mean over the genome needs the length of its chromosomes",
            record=record,
            found=f"a {kind} file, which does not hold them",
            remedy="Give the genome with --fasta, or convert the file to BigWig",
        )
    return n_bases / total


def _scaled(
    values: Numbers, how: tuple[Callable[[Numbers], Numbers], float], scale: str, what: str,
    record: str,
) -> npt.NDArray[np.float32]:  # fmt: skip
    function, smallest = how
    lowest = np.fmin.reduce(values, axis=None, initial=np.inf)  # passes over what is missing
    if lowest < smallest:
        raise FormatError(
            f"{what} below {smallest:g} has no logarithm",
            record=record or None,
            found=f"{lowest:g} with the scale {scale}",
            expected=f"{smallest:g} or more",
            remedy="Use the scale asinh or raw",
        )
    return np.asarray(function(values), dtype=np.float32)
