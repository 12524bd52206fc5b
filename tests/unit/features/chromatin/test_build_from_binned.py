"""The builder on files that are binned already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, FormatError, InputError, MismatchError
from exprimo.features.chromatin import attach_kmer_bins, dataset_chromatin
from exprimo.splits import make_split

MARKS = ("k4", "k27", "k36", "k9", "k1")
GENES = (11, 12, 13)


def signal(seed: int) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).gamma(2.0, size=(len(GENES), 5, 4)).round(3)


def published(path: Path, cells: dict[str, int], *, expression: bool = True) -> Path:
    """Write an NPZ of cell types: (genes, bins, gene id + five marks + expression)."""
    arrays = {}
    for cell, seed in cells.items():
        columns = [np.broadcast_to(np.array(GENES)[:, None, None], (3, 4, 1))]
        columns.append(signal(seed).transpose(0, 2, 1))
        if expression:
            levels = np.arange(3.0) + seed + 0.5
            columns.append(np.broadcast_to(levels[:, None, None], (3, 4, 1)))
        arrays[cell] = np.concatenate(columns, axis=2)
    np.savez(path, **arrays)  # type: ignore[arg-type]  # names of arrays are free
    return path


def build(folder: Path, *binned: object, **options: Any) -> Any:
    return dataset_chromatin(
        binned=[str(one) for one in binned], out=folder / "D.h5", marks=MARKS, **options
    )


def test_the_published_arrays_with_their_sequences(tmp_path: Path) -> None:
    stack = published(tmp_path / "train.npz", {"C1": 1, "C2": 2})
    sequences = tmp_path / "seq.csv"
    sequences.write_text("13,AAAAAAAAAAAA\n11,ACGTACGTACGT\n99,CCCCCCCCCCCC\n")
    made = build(tmp_path, stack, sequences=sequences)
    assert (made.n_examples, dict(made.dropped)) == (4, {"no sequence": 2})
    with Dataset.open(made.path) as data:
        assert data.column("example_id").tolist() == ["C1_11", "C1_13", "C2_11", "C2_13"]
        assert not {"chrom", "file"} & {*data.columns}
        expected = np.concatenate([signal(seed)[[0, 2]] for seed in (1, 2)])
        np.testing.assert_allclose(data.rows("signal", np.arange(4)), expected, rtol=1e-6)
        kept = expected[2:]
        statistics = np.concatenate([kept.mean(axis=0), kept.std(axis=0)])
        np.testing.assert_allclose(data.rows("cell_context", np.array([3]))[0], statistics, 1e-5)
        np.testing.assert_array_equal(data.target("expression"), [1.5, 3.5, 2.5, 4.5])
        assert data.inputs["sequence"].n_distinct == 2
        assert attach_kmer_bins(data)
        # Bins of three bases hold one 3-mer each: ACG, TAC, GTA, CGT.
        counts = data.rows("kmer_bins", np.array([2]))[0]
        labels = data.inputs["kmer_bins"].labels
        assert [labels[at] for at in counts.argmax(axis=0)] == ["ACG", "TAC", "GTA", "CGT"]
        assert data.provenance["settings"]["bin_size"] == 3
        assert data.provenance["settings"]["scale"] == "raw"


def test_one_cell_type_in_several_files_has_one_context(tmp_path: Path) -> None:
    rows = {"a": (1.0, 0), "b": (3.0, 1)}
    for name, (value, label) in rows.items():
        (tmp_path / f"{name}.csv").write_text(
            "".join(f"g{name},{at},{value},0,0,0,0,{label}\n" for at in (1, 2))
        )
    made = build(tmp_path, *(f"E003:{tmp_path}/{name}.csv" for name in rows))
    with Dataset.open(made.path) as data:
        assert data.column("example_id").tolist() == ["E003_ga", "E003_gb"]
        assert data.column("file").tolist() == ["a", "b"]
        assert data.inputs["cell_context"].n_distinct == 1
        assert data.rows("cell_context", np.array([0]))[0, 0].tolist() == [2.0, 2.0]
        assert data.targets["label"].kind == "classification"
        assert data.target("label").tolist() == [0.0, 1.0]


def deepchrome(path: Path, genes: str) -> Path:
    """Write a table of genes named by letters, labelled in turn, in two bins of one mark each."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        "".join(f"{g},{at},{n}.5,{n % 2}\n" for n, g in enumerate(genes) for at in (1, 2))
    )
    return path


