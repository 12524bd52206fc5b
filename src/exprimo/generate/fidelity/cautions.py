"""What a reader must know beside the verdict: a set like shuffles, measures that cannot judge."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from exprimo.generate.reference import SHUFFLE

GENERATED, REAL = "generated", "held-out"
PLACE = "position_4mers"
_FEWEST_DRAWS = 3
# Measures of distance: the smaller, the nearer to held-out sequences.
_DISTANCES = ("kmers_", "position_4mers", "gc_", "motif_", "two_sample", "activity_distance")


class _Row(NamedTuple):
    value: float
    low: float
    high: float
    draws: int


_Rows = dict[tuple[str, str], _Row]


def cautions(measures: pd.DataFrame, held_out: int, groups: int) -> tuple[str, ...]:
    """Say where generated sequences are no nearer than shuffles, and what cannot be judged.

    Parameters
    ----------
    measures
        measure, set, value, low, high and draws, as `exprimo.generate.fidelity.comparing` gives.
    held_out, groups
        Held-out sequences, and the groups of kin that they come in.

    Examples
    --------
    >>> rows = [("generated", 3.3, 3.2, 3.4), ("dinucleotide shuffle", 3.4, 3.2, 3.5),
    ...         ("held-out", 0.0, -0.1, 0.1)]
    >>> table = pd.DataFrame(rows, columns=["set", "value", "low", "high"])
    >>> cautions(table.assign(measure="position_4mers", draws=5), 139, 139)
    ('no better than shuffles: position_4mers is 3.3 [3.2, 3.4], of dinucleotide shuffles 3.4 \
[3.2, 3.5], of held-out sequences 0 [-0.1, 0.1]',)
    """
    told = []
    rows: _Rows = {
        (str(row["measure"]), str(row["set"])): _Row(*(row[name] for name in _Row._fields))
        for row in measures.to_dict("records")
    }
    made, shuffled, real = (rows[PLACE, one] for one in (GENERATED, SHUFFLE, REAL))
    if made.high >= shuffled.low:
        told.append(
            f"no better than shuffles: {PLACE} is {_written(made)}, of {SHUFFLE}s "
            f"{_written(shuffled)}, of held-out sequences {_written(real)}"
        )
    if blind := [name for name, of in rows if of == REAL and _blind(rows, name)]:
        why = (
            f", which come in families ({held_out:,} sequences in {groups:,} groups)"
            if groups < held_out
            else ""
        )
        told.append(
            f"cannot judge here: by {', '.join(blind)} shuffles lie nearer to held-out sequences "
            f"than other held-out ones do{why}"
        )
    return tuple(told)


def _blind(rows: _Rows, measure: str) -> bool:
    """Tell whether held-out sequences are farther than shuffles in every draw."""
    real, shuffled = rows[measure, REAL], rows[measure, SHUFFLE]
    return (
        measure.startswith(_DISTANCES) and real.draws >= _FEWEST_DRAWS and real.low > shuffled.high
    )


def _written(row: _Row) -> str:
    return f"{row.value:.3g} [{row.low:.3g}, {row.high:.3g}]"
