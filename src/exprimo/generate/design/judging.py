"""What is said of each design: by the guide, by the judge, and by counting."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.sequence import Codes, decode
from exprimo.generate.design.aim import Aim
from exprimo.generate.design.known import Known, hashes_of
from exprimo.generate.design.predictors import Reader, Values
from exprimo.generate.fidelity.memorisation import nearest_training
from exprimo.generate.fidelity.models import all_keys

NO_JUDGE = "no one else: the guide's own prediction"


class Proposed(NamedTuple):
    """Sequences of one method.

    Attributes
    ----------
    method
        Its name.
    codes
        (n, length).
    baseline
        Whether they stand beside designs only.
    starts, start_names
        What each was edited from, and its name; None without a start.
    measured
        What an assay measured of each; None where there was none.
    """

    method: str
    codes: Codes
    baseline: bool = False
    starts: Codes | None = None
    start_names: list[str] | None = None
    measured: Values | None = None


def judged_by(judge: Reader | None) -> str:
    """Name who judges."""
    return NO_JUDGE if judge is None else judge.run.name


def table_of(
    proposed: list[Proposed], known: Known, guide: Reader, judge: Reader | None, aim: Aim
) -> pd.DataFrame:
    """Give one row per sequence, those of a method one behind the other.

    A sequence that the judge has learned from is not judged (NaN).
    """
    codes = np.concatenate([one.codes for one in proposed])
    keys = np.array(hashes_of(codes))
    guided = guide.told(codes, aim.output)
    said = guided if judge is None else judge.told(codes, aim.output)
    judged, spread = said.mean.copy(), said.sd.copy()
    if judge is not None:
        seen = np.isin(keys, list(all_keys(judge.run.ledger, "sequence")))
        judged[seen], spread[seen] = np.nan, np.nan
    near = nearest_training(codes, known.codes)
    columns = {
        **_who(proposed),
        "target": np.full(len(codes), aim.value),
        "guide": guided.mean,
        "judged": judged,
        "judge_sd": spread,
        "judged_by": judged_by(judge),
        "edits": np.concatenate([_edits(one) for one in proposed]),
        "nearest": known.names[near.row],
        "nearest_edits": near.distance,
        "nearest_proven": near.proven,
        "copy": np.isin(keys, known.keys),
        "gc": np.isin(codes, (1, 2)).mean(axis=1),
        "longest_run": longest_runs(codes),
        "measured": np.concatenate([_or_nan(one.measured, len(one.codes)) for one in proposed]),
        "sequence": [decode(row) for row in codes],
    }
    return pd.DataFrame(columns)


def longest_runs(codes: Codes) -> npt.NDArray[np.int64]:
    """Count the bases of the longest stretch of one base in each sequence, (n,).

    Examples
    --------
    >>> from exprimo.core.sequence import encode
    >>> longest_runs(np.stack([encode("AACCCG"), encode("ACGTAC")])).tolist()
    [3, 1]
    """
    longest = np.ones(len(codes), np.int64)
    running = np.ones(len(codes), np.int64)
    for at in range(1, codes.shape[1]):
        running = np.where(codes[:, at] == codes[:, at - 1], running + 1, 1)
        longest = np.maximum(longest, running)
    return longest


def _who(proposed: list[Proposed]) -> dict[str, list[str]]:
    names, methods, roles, starts = [], [], [], []
    for one in proposed:
        n = len(one.codes)
        stem = one.method.replace(" ", "_")
        names += [f"{stem}_{i + 1}" for i in range(n)]
        methods += [one.method] * n
        roles += ["baseline" if one.baseline else "design"] * n
        starts += one.start_names or [""] * n
    return {"design": names, "method": methods, "role": roles, "start": starts}


def _edits(one: Proposed) -> Values:
    if one.starts is None:
        return np.full(len(one.codes), np.nan)
    return np.asarray((one.codes != one.starts).sum(axis=1), dtype=np.float64)


def _or_nan(values: Values | None, n: int) -> Values:
    return np.full(n, np.nan) if values is None else values
