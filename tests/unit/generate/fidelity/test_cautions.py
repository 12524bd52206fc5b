"""What stands beside the verdict: a set like shuffles, and measures that cannot judge."""

from __future__ import annotations

import pandas as pd
import pytest

from exprimo.generate.fidelity.cautions import cautions

Range = tuple[float, float]


def _table(made: Range, shuffled: Range, real: Range, *, draws: int = 5) -> pd.DataFrame:
    sets = {"generated": made, "dinucleotide shuffle": shuffled, "held-out": real}
    rows = [
        ("position_4mers", name, (low + high) / 2, low, high, 100, draws)
        for name, (low, high) in sets.items()
    ]
    return pd.DataFrame(rows, columns=["measure", "set", "value", "low", "high", "n", "draws"])


def test_a_set_between_held_out_sequences_and_shuffles_needs_no_word() -> None:
    assert cautions(_table((1, 2), (3, 4), (-1, 1)), 100, 100) == ()


@pytest.mark.parametrize("made", [(3.5, 4.5), (5, 6), (2, 3)])
def test_a_set_that_draws_do_not_tell_from_shuffles_is_no_better(made: Range) -> None:
    (note,) = cautions(_table(made, (3, 4), (-1, 1)), 100, 100)
    assert note.startswith("no better than shuffles: position_4mers")
    assert "of dinucleotide shuffles 3.5 [3, 4], of held-out sequences 0 [-1, 1]" in note


def test_a_floor_above_shuffles_cannot_judge() -> None:
    table = _table((1, 2), (3, 4), (5, 6))
    (note,) = cautions(table, 100, 20)
    assert note.startswith("cannot judge here: by position_4mers")
    assert note.endswith("which come in families (100 sequences in 20 groups)")
    assert "families" not in cautions(table, 100, 100)[0]
    # Two draws lie so by chance in one of six.
    assert cautions(table.assign(draws=2), 100, 20) == ()
