"""Tables of associations in the forms in which they are published."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from exprimo.core.errors import ConfigError, FormatError, InputError
from exprimo.genetics.associations import Region, read_associations

# One variant, chr2:300, effect allele C against T, beta 0.2, se 0.05.
FORMS = {
    "gwas catalog": "chromosome\tbase_pair_location\teffect_allele\tother_allele\tbeta\t"
    "standard_error\teffect_allele_frequency\tp_value\trs_id\n"
    "2\t300\tC\tT\t0.2\t0.05\t0.7\t6e-5\trs1\n",
    "plink 2": "#CHROM\tPOS\tID\tREF\tALT\tA1\tOBS_CT\tBETA\tSE\tP\n"
    "2\t300\trs1\tC\tT\tC\t900\t0.2\t0.05\t6e-5\n",
    "plink 1": " CHR   SNP   BP  A1  A2   OR SE P\n"
    "   2   rs1  300   C   T   1.2214027581601699 0.05 6e-5\n",
    "regenie": "CHROM GENPOS ID ALLELE0 ALLELE1 A1FREQ N BETA SE LOG10P\n"
    "2 300 rs1 T C 0.7 900 0.2 0.05 4.2\n",
    "saige": "CHR\tPOS\tSNPID\tAllele1\tAllele2\tAF_Allele2\tBETA\tSE\tp.value\n"
    "2\t300\trs1\tT\tC\t0.7\t0.2\t0.05\t6e-5\n",
    "metal": "MarkerName,chr,pos,Allele1,Allele2,Freq1,Effect,StdErr,P-value\n"
    "rs1,chr2,300,c,t,0.7,0.2,0.05,6e-5\n",
    "tensorqtl": "phenotype_id\tvariant_id\taf\tpval_nominal\tslope\tslope_se\n"
    "g1\tchr2_300_T_C_b38\t0.7\t6e-5\t0.2\t0.05\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_tells_the_same(form, tmp_path):
    path = tmp_path / "gwas.txt.gz"
    path.write_bytes(gzip.compress(FORMS[form].encode()))
    found = read_associations(path).rows
    assert len(found) == 1
    row = found.iloc[0]
    assert (row["chrom"], row["pos"], row["alt"], row["ref"]) == ("2", 300, "C", "T")
    assert row["beta"] == pytest.approx(0.2)
    assert row["se"] == pytest.approx(0.05)
    assert row["z"] == pytest.approx(4)
    assert row["p"] == pytest.approx(6e-5, rel=0.06)
    if "0.7" in FORMS[form]:
        assert row["maf"] == pytest.approx(0.3)


def test_parquet_and_a_folder(tmp_path):
    rows = pd.DataFrame(
        {
            "phenotype_id": ["g1", "g2"], "variant_id": ["v", "w"], "chrom": ["1", "2"],
            "pos": [5, 6], "ref": ["A", "C"], "alt": ["G", "T"], "slope": [0.1, -0.2],
            "slope_se": [0.1, 0.1], "pval_nominal": [0.3, 0.05], "af": [0.1, 0.9],
        }
    )  # fmt: skip
    (tmp_path / "nominal").mkdir()
    rows[:1].to_parquet(tmp_path / "nominal" / "1.parquet")
    rows[1:].to_parquet(tmp_path / "nominal" / "2.parquet")
    found = read_associations(tmp_path).rows
    assert found["gene_id"].tolist() == ["g1", "g2"]
    np.testing.assert_allclose(found["z"], [1, -2])
    np.testing.assert_allclose(found["maf"], [0.1, 0.1])
    assert read_associations(tmp_path, genes=["g2"]).rows["pos"].tolist() == [6]


def test_a_region_and_named_columns(tmp_path):
    path = tmp_path / "g.tsv"
    path.write_text("C\tB\tE\tO\tX\tS\n1\t10\tA\tG\t1\t2\n1\t20\tA\tG\t1\t2\n2\t10\tA\tG\t1\t2\n")
    named = {"chrom": "C", "pos": "B", "effect_allele": "E", "other_allele": "O", "beta": "X"}
    found = read_associations(path, columns={**named, "se": "S"}, region=Region.parse("1:10-19"))
    assert found.rows[["chrom", "pos"]].to_numpy().tolist() == [["1", 10]]
    with pytest.raises(ConfigError, match="not a meaning"):
        read_associations(path, columns={"strength": "X"})
    with pytest.raises(InputError, match="no such column"):
        read_associations(path, columns={**named, "se": "SE"})
    with pytest.raises(InputError, match="no row of associations is left"):
        read_associations(path, columns={**named, "se": "S"}, region=Region("3", 0, 50))


def test_a_standard_error_follows_from_p(tmp_path):
    path = tmp_path / "g.tsv"
    p = float(2 * stats.norm.sf(3.0))
    path.write_text(f"chrom\tpos\tea\toa\tbeta\tp\n1\t10\tA\tG\t-0.6\t{p!r}\n1\t11\tA\tG\tNA\tNA\n")
    found = read_associations(path)
    assert found.rows["se"].iloc[0] == pytest.approx(0.2)
    assert found.rows["z"].iloc[0] == pytest.approx(-3)
    assert sum(found.dropped.values()) == 1


def test_what_is_no_table_of_associations(tmp_path):
    path = tmp_path / "g.tsv"
    path.write_text("chrom\tpos\tea\n1\t10\tA\n")
    with pytest.raises(FormatError, match="not a table of associations"):
        read_associations(path)
    path.write_text("chrom\tpos\tea\toa\tbeta\tse\n1\t10\tA\tG\t0.1\t0.2\n1\t11\tA\tG\tbig\t0.2\n")
    with pytest.raises(FormatError, match=r"line 3, column beta.*not a number.*'big'"):
        read_associations(path)
    path.write_text("chrom\tpos\tea\toa\tp\n1\t10\tA\tG\t7.3\n")
    with pytest.raises(FormatError, match=r"row 1: a p-value outside of 0 to 1.*7.3"):
        read_associations(path)
    with pytest.raises(ConfigError, match="not a region"):
        Region.parse("19:5")


def test_versions_of_genes_are_ignored(tmp_path):
    rows = pd.DataFrame(
        {
            "gene_id": ["ENSG00000000001.4", "ENSG00000000002.1"],
            "variant_id": ["1:5:A:G", "1:6:A:G"],
            "p": [0.5, 0.1],
        }
    )
    rows.to_parquet(tmp_path / "a.parquet")
    rows.to_csv(tmp_path / "a.tsv", sep="\t", index=False)
    for name in ("a.parquet", "a.tsv"):
        for version in ("", ".1", ".3"):
            found = read_associations(tmp_path / name, genes=[f"ENSG00000000002{version}"]).rows
            assert found["pos"].tolist() == [6]


def test_numbers_that_are_chromosomes_keep_their_names(tmp_path):
    # A gap makes floats of whole numbers.
    rows = pd.DataFrame({"chrom": [19, None], "pos": [5, 6], "variant_id": "v", "p": [0.5, 0.1]})
    rows.to_parquet(tmp_path / "a.parquet")
    assert read_associations(tmp_path / "a.parquet").rows["chrom"].tolist() == ["19", ""]
