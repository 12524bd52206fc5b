"""Feature tables: forms, names, and what is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.genetics.stacking.inputs.tables import join_features, read_feature_table


def _write(folder: Path, text: str, name: str = "f.tsv") -> Path:
    path = folder / name
    path.write_text(text.replace(" ", "\t"), encoding="utf-8")
    return path


def test_of_people_and_of_genes_side_by_side(tmp_path):
    people = read_feature_table(_write(tmp_path, "IID age x\nb 5 1\na 3 2\nc 9 9\n"))
    frame = pd.DataFrame(
        {"gene_id": ["g1", "g2"] * 2, "individual": ["a", "a", "b", "b"], "x": [1.0, 2, 3, 4]}
    )
    frame.to_parquet(tmp_path / "p.parquet")
    genes = read_feature_table(tmp_path / "p.parquet")
    assert (people.of_genes, genes.of_genes) == (False, True)
    joined = join_features([people, genes], ["g2", "g1"], ["a", "b"], 5)
    assert joined.names == ("age", "x", "p:x")
    assert joined.values.shape == (1, 2, 2, 3)
    assert joined.values[0].tolist() == [[[3, 2, 2], [5, 1, 4]], [[3, 2, 1], [5, 1, 3]]]


def test_personal_predictions_become_a_feature_a_track(tmp_path):
    text = "gene_id individual haplotype track prediction\n"
    for person, first in (("a", 1), ("b", 5)):
        for copy in (1, 2):
            text += f"g1 {person} {copy} t1 {first + copy}\ng1 {person} {copy} t2 0.5\n"
    found = read_feature_table(_write(tmp_path, text))
    assert found.names == ("t1", "t2")
    assert found.frame["t1"].tolist() == [2.5, 6.5]


def test_features_made_anew_for_each_fold(tmp_path):
    found = read_feature_table(_write(tmp_path, "individual fold x\na 0 1\nb 0 2\na 1 3\nb 1 4\n"))
    joined = join_features([found], ["g"], ["b", "a"], 2)
    assert joined.of_fold(0)[0, :, 0].tolist() == [2, 1]
    assert joined.of_fold(1)[0, :, 0].tolist() == [4, 3]
    with pytest.raises(MismatchError, match="fold 2"):
        join_features([found], ["g"], ["b", "a"], 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name x\na 1\n", "no column of people"),
        ("individual x\na 1\na 2\n", "two rows are of the same person"),
        ("individual x\na NA\n", "feature is missing"),
        ("individual x\na one\n", "not a number"),
        ("individual gene_id\na g\n", "no feature"),
    ],
)
def test_what_cannot_be_used(tmp_path, text, said):
    with pytest.raises(FormatError, match=said):
        read_feature_table(_write(tmp_path, text))


def test_people_or_files_that_are_not_there(tmp_path):
    table = read_feature_table(_write(tmp_path, "individual x\na 1\n"))
    with pytest.raises(MismatchError, match="rows are missing"):
        join_features([table], ["g"], ["a", "z"], 5)
    with pytest.raises(InputError):
        read_feature_table(tmp_path / "none.tsv")
    (tmp_path / "bad.parquet").write_bytes(np.arange(9).tobytes())
    with pytest.raises(FormatError, match="not a parquet file"):
        read_feature_table(tmp_path / "bad.parquet")


def test_the_truth_beside_held_out_predictions_is_no_feature(tmp_path):
    text = "gene_id individual fold observed training_mean p+t\ng1 a 0 5 1 2\ng1 b 1 6 1 3\n"
    found = read_feature_table(_write(tmp_path, text))
    assert (found.names, found.by_fold, found.held_out) == (("p+t",), False, True)


def test_held_out_scores_become_a_feature_a_model(tmp_path):
    text = "gene_id sample fold model observed training_mean predicted\n"
    for person, fold in (("a", 0), ("b", 1)):
        text += f"g1 {person} {fold} p+t 5 1 {fold}\ng1 {person} {fold} baseline 5 1 7\n"
    found = read_feature_table(_write(tmp_path, text))
    assert (set(found.names), found.held_out) == ({"p+t", "baseline"}, True)
    assert found.frame["p+t"].tolist() == [0, 1]


def test_scores_of_people_become_a_feature_a_model(tmp_path):
    text = "gene_id model sample fold score average prediction\n"
    for person, score in (("a", 1), ("b", 2)):
        text += f"g1 p+t {person} -1 {score} 0.1 5.{score}\ng1 baseline {person} -1 7 0.1 8\n"
    found = read_feature_table(_write(tmp_path, text))
    assert (set(found.names), found.by_fold) == ({"p+t", "baseline"}, False)
    assert found.frame["p+t"].tolist() == [5.1, 5.2]
    # Weights of others have no intercept, and so no prediction.
    frame = pd.read_csv(_write(tmp_path, text), sep="\t").assign(prediction=np.nan)
    frame.to_parquet(tmp_path / "scores.parquet")
    others = read_feature_table(tmp_path / "scores.parquet")
    assert others.frame["p+t"].tolist() == [1, 2]


def test_words_that_are_numbered_in_parquet(tmp_path):
    frame = pd.DataFrame({"individual": pd.Categorical(["a", "b"]), "x": [1.0, 2.0]})
    frame.to_parquet(tmp_path / "f.parquet")
    assert read_feature_table(tmp_path / "f.parquet").frame["individual"].tolist() == ["a", "b"]
    frame.assign(sex=pd.Categorical(["f", "m"])).to_parquet(tmp_path / "f.parquet")
    with pytest.raises(FormatError, match=r"column sex, row 1: not a number"):
        read_feature_table(tmp_path / "f.parquet")


@pytest.mark.parametrize("absent", [None, np.nan, ""])
def test_a_row_of_nobody_is_refused(tmp_path, absent):
    frame = pd.DataFrame({"individual": ["a", absent], "x": [1.0, 2.0]})
    frame.to_parquet(tmp_path / "f.parquet")
    with pytest.raises(FormatError, match="individual, row 2: a row without a person"):
        read_feature_table(tmp_path / "f.parquet")


def test_a_time_is_no_feature(tmp_path):
    frame = pd.DataFrame({"individual": ["a", "b"], "born": pd.to_datetime(["1990", "1991"])})
    frame.to_parquet(tmp_path / "f.parquet")
    with pytest.raises(FormatError, match="column born: a feature that is a time"):
        read_feature_table(tmp_path / "f.parquet")