def test_the_usual_three_files_are_the_parts_of_a_split(tmp_path: Path) -> None:
    parts = {"train": "abcdef", "valid": "ghi", "test": "jklm"}
    files = [deepchrome(tmp_path / "E1" / f"{name}.csv", genes) for name, genes in parts.items()]
    binned = [f"E1:{file}" for file in files]
    made = dataset_chromatin(binned=binned, marks=["k4"], out=tmp_path / "D.h5")
    assert "1 cell type (E1), 1 mark (k4)" in made.lines
    with Dataset.open(made.path) as data:
        split = make_split(data, "column:file")
    assert split.part.tolist() == ["train"] * 6 + ["val"] * 3 + ["test"] * 4
    again = deepchrome(tmp_path / "E1" / "more.csv", "zc")
    with pytest.raises(FormatError, match="E1_c: an example id occurs twice"):
        dataset_chromatin(binned=[*binned, f"E1:{again}"], marks=["k4"], out=tmp_path / "E.h5")


def test_expression_from_a_table_and_places_from_an_annotation(tmp_path: Path) -> None:
    stack = published(tmp_path / "eval.npz", {"C1": 1, "C2": 2}, expression=False)
    table = tmp_path / "e.tsv"
    table.write_text(
        "gene_id\tcell_type\texpression\nalpha\tC1\t3\nalpha\tC2\t1\n13\tC2\t7\nx\tC1\t1\n"
    )
    names, genes = tmp_path / "names.tsv", tmp_path / "g.bed"
    names.write_text("alpha\t11\n")
    genes.write_text("I\t5\t9\t11\t0\t-\n")
    made = build(
        tmp_path, stack, expression=table, expression_scale="log2", gene_names=names, genes=genes
    )
    assert dict(made.dropped) == {"not in the table of expression": 2}
    assert any("1 genes not in the annotation" in line for line in made.lines)
    assert "1 genes of e.tsv are not in the binned files (such as x)" in made.lines
    with Dataset.open(made.path) as data:
        assert data.column("example_id").tolist() == ["C1_11", "C1_13", "C2_11", "C2_13"]
        np.testing.assert_array_equal(data.target("expression"), [2.0, np.nan, 1.0, 3.0])
        assert data.column("chrom").tolist() == ["I", "", "I", ""]
        assert data.column("tss").tolist() == [8, -1, 8, -1]


def test_cell_types_without_expression_are_missing_not_zero(tmp_path: Path) -> None:
    train = published(tmp_path / "train.npz", {"C1": 1})
    unseen = published(tmp_path / "eval.npz", {"C2": 2}, expression=False)
    with Dataset.open(build(tmp_path, train, unseen).path) as data:
        np.testing.assert_array_equal(data.target("expression"), [1.5, 2.5, 3.5, *[np.nan] * 3])


def refused(folder: Path, kind: type[Exception], message: str, *files: object, **more: Any) -> None:
    with pytest.raises(kind, match=message):
        build(folder, *files, **more)
    assert not (folder / "D.h5").exists()
    assert not list(folder.glob(".D*"))


def test_what_does_not_fit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    stack = published(tmp_path / "train.npz", {"C1": 1})
    other = tmp_path / "other.npz"
    np.savez(other, signal=np.zeros((1, 5, 3)), gene_id=np.array(["a"]), marks=np.array(MARKS))
    short, strange = tmp_path / "short.csv", tmp_path / "strange.csv"
    short.write_text("11,ACGTA\n")
    strange.write_text("g1,ACGT\n")
    table = tmp_path / "e.tsv"
    table.write_text("gene_id\tC1\n11\t1\n")
    refused(tmp_path, MismatchError, "different numbers of bins.*Found: 3.*4", stack, other)
    refused(tmp_path, MismatchError, "do not divide.*5 bases and 4 bins", stack, sequences=short)
    refused(tmp_path, MismatchError, "no gene.*Found: g1.*11, 12", stack, sequences=strange)
    refused(tmp_path, ConfigError, "in the binned files and in a table", stack, expression=table)


def test_marks_that_differ_name_cell_and_mark(tmp_path: Path) -> None:
    for name, marks in (("a", ["k4", "k9"]), ("b", ["k9", "k4"]), ("c", ["k4", "k1"])):
        values = np.array([[[1.0], [2.0]]]) if name == "a" else np.array([[[2.0], [1.0]]])
        np.savez(
            tmp_path / f"{name}.npz", signal=values, gene_id=np.array(["g"]), marks=np.array(marks)
        )
    a, b, c = (f"{name}:{tmp_path}/{name}.npz" for name in "abc")
    made = dataset_chromatin(binned=[a, b], out=tmp_path / "D.h5")
    with Dataset.open(made.path) as data:
        assert data.rows("signal", np.arange(2)).tolist() == [[[1.0], [2.0]]] * 2
    with pytest.raises(MismatchError, match=r"cell type c, mark k1.*different marks"):
        dataset_chromatin(binned=[a, c], out=tmp_path / "E.h5")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        dataset_chromatin(binned=[f"A:{tmp_path / 'none.csv'}"], out=tmp_path / "D.h5")
    assert not (tmp_path / "D.h5").exists()
