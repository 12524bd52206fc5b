"""What was checked of an explanation, what came out, and the files that say so."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pandas as pd

from exprimo.core.errors import FormatError
from exprimo.core.files.versions import check_format_version
from exprimo.core.run import write_json
from exprimo.evaluate.results import FEW_GROUPS, Estimate

FAITHFULNESS_FILE, TABLE_FILE = "faithfulness.json", "faithfulness.tsv"
CURVES_FILE = "faithfulness_curves.tsv"
FAITHFULNESS_FORMAT = 1
CURVE_COLUMNS = ("input", "curve", "order", "share", "mean", "low", "high")

Passed = Literal["yes", "no", "not judged"]


class Check(NamedTuple):
    """One check.

    Attributes
    ----------
    check, input
        What was checked, of which input; empty where it concerns all.
    value, low, high
        What came out, with its 95% interval; NaN where there is none.
    baseline
        What it is compared with.
    passed
        ``yes``, ``no`` or ``not judged``.
    words
        What that means.
    failing
        What a picture says if it fails.
    n, n_groups, unit
        Examples, and the units that the interval resamples.
    """

    check: str
    input: str
    value: float
    low: float
    high: float
    baseline: float
    passed: Passed
    words: str
    failing: str
    n: int
    n_groups: int
    unit: str


def judged(
    name: str,
    input: str,
    found: Estimate,
    baseline: float,
    words: str,
    failing: str,
    *,
    at_most: float | None = None,
) -> Check:
    """Judge an estimate: its interval must lie above the baseline, or below a bound.

    With fewer than ten independent units nothing is judged.

    Parameters
    ----------
    at_most
        The bound below which the interval must lie, in place of the baseline.

    Examples
    --------
    >>> judged("deletion", "sequence", Estimate(0.3, 0.1, 0.5, 50, 50, "gene"), 0, "", "").passed
    'yes'
    >>> judged("deletion", "sequence", Estimate(0.3, 0.1, 0.5, 5, 5, "gene"), 0, "", "").passed
    'not judged'
    """
    passed: Passed = "not judged"
    if not found.few_groups:
        good = found.low > baseline if at_most is None else found.high < at_most
        passed = "yes" if good else "no"
    else:
        words = f"{words} Not judged: fewer than {FEW_GROUPS} independent units."
    return Check(
        name, input, found.value, found.low, found.high, baseline, passed, words, failing,
        found.n, found.n_groups, found.unit,
    )  # fmt: skip


def unjudged(name: str, input: str, found: Estimate, baseline: float, words: str) -> Check:
    """Report an estimate that no verdict rests on."""
    return Check(
        name, input, found.value, found.low, found.high, baseline, "not judged", words, "",
        found.n, found.n_groups, found.unit,
    )  # fmt: skip


class Verdict(NamedTuple):
    """The checks of an explanation, and what they add up to.

    Examples
    --------
    >>> Verdict(()).word, Verdict(()).banner()
    ('unchecked', 'Not checked for faithfulness')
    """

    checks: tuple[Check, ...]

    @property
    def word(self) -> str:
        """Give ``passes``, ``fails``, ``not judged`` or ``unchecked``."""
        return self.of(None)

    @property
    def short(self) -> dict[str, Any]:
        """Give ``verdict`` and ``failures``, for ``interpretation.json``."""
        return {"verdict": self.word, "failures": list(self.failures())}

    def of(self, input: str | None) -> str:
        """Give the verdict on what concerns one input; None: on all."""
        results = {check.passed for check in self._about(input)}
        if not results:
            return "unchecked"
        if "no" in results:
            return "fails"
        return "passes" if "yes" in results else "not judged"

    def failures(self, input: str | None = None) -> tuple[str, ...]:
        """Give what pictures of an input say of the checks that failed."""
        failed = [check.failing for check in self._about(input) if check.passed == "no"]
        return tuple(dict.fromkeys(failed))

    def banner(self, input: str | None = None) -> str:
        """Give what stands on a picture; empty where it passes."""
        word = self.of(input)
        if word == "fails":
            return "Fails its check: " + "; ".join(self.failures(input))
        if word == "not judged":
            return "Not judged: too few independent examples to check it"
        if word == "unchecked":
            return "Not checked for faithfulness"
        return ""

    def _about(self, input: str | None) -> list[Check]:
        return [c for c in self.checks if input is None or c.input in ("", input)]


UNCHECKED = Verdict(())


def write_verdict(
    folder: Path,
    verdict: Verdict,
    settings: Mapping[str, Any],
    curves: pd.DataFrame | None = None,
) -> None:
    """Write ``faithfulness.json``, ``.tsv`` and the curves.

    Parameters
    ----------
    settings
        Of the checks.
    curves
        Columns `CURVE_COLUMNS`.
    """
    checks = [
        {k: _plain(v) for k, v in check._asdict().items()} for check in verdict.checks
    ]  # fmt: skip
    whole = {
        "format_version": FAITHFULNESS_FORMAT,
        **verdict.short,
        "settings": dict(settings),
        "checks": checks,
    }
    write_json(folder / FAITHFULNESS_FILE, whole)
    table = pd.DataFrame(verdict.checks, columns=Check._fields).drop(columns="failing")
    _write(table, folder / TABLE_FILE)
    if curves is not None and not curves.empty:
        _write(curves, folder / CURVES_FILE)


def read_verdict(folder: Path) -> Verdict:
    """Read the verdict of an explanation; one without a file is unchecked."""
    path = folder / FAITHFULNESS_FILE
    if not path.is_file():
        return UNCHECKED
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        version = found.get("format_version")
        check_format_version(version, FAITHFULNESS_FORMAT, file=path, what="faithfulness")
        return Verdict(tuple(_check(one) for one in found["checks"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(
            "not a verdict on an explanation",
            file=path,
            found=str(error)[:200],
            remedy="Explain again with: exprimo explain",
        ) from error


def _check(found: Mapping[str, Any]) -> Check:
    known: dict[str, Any] = {
        name: math.nan if found[name] is None else found[name] for name in Check._fields
    }
    return Check(**known)


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write(table: pd.DataFrame, path: Path) -> None:
    with open(path, "w", encoding="utf-8", newline="") as handle:
        table.to_csv(handle, sep="\t", index=False, float_format="%.7g", lineterminator="\n")
