"""Several tissues."""

from __future__ import annotations

from pathlib import Path

import pytest

from exprimo.core.errors import ConfigError
from exprimo.data.phenotypes import people_by_tissue, read_tissues, tissue_files


def test_names_of_tissues() -> None:
    given = ["liver=l.bed", "data/Brain_Cortex.v8.bed.gz", "runs/a=1/heart.bed"]
    assert tissue_files(given) == {
        "liver": Path("l.bed"),
        "Brain_Cortex": Path("data/Brain_Cortex.v8.bed.gz"),
        "heart": Path("runs/a=1/heart.bed"),
    }
    with pytest.raises(ConfigError, match="two files of one tissue"):
        tissue_files(["a/liver.bed", "b/liver.bed"])
    with pytest.raises(ConfigError, match="NAME=FILE"):
        tissue_files(["liver="])
    with pytest.raises(ConfigError, match="no tissue"):
        tissue_files([])


def test_people_of_each_tissue(tmp_path: Path) -> None:
    for name, people in (("liver", "ann\tbob"), ("brain", "cid\tann")):
        head = f"#chr\tstart\tend\tgene_id\t{people}\n"
        (tmp_path / f"{name}.bed").write_text(head + "1\t9\t10\tg1\t1\t2\n")
    tissues = read_tissues(tissue_files([tmp_path / "liver.bed", tmp_path / "brain.bed"]))
    there = people_by_tissue(tissues)
    assert there.index.tolist() == ["ann", "bob", "cid"]
    assert there["liver"].tolist() == [True, True, False]
    assert there["brain"].tolist() == [True, False, True]
