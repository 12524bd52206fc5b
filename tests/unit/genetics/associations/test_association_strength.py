"""How strong associations are, worked out or refused; rows that are one row twice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from exprimo.core.errors import FormatError, InputError
from exprimo.genetics.associations import (
    of_one_trait,
    people_of_mapping,
    read_associations,
    size_of_p,
)

HEAD = "chrom\tpos\tea\toa\tbeta\tse\tor\teaf\tp\tmlogp\n"


def _read(path, *rows, columns=None):
    (path / "t.tsv").write_text(HEAD + "\n".join(rows) + "\n")
    return read_associations(path / "t.tsv", columns=columns)


def test_sizes_are_those_of_the_normal_distribution():
    p = np.array([0.9, 0.05, 1e-8, 1e-250])
    np.testing.assert_allclose(size_of_p(p), stats.norm.isf(p / 2), rtol=1e-12)
    np.testing.assert_allclose(size_of_p(np.nan, -np.log10(p)), size_of_p(p), rtol=1e-12)
    # 2 phi(z) / z (1 - 1 / z^2) is p far out (Mills' ratio).
    z = size_of_p(0.0, 1000.0)
    log10 = (np.log(2) + stats.norm.logpdf(z) - np.log(z) + np.log1p(-(z**-2))) / np.log(10)
    assert log10 == pytest.approx(-1000, abs=1e-6)


def test_p_by_its_logarithm_has_no_floor(tmp_path):
    found = _read(tmp_path, "1\t10\tA\tG\t2\tNA\tNA\tNA\tNA\t1000").rows.iloc[0]
    assert found["z"] == pytest.approx(67.796, abs=1e-3)
    assert found["se"] == pytest.approx(2 / found["z"])
    assert found["p"] == 0


def test_a_p_of_0_tells_no_strength(tmp_path):
    rows = (
        "1\t10\tA\tG\t2\tNA\tNA\tNA\t0\tNA",
        "1\t11\tA\tG\t2\t0.02\tNA\tNA\t0\tNA",
    )
    found = _read(tmp_path, *rows).rows
    assert found[["se", "z", "size"]].isna().all(axis=1).tolist() == [True, False]
    assert found["z"].iloc[1] == pytest.approx(100)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("0.1\t0.1\tNA\tNA\t1.5\tNA", "p-value outside of 0 to 1.*1.5"),
        ("0.1\t0.1\tNA\tNA\t-1\tNA", "p-value outside of 0 to 1.*-1"),
        ("0.1\t-0.1\tNA\tNA\t0.5\tNA", "standard error below 0.*-0.1"),
        ("inf\t0.1\tNA\tNA\t0.5\tNA", "beta without end.*inf"),
        ("0.1\tinf\tNA\tNA\t0.5\tNA", "se without end.*inf"),
        ("0.1\t0.1\tNA\t1.3\t0.5\tNA", "frequency outside of 0 to 1.*1.3"),
        ("0.1\t0.1\tNA\t37\t0.5\tNA", "frequency outside of 0 to 1.*37"),
        ("NA\t0.1\t-1\tNA\t0.5\tNA", "odds ratio below 0.*-1"),
        ("0.1\t0.1\tNA\tNA\tNA\t-3", "-log10 of a p-value below 0.*-3"),
    ],
)
def test_numbers_that_cannot_be_are_refused(row, told, tmp_path):
    right = "1\t10\tA\tG\t0.1\t0.1\tNA\tNA\t0.5\tNA"
    with pytest.raises(FormatError, match=rf"t.tsv, row 2: an? ?{told}|t.tsv, row 2: {told}"):
        _read(tmp_path, right, f"1\t11\tA\tG\t{row}")


def test_a_row_of_parquet_is_named_by_its_place(tmp_path, monkeypatch):
    monkeypatch.setattr("exprimo.genetics.associations.files._CHUNK_ROWS", 2)
    rows = pd.DataFrame({"gene_id": list("abab"), "variant_id": "1:5:A:G", "p": [0.1, 0.2, 0.3, 9]})
    rows.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(FormatError, match=r"row 4.*Found: 9"):
        read_associations(tmp_path / "t.parquet", genes=["b"])


def test_fits_that_failed_are_counted(tmp_path):
    found = _read(
        tmp_path,
        "1\t10\tA\tG\t0.1\t0.1\tNA\tNA\t0.5\tNA",
        "1\t11\tA\tG\t0.1\t0\tNA\tNA\t0.5\tNA",
        "1\t12\tA\tG\tNA\t0.1\t0\tNA\t0.5\tNA",
        "1\t13\tA\tG\tNA\tNA\tNA\tNA\tNA\tNA",
    )
    assert found.rows["pos"].tolist() == [10]
    assert sorted(found.dropped.values()) == [1, 2]


def test_a_row_that_repeats_another_is_kept_once(tmp_path):
    row = "1\t10\tA\tG\t0.1\t0.1\tNA\tNA\tNA\tNA"
    found = _read(tmp_path, row, row, row.replace("A\tG", "A\tC"), row)
    assert found.rows["ref"].tolist() == ["G", "C"]
    assert found.dropped == {"rows that repeat another word for word": 2}
    # What differs is kept: whoever matches variants leaves out both, and counts them.
    assert len(_read(tmp_path, row, row.replace("0.1", "0.2")).rows) == 2


def test_one_trait_of_several_genes():
    rows = pd.DataFrame({"gene_id": ["ENSG00000000001.2", "b"], "z": [1.0, 2.0]})
    assert of_one_trait(rows, "t.tsv", ["ENSG00000000001"])["z"].tolist() == [1.0]
    for genes in ((), ("b", "ENSG00000000001"), ("c",)):
        with pytest.raises(InputError, match=r"t.tsv: associations of several genes.*--gene"):
            of_one_trait(rows, "t.tsv", genes)


def test_an_unknown_gene_is_named_beside_those_there(tmp_path):
    pd.DataFrame({"gene_id": ["a", "b"], "variant_id": "1:5:A:G", "p": 0.5}).to_csv(
        tmp_path / "t.tsv", sep="\t", index=False
    )
    with pytest.raises(InputError, match=r"no such gene.*Found: zz.*Expected: a, b"):
        read_associations(tmp_path / "t.tsv", genes=["zz"])


def test_people_of_a_mapping_less_its_covariates(region_world, tmp_path):
    from exprimo.genetics.eqtl import map_eqtl

    map_eqtl(
        region_world.genotypes, region_world.expression, tmp_path / "E", permutations=0,
        covariates=region_world.covariates, threads=1,
    )  # fmt: skip
    assert people_of_mapping(tmp_path / "E") == 239
    assert people_of_mapping(tmp_path / "E" / "nominal") is None
