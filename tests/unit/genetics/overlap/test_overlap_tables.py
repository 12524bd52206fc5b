"""From files to JSON: tables, windows, credible sets, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exprimo.core.errors import (
    ConfigError,
    ExprimoError,
    FormatError,
    InputError,
    LeakError,
    MismatchError,
)
from exprimo.genetics.overlap import (
    P_VALUE,
    column_sources,
    overlap,
    with_column_sources,
)
from exprimo.genetics.overlap.tables import read_eqtl, read_scores

N = 40


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """Scores as `exprimo variants` writes them: of one gene, two tracks."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "variant_id": [f"v{i}" for i in range(N)],
            "chrom": "chr1",
            "pos": np.arange(N) * 10 + 1,
            "ref": "A",
            "alt": "G",
            "gene_id": "ENSG00000000001",
            "track": "liver",
            "raw_score": rng.normal(size=N).astype(np.float32),
            "absolute_score": rng.uniform(size=N).astype(np.float32),
        }
    )
    path = tmp_path / "SCORES.parquet"
    pd.concat([table, table.assign(track="brain", raw_score=-table["raw_score"])]).to_parquet(path)
    return path


@pytest.fixture
def eqtl(tmp_path: Path) -> Path:
    """Associations as tensorQTL writes them; two have no p-value."""
    rng = np.random.default_rng(1)
    p = rng.uniform(size=N)
    p[[3, 4]] = np.nan
    pd.DataFrame(
        {
            "phenotype_id": "ENSG00000000001.5",
            "variant_id": [f"1:{i * 10 + 1}:A:G" for i in range(N)],
            "start_distance": np.arange(N) * 10 - 200,
            "af": np.linspace(0.05, 0.9, N),
            "ma_samples": 9,
            "ma_count": 9,
            "pval_nominal": p,
            "slope": rng.normal(size=N),
            "slope_se": 1.0,
        }
    ).to_parquet(tmp_path / "EQTL.parquet")
    return tmp_path / "EQTL.parquet"


def test_the_json_holds_what_is_promised(scores: Path, eqtl: Path, tmp_path: Path) -> None:
    out = tmp_path / "X.json"
    columns = ["raw_score", "absolute_score"]
    found = overlap(scores, eqtl, columns, track="liver", top=10, out=out)
    written = json.loads(out.read_text())
    assert list(written["columns"]) == columns
    for name in columns:
        column = written["columns"][name]
        assert {"overlap", "expected", "p_hypergeometric", "p_shift", "n", "dropped"} <= set(column)
        assert column["n"] == N - 2
        assert column["dropped"] == 2
        assert column["expected"] == pytest.approx(100 / (N - 2))
        assert column["overlap"] == found.columns[name].overlap
        assert not column["circular"]
    assert written["stamp"] is None
    assert written["power"]["n_tests"] == N - 2
    assert written["joined"]["by_position"] == N
    assert "too small under LD" in written["notes"][0]
    assert {Path(one["path"]).name for one in written["origin"]["sources"]} == {
        "SCORES.parquet",
        "EQTL.parquet",
    }
    with pytest.raises(InputError, match="exists"):
        overlap(scores, eqtl, columns, track="liver", out=out)


def test_the_overlap_is_that_of_a_plain_count(scores: Path, eqtl: Path) -> None:
    found = overlap(scores, eqtl, "raw_score", track="brain", top=10).columns["raw_score"]
    mine = pd.read_parquet(scores).query("track == 'brain'").reset_index(drop=True)
    theirs = pd.read_parquet(eqtl)
    known = theirs["pval_nominal"].notna()
    top = mine.loc[known, "raw_score"].abs().nlargest(10).index
    best = theirs["pval_nominal"].nsmallest(10).index
    assert found.overlap == len(set(top) & set(best))
    sign = np.sign(mine.loc[top, "raw_score"]) == np.sign(theirs.loc[top, "slope"])
    assert found.concordance["top"]["n_same"] == sign.sum()


def test_several_tracks_need_a_choice(scores: Path, eqtl: Path) -> None:
    with pytest.raises(ConfigError, match=r"several tracks.*--track"):
        overlap(scores, eqtl, "raw_score")
    with pytest.raises(InputError, match="brain"):
        overlap(scores, eqtl, "raw_score", track="brian")


