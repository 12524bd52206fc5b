"""Scores of a variant, from what a model predicts for both alleles."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import ConfigError
from exprimo.core.predictor import Floats
from exprimo.scoring.variants.windows.bins import Partners

ScoreKind = Literal["difference", "absolute", "tss", "lfc", "published", "matrix"]
Doubles = npt.NDArray[np.float64]

SIGNED = ("difference", "tss", "lfc", "published", "matrix")
"""Scores with a sign: an allele may raise or lower what is predicted."""
OF_ALL_TRACKS = ("published", "matrix")
"""Scores that are one number over all tracks."""
_MEANING = {
    "difference": "ALT - REF, mean over the bins",
    "absolute": "|ALT - REF|, mean over the bins",
    "tss": "ALT - REF, mean over the three bins around the anchor",
    "lfc": "log2((ALT + 1) / (REF + 1)) of the means over the bins",
    "published": "REF - ALT, sum over all bins of the mean over tracks (the published sign)",
    "matrix": "ALT - REF, sum over all bins and tracks; absolute_score: sum of |ALT - REF|",
}


class Scores(NamedTuple):
    """Scores of some variants in one or several tracks, each (variants, tracks).

    Attributes
    ----------
    ref_pred, alt_pred
        What is predicted, over the bins that are compared: their mean; of ``published`` the sum
        of the mean over tracks, of ``matrix`` the sum over tracks too.
    raw_score
        The score.
    absolute_score
        The sum of absolute differences; of ``matrix`` only.
    """

    ref_pred: Doubles
    alt_pred: Doubles
    raw_score: Doubles
    absolute_score: Doubles | None = None


def score_kind(name: str, *, positive: bool) -> ScoreKind:
    """Check the name of a score for a model whose tracks are positive, or not."""
    for kind in get_args(ScoreKind):
        if kind == name:
            break
    else:
        raise ConfigError("no such score", found=name, expected=", ".join(get_args(ScoreKind)))
    if kind == "lfc" and not positive:
        raise ConfigError(
            "a log fold change needs predictions that cannot be negative",
            found="a model of numbers of either sign",
            expected="a model of coverage tracks, such as enformer",
            remedy="Use --score difference",
        )
    chosen: ScoreKind = kind
    return chosen


def meaning(kind: ScoreKind) -> str:
    """Say what a score is, with its sign.

    Examples
    --------
    >>> meaning("published")
    'REF - ALT, sum over all bins of the mean over tracks (the published sign)'
    """
    return _MEANING[kind]


def score(
    kind: ScoreKind, reference: Floats, alternate: Floats, partners: Partners | None = None
) -> Scores:
    """Score variants by the predictions for both alleles.

    Parameters
    ----------
    kind
        Which score; see `meaning`.
    reference, alternate
        (variants, tracks, bins).
    partners
        Which bin of the alternate shows the DNA of each bin of the reference, (variants, bins);
        -1 leaves the bin out on both sides. None: the same bin. Where no bin is left, NaN.

    Examples
    --------
    >>> reference = np.array([[[1, 3]]], dtype=np.float32)
    >>> alternate = np.array([[[2, 7]]], dtype=np.float32)
    >>> score("difference", reference, alternate).raw_score
    array([[2.5]])
    >>> score("published", reference, alternate).raw_score
    array([[-5.]])
    """
    compared: npt.NDArray[np.bool_] | None = None
    if partners is not None:
        alternate = np.take_along_axis(alternate, np.maximum(partners, 0)[:, None, :], axis=2)
        compared = (partners >= 0)[:, None, :]
        if compared.all():
            compared = None
    if kind in OF_ALL_TRACKS:
        return _of_all(kind, reference, alternate, compared)
    ref, alt = _mean(reference, compared), _mean(alternate, compared)
    if kind == "absolute":
        return Scores(ref, alt, _mean(np.abs(alternate - reference), compared))
    if kind == "lfc":
        return Scores(ref, alt, np.log2((alt + 1) / (ref + 1)))
    return Scores(ref, alt, alt - ref)


def _of_all(
    kind: ScoreKind,
    reference: Floats,
    alternate: Floats,
    compared: npt.NDArray[np.bool_] | None,
) -> Scores:
    weight = 1 / reference.shape[1] if kind == "published" else 1.0
    ref, alt = _sum(reference, compared) * weight, _sum(alternate, compared) * weight
    if kind == "published":
        return Scores(ref, alt, ref - alt)
    return Scores(ref, alt, alt - ref, _sum(np.abs(alternate - reference), compared))


def _mean(values: Floats, compared: npt.NDArray[np.bool_] | None) -> Doubles:
    """Average over bins in double precision, (variants, tracks)."""
    if compared is None:
        return np.asarray(values.mean(axis=2, dtype=np.float64))
    total: Doubles = np.where(compared, values, 0).sum(axis=2, dtype=np.float64)
    count = np.broadcast_to(compared.sum(axis=2), total.shape)
    found = np.full_like(total, np.nan)
    np.divide(total, count, out=found, where=count > 0)
    return found


def _sum(values: Floats, compared: npt.NDArray[np.bool_] | None) -> Doubles:
    """Add up bins and tracks in double precision, (variants, 1)."""
    kept = values if compared is None else np.where(compared, values, np.float32(0))
    total = kept.sum(axis=(1, 2), dtype=np.float64)[:, None]
    if compared is not None:
        total[~compared.any(axis=2)] = np.nan
    return np.asarray(total)
