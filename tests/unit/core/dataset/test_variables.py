"""The register of columns and inputs."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.dataset import COLUMNS, INPUTS
from exprimo.core.dataset.variables import column_spec, input_spec
from exprimo.core.errors import InputError


@pytest.mark.parametrize("name", INPUTS)
def test_each_input_has_rows_first_a_known_type_and_a_meaning(name: str) -> None:
    spec = input_spec(name)
    assert spec.axes[0] == "row"
    assert len(spec.axes) >= 2
    # Eight bytes for keys, which are derived: no array on disk holds more than four for a number.
    assert np.dtype(spec.dtype).itemsize in ((8,) if name == "gene" else (1, 4))
    assert spec.units
    assert spec.meaning


@pytest.mark.parametrize("name", COLUMNS)
def test_what_stands_for_missing_has_the_type_of_its_column(name: str) -> None:
    spec = column_spec(name)
    assert type(spec.missing) is {"string": str, "int64": int, "bool": bool}[spec.dtype]
    assert spec.meaning


def test_an_unknown_input_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="seqence: unknown input") as caught:
        input_spec("seqence")
    assert "sequence, sequence_2, mean_expression, kmers" in str(caught.value)


def test_a_column_of_the_users_own_is_text() -> None:
    assert column_spec("lab").dtype == "string"