def test_a_window_keeps_what_the_model_reads(scores: Path, eqtl: Path, tmp_path: Path) -> None:
    found = overlap(scores, eqtl, "raw_score", track="liver", top=5, window="100")
    assert found.columns["raw_score"].n == 21
    assert found.n_outside == N - 21
    assert found.window == "100,100"
    assert found.power.n_tests == N - 2
    assert found.power_in_window.n_tests == 21
    with pytest.raises(InputError, match="strand"):
        overlap(scores, eqtl, "raw_score", track="liver", window="100,50")
    # The TSS base, 201, is the first base downstream; on the minus strand upstream lies above.
    genes = tmp_path / "tss.tsv"
    genes.write_text("gene_id\tchrom\ttss\tstrand\nENSG00000000001.3\t1\t201\t-\n")
    settings = {"track": "liver", "top": 5, "genes": genes}
    minus = overlap(scores, eqtl, "raw_score", window="100,50", **settings)
    assert minus.columns["raw_score"].n == 10 + 5
    genes.write_text("gene_id\tchrom\ttss\tstrand\nENSG00000000001\t1\t201\t+\n")
    plus = overlap(scores, eqtl, "raw_score", window="100,50", **settings)
    assert plus.columns["raw_score"].n == 10 + 5
    genes.write_text("gene_id\tchrom\ttss\tstrand\nother\t1\t201\t+\n")
    with pytest.raises(InputError, match="no TSS"):
        overlap(scores, eqtl, "raw_score", window="100,50", **settings)
    genes.write_text("gene_id\tchrom\ttss\tstrand\nENSG00000000001\t2\t201\t+\n")
    with pytest.raises(InputError, match="chromosome"):
        overlap(scores, eqtl, "raw_score", window="100,50", **settings)


@pytest.mark.parametrize("window", ["", "a", "1,2,3", "0", "-5"])
def test_what_is_no_window_is_refused(scores: Path, eqtl: Path, window: str) -> None:
    with pytest.raises(ConfigError, match="window"):
        overlap(scores, eqtl, "raw_score", track="liver", window=window)


def test_credible_sets_that_the_top_meets(scores: Path, eqtl: Path, tmp_path: Path) -> None:
    strongest = pd.read_parquet(scores).query("track == 'liver'")
    known = ~strongest["variant_id"].isin(["v3", "v4"])
    best = strongest[known].set_index("pos")["raw_score"].abs().idxmax()
    other = strongest[known].set_index("pos")["raw_score"].abs().idxmin()
    sets = tmp_path / "sets.tsv"
    lines = ["phenotype_id\tvariant_id\tpip\tcs_id"]
    for pos, pip, number in ((best, 0.9, 1), (other, 0.5, 2), (other + 10, 0.1, -1)):
        lines.append(f"ENSG00000000001\t1:{pos}:A:G\t{pip}\t{number}")
    sets.write_text("\n".join(lines) + "\n")
    found = overlap(scores, eqtl, "raw_score", track="liver", top=5, credible_sets=sets)
    met = found.columns["raw_score"].credible_sets
    assert (met["n_sets"], met["n_sets_met"], met["n_variants"], met["overlap"]) == (2, 1, 2, 1)
    assert met["expected"] == pytest.approx(2 * 5 / 38)
    # 1 - C(33, 2) / C(38, 2): neither of the two among the five.
    assert met["p_hypergeometric"] == pytest.approx(1 - 33 * 32 / (38 * 37))
    sets.write_text("variant_id\tcs_id\nrs5\t1\n")
    with pytest.raises(InputError, match="credible sets"):
        overlap(scores, eqtl, "raw_score", track="liver", credible_sets=sets)


def declared(path: Path, sources: dict[str, list[str]]) -> None:
    table = pq.read_table(path)
    origin = with_column_sources({"kind": "test"}, sources)
    pq.write_table(table.replace_schema_metadata({b"exprimo": json.dumps(origin).encode()}), path)


@pytest.mark.parametrize("source", [P_VALUE, "p-value", "-log10 p", "PIP"])
def test_a_column_that_declares_the_p_value_is_refused(
    scores: Path, eqtl: Path, source: str
) -> None:
    declared(scores, {"raw_score": ["model", source], "absolute_score": ["model"]})
    assert column_sources(scores)["raw_score"] == ["model", source]
    with pytest.raises(LeakError, match=r"raw_score.*made with the p-value.*whatever the model"):
        overlap(scores, eqtl, ["absolute_score", "raw_score"], track="liver")
    with pytest.raises(LeakError):
        overlap(scores, eqtl, "raw_score", track="liver", circular=True)
    assert overlap(scores, eqtl, "absolute_score", track="liver").columns


