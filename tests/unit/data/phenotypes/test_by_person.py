"""Expression for the people that are asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from exprimo.core.errors import FormatError, MismatchError
from exprimo.data.phenotypes.by_person import read_expression


def write(folder: Path, *lines: str) -> Path:
    path = folder / "e.tsv"
    path.write_text("".join("\t".join(line.split()) + "\n" for line in lines))
    return path


def test_a_bed_gives_people_in_the_order_asked_for(tmp_path: Path) -> None:
    path = write(
        tmp_path, "#chr start end gene_id ann bob", "1 4 5 ENSG00000000001.7 1.5 2", "1 8 9 g2 NA 3"
    )
    found = read_expression(path, ["bob", "cid", "ann"])
    assert found.columns.tolist() == ["bob", "cid", "ann"]
    assert found.index.tolist() == ["ENSG00000000001", "g2"]
    np.testing.assert_array_equal(found.to_numpy(), [[2, np.nan, 1.5], [3, np.nan, np.nan]])


def test_other_people_and_genes_that_become_one_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "gene_id ann", "ENSG00000000001.7 1", "ENSG00000000001.8 2")
    with pytest.raises(MismatchError, match="no person"):
        read_expression(path, ["bob"])
    with pytest.raises(FormatError, match="same gene id"):
        read_expression(path, ["ann"])
