"""``variants`` with a model whose effects are known exactly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.core.files.origin import read_origin
from exprimo.core.sequence import encode, reverse_complement
from exprimo.scoring.variants import variants

COLUMNS = [
    "variant_id", "chrom", "pos", "ref", "alt", "gene_id", "track", "ref_pred", "alt_pred",
    "raw_score", "ref_match", "contains_unknown",
]  # fmt: skip
TSS = {"plus": (100, False), "minus": (300, True)}
Row = tuple[str, int, str, str, str]


def _vcf(path: Path, rows: Sequence[Row]) -> Path:
    """Write chrom, 0-based start, id, REF, ALT."""
    lines = ["##fileformat=VCFv4.2", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
    lines += [f"{c}\t{start + 1}\t{name}\t{r}\t{a}\t.\t.\t." for c, start, name, r, a in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def _other(base: str) -> str:
    return "ACGT"[("ACGT".index(base) + 1) % 4]


def _edited(world: Any, model: Any, gene: str, row: Row | None) -> np.ndarray[Any, Any]:
    """Give the window of a gene; an indel must lie right of the TSS on the chromosome."""
    tss, minus = TSS[gene]
    bases = world.bases
    if row is not None:
        _, start, _, ref, alt = row
        assert bases[start : start + len(ref)] == ref
        assert start > tss or len(ref) == len(alt)
        bases = bases[:start] + alt + bases[start + len(ref) :]
    if minus:
        return reverse_complement(
            encode(bases[tss - model.downstream + 1 : tss + model.upstream + 1])
        )
    return encode(bases[tss - model.upstream : tss + model.downstream])


def _table(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path)


def _snps(world: Any, starts: Sequence[int]) -> list[Row]:
    return [("chr1", at, f"s{at}", world.bases[at], _other(world.bases[at])) for at in starts]


def test_effects_of_a_linear_model(world: Any, linear: Any, tmp_path: Path) -> None:
    b = world.bases
    rows = [
        *_snps(world, [76, 90, 100, 115, 285, 300, 324]),
        ("chr1", 104, "ins", b[104], b[104] + "GATTACA"),
        ("chr1", 105, "del", b[105:112], b[105]),
        ("chr1", 305, "del2", b[305:309], b[305]),
        ("chr1", 310, "ins2", b[310], b[310] + "CC"),
    ]
    out = tmp_path / "S.parquet"
    done = variants(
        "linear",
        out,
        variants=_vcf(tmp_path / "V.vcf", rows),
        fasta=world.fasta,
        genes=world.genes,
        bins="all",
    )
    table = _table(out)
    assert list(table.columns) == COLUMNS
    assert (done.n_pairs, done.n_windows, done.n_rows) == (11, 2, 33)
    assert len(table) == 33
    by_id = {row[2]: row for row in rows}
    # Seven bases push the last bin's middle out of the window; six fewer put it into bin 3.
    compared = {"ins": ([0, 1, 2, 3], [0, 1, 2, 3]), "del": ([0, 1, 2, 3, 4], [0, 1, 2, 3, 3])}
    for (name, gene), part in table.groupby(["variant_id", "gene_id"]):
        reference = linear.predict(_edited(world, linear, gene, None)[None])[0]
        alternate = linear.predict(_edited(world, linear, gene, by_id[name])[None])[0]
        ours, theirs = compared.get(name, (range(5), range(5)))
        reference, alternate = reference[:, list(ours)], alternate[:, list(theirs)]
        assert part["track"].tolist() == ["a", "b", "c"]
        for column, values in (
            ("ref_pred", reference),
            ("alt_pred", alternate),
            ("raw_score", alternate - reference),
        ):
            np.testing.assert_allclose(part[column], values.mean(1), rtol=1e-4, atol=1e-6)
    first = table.iloc[0]
    assert (first["chrom"], first["pos"], first["gene_id"]) == ("chr1", 77, "plus")
    assert table["ref_match"].all()
    assert not table["contains_unknown"].any()


def test_matrix_and_published_sums_of_snps(world: Any, linear: Any, tmp_path: Path) -> None:
    rows = _snps(world, [90, 100, 290, 310])
    file = _vcf(tmp_path / "V.vcf", rows)
    common = {"variants": file, "fasta": world.fasta, "genes": world.genes}
    variants("linear", tmp_path / "P.parquet", score="published", **common)
    variants("linear", tmp_path / "M.parquet", score="matrix", **common)
    published, matrix = _table(tmp_path / "P.parquet"), _table(tmp_path / "M.parquet")
    assert published["track"].unique().tolist() == ["all"]
    assert "absolute_score" not in published
    assert (
        list(matrix.columns).index("absolute_score") == list(matrix.columns).index("raw_score") + 1
    )
    by_id = {row[2]: row for row in rows}
    for at in range(4):
        gene, name = matrix.loc[at, "gene_id"], matrix.loc[at, "variant_id"]
        change = linear.predict(_edited(world, linear, gene, by_id[name])[None]) - linear.predict(
            _edited(world, linear, gene, None)[None]
        )
        # First allele minus second, sum over bins of the mean over tracks.
        np.testing.assert_allclose(
            published.loc[at, "raw_score"], -change[0].mean(0).sum(), rtol=1e-4, atol=1e-5
        )
        np.testing.assert_allclose(matrix.loc[at, "raw_score"], change.sum(), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(
            matrix.loc[at, "absolute_score"], np.abs(change).sum(), rtol=1e-4, atol=1e-5
        )


def test_one_reference_pass_per_window_and_one_pass_per_allele(
    world: Any, linear: Any, tmp_path: Path
) -> None:
    starts = [*range(78, 114), *range(286, 322)]
    out = tmp_path / "S.parquet"
    done = variants(
        "linear",
        out,
        variants=_vcf(tmp_path / "V.vcf", _snps(world, starts)),
        fasta=world.fasta,
        genes=world.genes,
        shard_size=7,
    )
    assert done.n_shards == 11
    assert len(linear.read) == 2 + len(starts)
    assert len(set(linear.read)) == 2 + len(starts)
    # Around variants: those of one base share a window.
    linear.read.clear()
    b = world.bases[200]
    rows: list[Row] = [("chr1", 200, f"v{x}", b, x) for x in "ACGT" if x != b]
    around: dict[str, Any] = {
        "variants": _vcf(tmp_path / "W.vcf", rows), "fasta": world.fasta
    }  # fmt: skip
    with pytest.raises(InputError, match="already exists"):
        variants("linear", out, **around)
    assert not linear.read
    variants("linear", tmp_path / "W.parquet", **around)
    assert len(linear.read) == 4


def test_shards_and_batches_change_nothing(world: Any, linear: Any, tmp_path: Path) -> None:
    file = _vcf(tmp_path / "V.vcf", _snps(world, range(78, 114)))
    tables = []
    for size in (1, 5, None):
        out = tmp_path / f"S{size}.parquet"
        variants(
            "linear",
            out,
            variants=file,
            fasta=world.fasta,
            genes=world.genes,
            bins="all",
            shard_size=size,
        )
        tables.append(_table(out))
    pd.testing.assert_frame_equal(tables[0], tables[1])
    pd.testing.assert_frame_equal(tables[0], tables[2])


def test_what_changes_nothing_scores_exactly_zero(world: Any, linear: Any, tmp_path: Path) -> None:
    # A run of one base that fills the window up to its end: taking one away changes nothing.
    fasta = tmp_path / "run.fa"
    fasta.write_text(">chr1\n" + "ACGT" * 10 + "A" * 60 + "\n")
    rows: list[Row] = [("chr1", 60, "none", "AA", "A"), ("chr1", 60, "some", "A", "C")]
    variants("linear", tmp_path / "S.parquet", variants=_vcf(tmp_path / "V.vcf", rows), fasta=fasta)
    table = _table(tmp_path / "S.parquet").set_index("variant_id")
    assert (table.loc["none", "raw_score"] == 0).all()
    assert (table.loc["some", "raw_score"] != 0).all()


def test_variants_outside_of_every_window_are_counted(
    world: Any, linear: Any, tmp_path: Path
) -> None:
    tss, up, down = 100, linear.upstream, linear.downstream
    edges = [tss - up - 1, tss - up, tss + down - 1, tss + down]
    done = variants(
        "linear",
        tmp_path / "S.parquet",
        variants=_vcf(tmp_path / "V.vcf", _snps(world, [*edges, 200])),
        fasta=world.fasta,
        genes=world.genes,
        gene=["plus"],
    )
    assert (done.n_variants, done.n_outside, done.n_pairs) == (5, 3, 2)
    table = _table(tmp_path / "S.parquet")
    assert table["pos"].unique().tolist() == [edges[1] + 1, edges[2] + 1]
    assert read_origin(tmp_path / "S.parquet")["variants"]["outside"] == 3
    with pytest.raises(InputError, match="no variant lies in any window"):
        variants(
            "linear",
            tmp_path / "T.parquet",
            variants=_vcf(tmp_path / "W.vcf", _snps(world, [200])),
            fasta=world.fasta,
            genes=world.genes,
        )


def test_unknown_bases_are_marked(world: Any, linear: Any, tmp_path: Path) -> None:
    rows = [*_snps(world, [200]), ("chr2", 100, "n", "A", "C"), *_snps(world, [2])]
    variants(
        "linear", tmp_path / "S.parquet", variants=_vcf(tmp_path / "V.vcf", rows), fasta=world.fasta
    )
    table = _table(tmp_path / "S.parquet").drop_duplicates("variant_id")
    # The last window begins before its chromosome.
    unknown = dict(zip(table["variant_id"], table["contains_unknown"], strict=True))
    assert unknown == {"s200": False, "n": True, "s2": True}
    assert (table["gene_id"] == "").all()


def test_the_nearest_gene_stands_beside_a_variant_in_the_middle(
    world: Any, linear: Any, tmp_path: Path
) -> None:
    variants(
        "linear",
        tmp_path / "S.parquet",
        variants=_vcf(tmp_path / "V.vcf", _snps(world, [110, 250])),
        fasta=world.fasta,
        genes=world.genes,
        center="variant",
    )
    table = _table(tmp_path / "S.parquet").drop_duplicates("variant_id")
    assert table["gene_id"].tolist() == ["plus", "minus"]


@pytest.mark.parametrize("policy", ["error", "skip", "swap"])
def test_ref_that_is_not_in_the_genome(
    policy: Any, world: Any, linear: Any, tmp_path: Path
) -> None:
    b = world.bases
    wrong = next(x for x in "ACGT" if x not in (b[99], _other(b[99])))
    rows: list[Row] = [
        *_snps(world, [90]),
        ("chr1", 98, "exchanged", _other(b[98]), b[98]),
        ("chr1", 99, "wrong", wrong, _other(b[99])),
    ]
    common: dict[str, Any] = {
        "variants": _vcf(tmp_path / "V.vcf", rows),
        "fasta": world.fasta,
        "genes": world.genes,
        "on_ref_mismatch": policy,
    }
    out = tmp_path / "S.parquet"
    if policy == "error":
        with pytest.raises(MismatchError, match="chr1:99"):
            variants("linear", out, **common)
        return
    done = variants("linear", out, **common)
    table = _table(out).drop_duplicates("variant_id").set_index("variant_id")
    if policy == "skip":
        assert table.index.tolist() == ["s90"]
        assert sum(done.skipped.values()) == 2
        return
    assert table.index.tolist() == ["s90", "exchanged"]
    assert table["ref_match"].tolist() == [True, False]
    assert table.loc["exchanged", ["ref", "alt"]].tolist() == [b[98], _other(b[98])]
    assert sum(done.skipped.values()) == 1


def test_settings_that_do_not_fit_are_refused(world: Any, linear: Any, tmp_path: Path) -> None:
    common: dict[str, Any] = {
        "variants": _vcf(tmp_path / "V.vcf", _snps(world, [90])),
        "fasta": world.fasta,
    }
    with pytest.raises(InputError, match="need an annotation"):
        variants("linear", tmp_path / "S.parquet", center="tss", **common)
    with pytest.raises(InputError, match="unknown kind of output"):
        variants("linear", tmp_path / "S.csv", **common)
    with pytest.raises(ConfigError, match="fixed number of bins"):
        variants("linear", tmp_path / "S.parquet", score="published", bins=3, **common)
    with pytest.raises(ConfigError, match="log fold change"):
        variants("linear", tmp_path / "S.parquet", score="lfc", **common)
    with pytest.raises(InputError, match="no such gene"):
        variants("linear", tmp_path / "S.parquet", genes=world.genes, gene=["plis"], **common)
    assert not list(tmp_path.glob("S.*"))


def test_windows_around_variants_are_not_chosen_by_gene(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not chosen by gene"):
        variants(
            "linear", tmp_path / "S.tsv", variants="v.vcf", fasta="g.fa", genes="g.gtf",
            gene=["G1"], center="variant",
        )  # fmt: skip