def test_declared_beside_a_text_file(tmp_path: Path, eqtl: Path) -> None:
    path = tmp_path / "s.tsv"
    path.write_text("variant_id\tboth\n1:1:A:G\t1\n")
    origin = with_column_sources({}, {"both": ["model", P_VALUE]})
    (tmp_path / "s.tsv.provenance.json").write_text(json.dumps(origin))
    with pytest.raises(LeakError, match="both"):
        overlap(path, eqtl, "both")


def test_named_as_made_with_p_is_refused(scores: Path, eqtl: Path) -> None:
    with pytest.raises(LeakError, match="--uses-pvalue"):
        overlap(scores, eqtl, "raw_score", track="liver", uses_pvalue=["raw_score"])


@pytest.mark.parametrize("column", ["pval_nominal", "pip", "neglog10p", "P"])
def test_a_column_called_a_p_value_is_refused(tmp_path: Path, eqtl: Path, column: str) -> None:
    path = tmp_path / "s.tsv"
    path.write_text(f"variant_id\t{column}\n1:1:A:G\t0.5\n")
    with pytest.raises(LeakError, match="name"):
        overlap(path, eqtl, column)


def test_broken_declarations_declare_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.tsv"
    path.write_text("variant_id\tx\n1:1:A:G\t1\n")
    for text in ("{", "[]", '{"column_sources": 3}'):
        (tmp_path / "s.tsv.provenance.json").write_text(text)
        assert column_sources(path) == {}


def test_the_circular_construction_is_stamped(scores: Path, eqtl: Path, tmp_path: Path) -> None:
    out = tmp_path / "X.json"
    found = overlap(scores, eqtl, "raw_score", track="liver", top=10, circular=True, out=out)
    mine = pd.read_parquet(scores).query("track == 'liver'")["raw_score"].to_numpy(np.float64)
    theirs = pd.read_parquet(eqtl)["pval_nominal"].to_numpy()
    known = ~np.isnan(theirs)
    size, evidence = np.abs(mine[known]), -np.log10(theirs[known])
    combined = (size - size.min()) / np.ptp(size) + (evidence - evidence.min()) / np.ptp(evidence)
    expected = len(set(np.argsort(combined)[-10:]) & set(np.argsort(evidence)[-10:]))
    assert found.columns["raw_score"].overlap == expected
    written = json.loads(out.read_text())
    assert next(iter(written)) == "stamp"
    assert written["stamp"].startswith("CIRCULAR")
    assert written["circular"]
    assert written["columns"]["raw_score"]["circular"]
    assert written["columns"]["raw_score"]["p_hypergeometric"] is None
    assert written["columns"]["raw_score"]["without_p"]["overlap"] < expected


def test_foreign_heads_are_named(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("SNP,Effect size\nrs1,0.5\nrs2,0.1\nrs3,NA\n")
    (tmp_path / "e.tsv").write_text("marker\tprob\tb\nrs1\t0.5\t1\nrs2\tNA\t1\nrs3\t0.2\t1\n")
    found = overlap(
        tmp_path / "s.csv",
        tmp_path / "e.tsv",
        "Effect size",
        top=1,
        eqtl_names={"variant_id": "marker", "p": "prob", "slope": "b"},
    )
    assert found.columns["Effect size"].n == 1
    assert found.columns["Effect size"].dropped_by_reason == {"no p-value": 1, "no score": 1}
    assert found.joined["by_id"] == 3
    assert found.joined["alleles_not_told"] == 3
    with pytest.raises(InputError, match=r"no such column.*'marke'"):
        read_eqtl(tmp_path / "e.tsv", named={"variant_id": "marke"})
    with pytest.raises(ConfigError, match="meaning"):
        read_eqtl(tmp_path / "e.tsv", named={"variant": "marker"})


def test_a_folder_of_nominal_tables(scores: Path, eqtl: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mapped"
    folder.mkdir()
    table = pd.read_parquet(eqtl)
    table[:20].to_parquet(folder / "nominal.a.parquet")
    table[20:].to_parquet(folder / "nominal.b.parquet")
    (folder / "summary.json").write_text("{}")
    whole = overlap(scores, eqtl, "raw_score", track="liver", top=8)
    assert overlap(scores, folder, "raw_score", track="liver", top=8).columns == whole.columns
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no table of associations"):
        read_eqtl(tmp_path / "empty")


def test_only_some_genes(scores: Path, eqtl: Path) -> None:
    table = pd.read_parquet(eqtl)
    pd.concat([table, table.assign(phenotype_id="ENSG00000000002")]).to_parquet(eqtl)
    found = overlap(scores, eqtl, "raw_score", track="liver", gene="ENSG00000000001.7")
    assert found.power.n_tests == N - 2
    # Without the choice, associations of genes that the scores do not have count neither.
    assert overlap(scores, eqtl, "raw_score", track="liver").power.n_tests == N - 2
    with pytest.raises(InputError, match="no such gene"):
        overlap(scores, eqtl, "raw_score", track="liver", gene="g3")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("variant_id\tp\n1:1:A:G\t1.5\n", "outside of 0 to 1"),
        ("variant_id\tp\n1:1:A:G\t-0.1\n", "outside of 0 to 1"),
        ("variant_id\tp\n1:1:A:G\tx\n", "not a number"),
        ("variant_id\tq\n1:1:A:G\t0.5\n", "not a table of associations"),
        ("name\tp\n1:1:A:G\t0.5\n", "not a table of associations"),
        ("variant_id\tp\n1:1:A:G\t0.5\n1:1:A:G\t0.6\n", "more than one association"),
        ("variant_id\tp\taf\n1:1:A:G\t0.5\t3\n", "frequency outside"),
        ("variant_id\tbeta\tse\n1:1:A:G\t0.5\t3\n", "without a p-value"),
    ],
)
def test_broken_associations(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "e.tsv").write_text(text)
    with pytest.raises(FormatError, match=said):
        read_eqtl(tmp_path / "e.tsv")


