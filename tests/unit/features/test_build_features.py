"""Datasets of features without sequence, and half-life tables beside promoters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import exprimo
from exprimo.cli.main import main
from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, FormatError, InputError, MismatchError
from exprimo.features.build_promoters import dataset_promoters
from exprimo.features.halflife import LABELS
from exprimo.splits.names import default_strategy

World = Any


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def made(name: str, header: str, *rows: str) -> Path:
        path = tmp_path / name
        path.write_text(
            "\n".join([header.replace(" ", "\t"), *(r.replace(" ", "\t") for r in rows)])
        )
        return path

    return made


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["exprimo", "dataset", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def test_two_tables_are_joined_by_gene(write: Any, tmp_path: Path) -> None:
    features = write(
        "hl.tsv", "gene_id symbol hours sd",
        "ENSG00000000001.4 A 3 0.5", "ENSG00000000002 B 4 NA", "ENSG00000000003 C NA NA",
        "ENSG00000000004 D 5 0.1", "ENSG00000000005 E 6 0.2",
    )  # fmt: skip
    targets = write(
        "rna.tsv", "gene_id level", "ENSG00000000002 1.5", "ENSG00000000001 2.5",
        "ENSG00000000003 1", "ENSG00000000005 NA", "ENSG00000000009 7",
    )  # fmt: skip
    made = exprimo.dataset_features(
        features, targets=targets, columns=["hours", "sd"], out=tmp_path / "D.h5"
    )
    assert made.dropped == {
        "with a target, but not in the table of features": 1,
        "not in the table of targets": 1,
        "no value of any target": 1,
        "no half-life feature has a value": 1,
    }
    assert made.lines[0].startswith("2 examples of 2 features written to ")
    assert "1 genes lack some half-life features (NaN)" in made.lines
    with Dataset.open(made.path) as data:
        assert data.column("gene_id").tolist() == ["ENSG00000000001", "ENSG00000000002"]
        assert list(data.inputs) == ["halflife"]
        assert data.inputs["halflife"].labels == ("hours", "sd")
        np.testing.assert_array_equal(data.rows("halflife", np.arange(2)), [[3, 0.5], [4, np.nan]])
        assert data.target("level").tolist() == [2.5, 1.5]
        assert data.targets["level"].kind == "regression"


def test_names_are_joined_by_a_table(write: Any, tmp_path: Path) -> None:
    features = write("hl.tsv", "gene_id hours", "TFC3 3", "VPS8 4")
    targets = write("rna.tsv", "gene_id high", "YAL001C 1", "YAL002W 0")
    with pytest.raises(MismatchError, match="no gene of the targets is in the table of features"):
        exprimo.dataset_features(features, targets=targets, out=tmp_path / "D.h5")
    names = write("names.tsv", "YAL001C TFC3", "YAL002W VPS8")
    made = exprimo.dataset_features(
        features, targets=targets, gene_names=names, out=tmp_path / "D.h5"
    )
    with Dataset.open(made.path) as data:
        assert data.column("target_gene_id").tolist() == ["YAL001C", "YAL002W"]
        assert data.targets["high"].kind == "classification"


def test_an_annotation_places_genes_so_that_chromosomes_can_be_held_out(
    world: World, write: Any, tmp_path: Path
) -> None:
    ids = [gene[0] for gene in world.genes]
    features = write("hl.tsv", "gene_id hours", *(f"{g} {n}" for n, g in enumerate([*ids, "far"])))
    targets = write("rna.tsv", "gene_id y", *(f"{g} {n}.5" for n, g in enumerate([*ids, "far"])))
    made = exprimo.dataset_features(
        features, targets=targets, genes=world.gtf, out=tmp_path / "D.h5"
    )
    assert "1 genes not in the annotation: kept without a place" in made.lines
    with Dataset.open(made.path) as data:
        assert data.column("chrom").tolist() == ["chr1"] * 20 + ["chr2"] * 20 + [""]
        assert data.column("tss").tolist() == [*(world.tss(n) for n in range(40)), -1]
    made = exprimo.dataset_features(features, targets=targets, out=tmp_path / "E.h5")
    with Dataset.open(made.path) as data:
        assert default_strategy(data) == "gene"
    strangers = write("other.tsv", "gene_id hours", "far 1")
    with pytest.raises(MismatchError, match="no gene of the features is in the annotation"):
        exprimo.dataset_features(strangers, targets=targets, genes=world.gtf, out=tmp_path / "F.h5")


def test_the_command_and_what_it_refuses(write: Any, command: Any, tmp_path: Path) -> None:
    features = write("hl.tsv", "gene_id symbol hours", "g1 A 3", "g2 B x")
    targets = write("rna.tsv", "gene_id y", "g1 1", "g2 0")
    before = sorted(tmp_path.iterdir())
    out = tmp_path / "D.h5"
    for arguments, said in (
        ([features], "say which columns are half-life features. Found: symbol, hours"),
        ([features, "--column", "hour"], "The nearest name is 'hours'"),
        ([features, "--column", "hours"], "line 3, gene g2, column hours: not a number"),
        ([targets, "--target", "z"], "no such column"),
    ):
        code, said_out, err = command("features", *arguments, "--targets", targets, "-o", out)
        assert (code, said_out) == (2, "")
        assert said in err
        assert sorted(tmp_path.iterdir()) == before
    code, said_out, err = command("features", targets, "--targets", targets, "-o", out, "--json")
    assert (code, err) == (0, "")
    assert json.loads(said_out)["n_examples"] == 2


def build(world: World, **options: Any) -> Any:
    given = {"fasta": world.fasta, "genes": world.gtf, "out": world.folder / "D.h5"}
    return dataset_promoters(**{**given, "upstream": 80, "downstream": 30, **options})


def test_a_table_of_own_features_stands_beside_the_promoters(world: World) -> None:
    table = world.write(
        "hl.tsv", "gene\thours\tmore\ng1_01\t3\t1\nname_g2_05\t4\t\ng1_07\t\t\nstranger\t1\t1\n"
    )
    made = build(world, halflife_table=table, halflife_columns=["hours", "more"])
    assert made.n_examples == 2
    assert made.dropped == {
        "not in the table of half-life features": 37,
        "no half-life feature has a value": 1,
    }
    with Dataset.open(made.path) as data:
        assert data.column("gene_id").tolist() == ["g1_01", "g2_05"]
        np.testing.assert_array_equal(data.rows("halflife", np.arange(2)), [[3, 1], [4, np.nan]])
        assert data.inputs["halflife"].labels == ("hours", "more")
        origin = data.provenance
        assert origin["settings"]["halflife"]["columns"] == ["hours", "more"]
        assert [Path(one["path"]).name for one in origin["sources"]][-1] == "hl.tsv"


def test_computed_features_take_the_transcript_of_the_tss(world: World) -> None:
    made = build(world, halflife=True)
    assert made.n_examples == 40  # the noncoding ones of this world have a CDS, too
    with Dataset.open(made.path) as data:
        assert data.inputs["halflife"].labels == LABELS
        first = data.rows("halflife", np.array([0]))[0]
    # A 5'UTR of 9 bases, 111 of CDS, an intron of 40, no 3'UTR, one junction.
    np.testing.assert_allclose(
        first[[0, 1, 2, 3, 7]], np.log10(np.array([9, 111, 40, 0, 1000 / 111]) + 0.1), rtol=1e-6
    )
    assert np.isnan(first[6])
    assert any(
        "of 40 genes 0 without a 5'UTR, 40 without a 3'UTR (length 0, GC missing)" in line
        and line.startswith("Warning: ")
        for line in made.lines
    )


def test_a_users_own_tss_takes_the_named_or_the_canonical_transcript(world: World) -> None:
    rows = "g1_00\tchr1\t60\t+\tg1_00.t\ng1_02\tchr1\t660\t+\t\n"
    table = world.write("tss.tsv", f"gene_id\tchrom\ttss\tstrand\ttranscript_id\n{rows}")
    made = build(world, halflife=True, tss=table)
    with Dataset.open(made.path) as data:
        values = data.rows("halflife", np.arange(2))
    np.testing.assert_allclose(values[:, 1], np.log10(111.1), rtol=1e-6)


def test_genes_without_cds_are_left_out_and_none_left_is_an_error(world: World) -> None:
    lines = world.gtf.read_text().splitlines(keepends=True)
    world.gtf.write_text("".join(x for x in lines if not ("\tCDS\t" in x and '"g1_03"' in x)))
    made = build(world, halflife=True)
    assert made.dropped == {"no coding sequence, so no half-life features": 1}
    world.gtf.write_text("".join(x for x in lines if "\tCDS\t" not in x))
    with pytest.raises(InputError, match="no gene has a coding sequence"):
        build(world, halflife=True, out=world.folder / "E.h5")


def test_what_does_not_go_together(world: World) -> None:
    table = world.write("hl.tsv", "gene\thours\tmore\ng1_01\t3\t1\n")
    with pytest.raises(ConfigError, match="not both"):
        build(world, halflife=True, halflife_table=table)
    with pytest.raises(ConfigError, match="need their table"):
        build(world, halflife_columns=["hours"])
    with pytest.raises(InputError, match=r"say which columns.*--halflife-column NAME"):
        build(world, halflife_table=table)
    with pytest.raises(InputError, match="no such file"):
        build(world, halflife_table=world.folder / "none.tsv", halflife_columns=["hours"])
    empty = world.write("empty.tsv", "gene\thours\ng1_01\t\n")
    with pytest.raises(InputError, match="no gene has a half-life feature"):
        build(world, halflife_table=empty)
    bad = world.write("bad.tsv", "gene\thours\ng1_01\tlong\n")
    with pytest.raises(FormatError, match="not a number"):
        build(world, halflife_table=bad)


def test_the_promoter_command_takes_both(world: World, command: Any) -> None:
    given = ["--fasta", world.fasta, "--genes", world.gtf, "--upstream", 40, "--downstream", 40]
    code, out, err = command(
        "promoters", *given, "--halflife", "-o", world.folder / "D.h5", "--json"
    )
    assert (code, err) == (0, "")
    assert json.loads(out)["n_examples"] == 40
    table = world.write("hl.tsv", "gene\thours\tmore\ng1_01\t3\t1\n")
    code, out, err = command(
        "promoters", *given, "--halflife-table", table, "--halflife-column", "hours",
        "-o", world.folder / "E.h5", "--json",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert json.loads(out)["n_examples"] == 1
