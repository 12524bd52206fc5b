"""How numbers and names are written in a report."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

from exprimo.evaluate import METRICS

ABSENT = "–"

_SPLIT_CLAIMS = {
    "homology": "no test example is homologous to a training example",
    "chromosome": "test examples lie on chromosomes that training never saw",
    "random": "test examples were drawn at random, so near-duplicates may be in training",
    "cell": "test cell types were never seen in training",
    "individual": "test individuals were never seen in training",
    "gene": "test genes were never seen in training",
    "example": "for comparison only: each example is dealt for itself, so its gene and its cell "
    "type may be in training too",
}

_PLURALS = {"homology": "homologies", "identity": "identities", "person": "people"}


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with a true minus sign, or a dash where there is none.

    Examples
    --------
    >>> number(-0.01234), number(12345.6), number(float("nan")), number(3)
    ('−0.012', '12,346', '–', '3')
    >>> number(-0.0), number(-0.0004), number(-0.00001)
    ('0.000', '−0.0004', '−1·10⁻⁵')
    """
    if value is None or math.isnan(value):
        return ABSENT
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if isinstance(value, int):
        text = f"{value:,}"
    elif value == 0:
        text = f"{0:.{digits}f}"  # never "−0.000"
    elif abs(value) < 10.0**-digits:
        small = abs(value) < 10.0 ** -(digits + 1)
        text = power_of_ten(value) if small else f"{value:.{digits + 1}f}"
    elif abs(value) >= 1000:
        text = f"{value:,.0f}"
    else:
        # Four or more significant digits pretend to a precision that intervals deny.
        text = f"{value:.{digits if abs(value) < 10 else 1 if abs(value) >= 100 else 2}f}"
    return text.replace("-", "−")


def power_of_ten(value: float, digits: int = 0) -> str:
    """Write a number as a factor and a power of ten.

    Examples
    --------
    >>> power_of_ten(2.34e-97, 1), power_of_ten(-0.00001)
    ('2.3·10⁻⁹⁷', '−1·10⁻⁵')
    """
    factor, _, exponent = f"{value:.{digits}e}".partition("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{factor}·10{raised}".replace("-", "−")


def interval(low: float | None, high: float | None) -> str:
    """Write an interval in brackets, or say that none is claimed.

    Examples
    --------
    >>> interval(-0.1, 0.25).replace("\\u00a0", " ")
    '[−0.100, 0.250]'
    """
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return "[no interval]"
    return f"[{number(low)},\u00a0{number(high)}]"


def with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """Write a value followed by its interval."""
    return f"{number(value)} {interval(low, high)}"


def percent(share: float | None) -> str:
    """Write a share as a percentage.

    Examples
    --------
    >>> percent(0.8964), percent(1.0)
    ('89.6%', '100%')
    """
    if share is None or math.isnan(share):
        return ABSENT
    return f"{100 * share:.1f}".removesuffix(".0").replace("-", "−") + "%"


def percent_with_interval(share: float, low: float | None, high: float | None) -> str:
    """Write a share and its interval, all three with one decimal.

    Examples
    --------
    >>> percent_with_interval(0.17, 0.158, 0.18).replace("\\u00a0", " ")
    '17.0% [15.8%, 18.0%]'
    """
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return f"{percent(share)} {interval(low, high)}"
    one, two, three = (f"{100 * v:.1f}%".replace("-", "−") for v in (share, low, high))
    return f"{one} [{two},\u00a0{three}]"


def p_value(p: float | None) -> str:
    """Write a p-value; below 0.001 only the bound.

    Examples
    --------
    >>> p_value(0.0004), p_value(0.032)
    ('< 0.001', '0.032')
    """
    if p is None or math.isnan(p):
        return ABSENT
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def counted(n: int, noun: str) -> str:
    """Write a count with its noun in the right number.

    Examples
    --------
    >>> counted(1, "homology group"), counted(1200, "homology group"), counted(2, "person")
    ('1 homology group', '1,200 homology groups', '2 people')
    """
    if n == 1:
        return f"1 {noun}"
    *before, last = noun.split(" ")
    plural = _PLURALS.get(last, last if last.endswith("s") else f"{last}s")
    return f"{n:,} {' '.join([*before, plural])}"


def listed(names: Sequence[str]) -> str:
    """Join names as prose does.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


_COVARIATES = {"gc": "GC content", "cpg": "CpG observed / expected"}


def covariate_words(name: str) -> str:
    """Name a covariate as a reader would.

    Examples
    --------
    >>> covariate_words("gc"), covariate_words("mean_expression")
    ('GC content', 'mean expression')
    """
    return _COVARIATES.get(name, name.replace("_", " "))


# Metrics that are read beside the majority class.
ACCURACIES = ("accuracy", "accuracy_multiclass")


def metric_label(name: str) -> str:
    """Give a metric's name as written on axes and in tables."""
    return METRICS[name].label if name in METRICS else name.replace("_", " ")


def higher_is_better(name: str) -> bool:
    """Tell the direction of a metric; one that is not known is taken for a score."""
    return METRICS[name].higher_is_better if name in METRICS else True


def split_claim(strategy: str) -> str:
    """Say in one clause what a split keeps apart."""
    kind, _, rest = strategy.partition(":")
    if kind in _SPLIT_CLAIMS:
        return _SPLIT_CLAIMS[kind]
    if kind == "column":
        return f"test examples differ from training in {rest}"
    if "*" in strategy:
        return f"test examples are new in each of {listed(strategy.split('*'))}"
    return "see how the split was made under “Data and split”"


def strictness(strategy: str) -> int:
    """Order splits from the strictest (0) to the least strict, `random` and then `example`.

    Examples
    --------
    >>> sorted(["random", "chromosome", "homology"], key=strictness)
    ['homology', 'chromosome', 'random']
    >>> sorted(["example", "gene", "cell", "gene*cell"], key=strictness)
    ['gene*cell', 'cell', 'gene', 'example']
    """
    kind = strategy.partition(":")[0]
    if "*" in kind:
        return 0
    order = {"homology": 0, "cell": 1, "chromosome": 3, "gene": 3, "random": 4, "example": 5}
    return order.get(kind, 2)


def visible(text: str) -> str:
    """Replace characters that HTML and SVG cannot hold, or that reorder the text around them.

    Examples
    --------
    >>> visible("a\\x00b\\u202ec")
    'a�b�c'
    """
    return "".join(
        "�" if unicodedata.category(c) in ("Cc", "Cs", "Cf") and c not in "\n\t" else c
        for c in text
    )


def shortened(text: str, length: int = 28) -> str:
    """Cut a long name in its middle, where names of genes and runs differ least.

    Examples
    --------
    >>> shortened("abcdefghij", 7)
    'abc…hij'
    """
    text = re.sub(r"\s+", " ", visible(text))
    if len(text) <= length:
        return text
    half = (length - 1) // 2
    return f"{text[: length - 1 - half]}…{text[-half:]}"