def test_broken_scores(tmp_path: Path) -> None:
    path = tmp_path / "s.parquet"
    path.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(FormatError, match="damaged"):
        read_scores(path, ["s"])
    pq.write_table(pa.table({"variant_id": ["1:1:A:G"], "s": [np.inf], "t": ["x"]}), path)
    with pytest.raises(FormatError, match="infinite"):
        read_scores(path, ["s"])
    with pytest.raises(FormatError, match="not a number"):
        read_scores(path, ["t"])
    with pytest.raises(InputError, match="no such column"):
        read_scores(path, ["u"])
    with pytest.raises(ExprimoError, match="no such file"):
        read_scores(tmp_path / "none", ["s"])


def test_a_column_that_ranks_as_p_does_is_remarked(tmp_path: Path) -> None:
    lines = [f"1:{i}:A:G\t{i}\t{1 / i}\t{(-7) ** i % 11}" for i in range(1, 41)]
    (tmp_path / "t.tsv").write_text("\n".join(["variant_id\ts\tp\tother", *lines]))
    found = overlap(tmp_path / "t.tsv", tmp_path / "t.tsv", ["s", "other"], top=5)
    assert any(note.startswith("s ranks variants almost as p") for note in found.notes)


def test_rows_that_repeat_another_are_counted(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text(
        "SNP\ts\tP\nchr1-5-A-G\t1\t0.5\nchr1-5-A-G\t1\t0.5\n1_7_a_g_b38\t2\t0.1\n\t3\t1\n\t3\t0\n"
    )
    found = overlap(tmp_path / "t.tsv", tmp_path / "t.tsv", "s", top=1)
    assert found.columns["s"].n == 2
    assert (found.joined["repeated_scores"], found.joined["repeated_eqtl"]) == (2, 1)
    assert found.joined["only_in_eqtl"] == 2


def test_settings_out_of_range(scores: Path, eqtl: Path) -> None:
    for settings in ({"top": 0}, {"score_columns": []}):
        with pytest.raises(ConfigError):
            overlap(scores, eqtl, **settings)


def test_a_score_that_no_joined_row_has(scores: Path, eqtl: Path, tmp_path: Path) -> None:
    table = pd.read_parquet(scores).assign(empty=np.nan)
    table.to_parquet(tmp_path / "S.parquet")
    with pytest.raises(InputError, match=r"column 'empty': no joined variant has a score"):
        overlap(tmp_path / "S.parquet", eqtl, "empty", track="liver", top=10)


def test_tables_of_other_genes(scores: Path, eqtl: Path, tmp_path: Path) -> None:
    pd.read_parquet(eqtl).assign(phenotype_id="TP53").to_parquet(tmp_path / "E.parquet")
    with pytest.raises(MismatchError, match=r"no gene is in both.*TP53.*ENSG00000000001"):
        overlap(scores, tmp_path / "E.parquet", "raw_score", track="liver", top=10)
