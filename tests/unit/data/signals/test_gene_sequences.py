"""Sequences of genes as lines of text."""

from __future__ import annotations

from pathlib import Path

import pytest

from exprimo.core.errors import FormatError
from exprimo.data.signals import read_gene_sequences


@pytest.mark.parametrize("header", ["", "gene_id,sequence\n"])
def test_sequences_become_codes(tmp_path: Path, header: str) -> None:
    path = tmp_path / "s.csv"
    path.write_text(f"{header}g1,ACGT\n\ng2\tnnTT\r\n")
    found = read_gene_sequences(path)
    assert found.genes == ("g1", "g2")
    assert found.codes.dtype == "uint8"
    assert found.codes.tolist() == [[0, 1, 2, 3], [4, 4, 3, 3]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("g1,ACGT\ng2,ACG\n", "line 2, gene g2: sequences of two lengths. Found: 3 bases"),
        ("g1,ACGT\ng1,ACGT\n", "the same gene occurs twice"),
        ("g1,ACXT\n", "line 1, gene g1, base 3: not a DNA letter"),
        ("g1,ACGT\ng2\n", "line 2: not a gene id and a sequence"),
        ("g1,ACGT,1\n", "line 1: not a gene id and a sequence"),
        ("gene,sequence\n", "no sequences in this file"),
        ("", "the file is empty"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(FormatError, match=message):
        read_gene_sequences(tmp_path / "s.csv")
