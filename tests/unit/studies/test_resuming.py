"""What an interrupted study may go on with."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from exprimo.core.errors import ConfigError, InputError
from exprimo.core.files.provenance import describe_origin
from exprimo.labels import DgeConfig
from exprimo.studies.differential.config import Promoters
from exprimo.studies.differential.promoters import read_by_id
from exprimo.studies.resuming import check_sources_kept


def test_a_file_that_changed_since_is_named(tmp_path: Path) -> None:
    sheet = tmp_path / "samples.tsv"
    sheet.write_text("sample\tstatus\ns1\ta\ns2\tb\n")
    origin = describe_origin([sheet], format_version=1)
    check_sources_kept(origin, tmp_path / "dge")
    sheet.write_text("sample\tstatus\ns1\tb\ns2\ta\n")
    with pytest.raises(InputError, match=r"samples\.tsv.*has changed since"):
        check_sources_kept(origin, tmp_path / "dge")


def test_genes_may_be_called_nan(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("gene_id\tlabel\tdirection\nnan\t1\tup\nNA\t\t\nnull\t0\t\n")
    table = read_by_id(path)
    assert table["gene_id"].tolist() == ["nan", "NA", "null"]
    assert table["label"].isna().tolist() == [False, True, False]
    assert pd.isna(table["direction"][2])


def test_questions_without_an_answer_are_refused() -> None:
    with pytest.raises(ConfigError, match="set it above 0"):
        DgeConfig.checked({"design": "~ a", "alternative": "lessAbs"})
    with pytest.raises(ConfigError, match="no base would be read"):
        Promoters.checked({"fasta": "g", "genes": "a", "upstream": 0, "downstream": 0})
