"""What the builder reads beside signal: names of files, and expression in two layouts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from exprimo.core.errors import ConfigError, InputError
from exprimo.features.chromatin.expression import read_expression
from exprimo.features.chromatin.from_binned import BinnedFile
from exprimo.features.chromatin.spool import Spool


def test_a_binned_file_may_have_colons(tmp_path: Path) -> None:
    odd = tmp_path / "a:b.npz"
    odd.touch()
    assert BinnedFile.parse(str(odd)) == BinnedFile(None, odd)
    assert BinnedFile.parse("E003:b.npz") == BinnedFile("E003", Path("b.npz"))
    with pytest.raises(ConfigError, match="CELL:FILE"):
        BinnedFile.parse("E003:")


def test_wide_and_long_expression_are_the_same(tmp_path: Path) -> None:
    wide, long = tmp_path / "wide.tsv", tmp_path / "long.tsv"
    wide.write_text("gene_id\tA\tB\ng1\t1\t2\ng2\tNA\t4\n")
    long.write_text("cell_type,gene_id,expression\nA,g1,1\nB,g1,2\nC,g1,9\nB,g2,4\n")
    assert list(read_expression(long).columns) == ["A", "B", "C"]
    for path in (wide, long):
        found = read_expression(path, ["B", "A"])
        assert found.index.tolist() == ["g1", "g2"]
        np.testing.assert_array_equal(found.to_numpy(), [[2.0, 1.0], [4.0, np.nan]])
        with pytest.raises(InputError, match=r"no such cell type.*'b'.*nearest name is 'B'"):
            read_expression(path, ["b"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gene_id\tcell_type\texpression\ng1\tA\t1\ng1\tA\t2\n", "line 3, gene g1, cell type A"),
        ("gene_id\tcell_type\texpression\ng1\tA\thigh\n", "not a number"),
        ("gene_id\tcell_type\texpression\n\tA\t1\n", "without a gene or a cell type"),
        ("gene_id\tcell_type\tvalue\ng1\tA\t1\n", "no such column"),
        ("gene_id\tcell_type\texpression\n", "no genes"),
        ("gene_id\tA\ng1\tinf\n", "not a number"),
    ],
)
def test_bad_tables_of_expression(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "e.tsv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_expression(path)


def test_a_spool_gives_back_what_it_got(tmp_path: Path) -> None:
    rows = np.arange(60, dtype=np.float32).reshape(10, 2, 3)
    with Spool(tmp_path) as spool:
        assert list(spool.rows(0, 3)) == []
        for some in (rows[:4], rows[4:4], rows[4:]):
            spool.append(some)
        assert len(spool) == 10
        np.testing.assert_array_equal(np.concatenate(list(spool.rows(3, 9))), rows[3:9])
        with pytest.raises(ValueError, match="beside"):
            spool.append(rows.astype(np.float64))
    assert list(tmp_path.iterdir()) == [], "the file has no name"
