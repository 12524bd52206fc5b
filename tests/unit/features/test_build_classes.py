"""Datasets whose target is one of several classes, from both builders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, FormatError
from exprimo.features.build_promoters import dataset_promoters
from exprimo.features.build_table import dataset_table

TILES = "core\tchange\tgrade\nACGTA\tup\t1\nTTTTT\t\t2\nACGTC\tnone\t\nGGGAC\tdown\t3\n"


@pytest.fixture
def tiles(tmp_path: Path) -> Path:
    path = tmp_path / "tiles.tsv"
    path.write_text(TILES)
    return path


def test_names_in_the_order_given(tiles: Path, tmp_path: Path) -> None:
    made = dataset_table(
        tiles,
        out=tmp_path / "D.h5",
        sequence="core",
        target="change",
        kind="multiclass",
        classes=["down", "none", "up"],
    )
    assert "Target change: multiclass, 1 down, 1 none, 1 up" in made.lines
    assert dict(made.dropped) == {"no value for change": 1}
    with Dataset.open(tmp_path / "D.h5") as data:
        assert data.targets["change"].classes == ("down", "none", "up")
        assert data.target("change").tolist() == [2, 1, 0]
        assert data.provenance["settings"]["classes"] == ["down", "none", "up"]


def test_sorted_where_no_order_is_given_and_gaps_in_a_further_target(
    tiles: Path, tmp_path: Path
) -> None:
    tiles.write_text(TILES.replace("none", "same"))
    with pytest.raises(FormatError, match="grade: not a column of classes"):
        dataset_table(
            tiles,
            out=tmp_path / "D.h5",
            sequence="core",
            target=["change", "grade"],
            kind="multiclass",
        )
    tiles.write_text(tiles.read_text() + "CCCCC\tup\t2\n")
    dataset_table(
        tiles, out=tmp_path / "D.h5", sequence="core", target=["change", "grade"], kind="multiclass"
    )
    with Dataset.open(tmp_path / "D.h5") as data:
        assert data.targets["change"].classes == ("down", "same", "up")
        assert data.targets["grade"].classes == ("1", "2", "3")
        np.testing.assert_array_equal(data.target("grade"), np.array([0, np.nan, 2, 1], np.float32))


def test_auto_never_guesses_classes(tiles: Path, tmp_path: Path) -> None:
    dataset_table(tiles, out=tmp_path / "D.h5", sequence="core", target="grade")
    with Dataset.open(tmp_path / "D.h5") as data:
        assert data.the_target().kind == "regression"


def test_names_of_classes_need_the_kind(tiles: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="only a target of several classes has names"):
        dataset_table(
            tiles, out=tmp_path / "D.h5", sequence="core", target="grade", classes=["1", "2", "3"]
        )


def test_promoters_by_class_of_their_gene(world, tmp_path: Path) -> None:
    genes = [gene for gene, *_ in world.genes]
    names = ["down", "none", "up"]
    rows = [f"{gene}\t{names[i % 3]}\n" for i, gene in enumerate(genes[:30])]
    rows += [f"{genes[30]}\t\n"]
    table = world.write("change.tsv", "gene_id\tchange\n" + "".join(rows))
    made = dataset_promoters(
        fasta=world.fasta,
        genes=world.gtf,
        out=tmp_path / "D.h5",
        upstream=20,
        downstream=10,
        targets=table,
        kind="multiclass",
        classes=names,
    )
    assert made.n_examples == 30
    with Dataset.open(tmp_path / "D.h5") as data:
        codes = dict(zip(data.column("gene_id").tolist(), data.target("change"), strict=True))
        assert codes == {gene: i % 3 for i, gene in enumerate(genes[:30])}
        assert data.the_target().classes == tuple(names)
