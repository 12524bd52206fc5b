"""From files to tables: pairs, eGenes, further signals, folds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.core.ledger import Ledger
from exprimo.genetics.eqtl import map_eqtl, mapping, tables

PEOPLE = [f"p{i:03}" for i in range(160)]
WINDOW = 40_000
CAUSAL = (12, 27)


class World(NamedTuple):
    """Files, and what was planted: gene g0 has two causal variants."""

    genotypes: Path
    expression: Path
    covariates: Path
    dosage: np.ndarray
    values: np.ndarray
    known: np.ndarray
    chrom: np.ndarray
    pos: np.ndarray


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("eqtl")
    rng = np.random.default_rng(12)
    n, variants = len(PEOPLE), 80
    alleles = rng.random((variants, n, 2)) < rng.uniform(0.2, 0.8, (variants, 1, 1))
    chrom = np.repeat(["1", "2"], variants // 2)
    pos = np.tile(np.arange(1, variants // 2 + 1) * 2_000, 2)
    head = "##fileformat=VCFv4.2\n##contig=<ID=1>\n##contig=<ID=2>\n"
    head += '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    head += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + "\t".join(PEOPLE)
    lines = [head]
    missing = rng.random((variants, n)) < 0.02
    for i in range(variants):
        calls = [
            "./." if gone else f"{int(a)}|{int(b)}"
            for (a, b), gone in zip(alleles[i], missing[i], strict=True)
        ]
        lines.append(f"{chrom[i]}\t{pos[i]}\tv{i}\tA\tC\t.\t.\t.\tGT\t" + "\t".join(calls))
    (folder / "g.vcf").write_text("\n".join(lines) + "\n")
    dosage = alleles.sum(axis=2).astype(float)
    dosage[missing] = np.nan
    full = alleles.sum(axis=2)
    known = rng.normal(size=(n, 3))
    values = rng.normal(size=(8, n)) + (known @ rng.normal(size=(3, 8))).T
    values[0] += 0.9 * full[CAUSAL[0]] - 0.8 * full[CAUSAL[1]]
    tss = [40_000, 42_000, 60_000, 79_000, 1_000, 30_000, 50_000, 70_000]
    rows = ["#chr\tstart\tend\tgene_id\t" + "\t".join(PEOPLE)]
    for g in range(8):
        cells = "\t".join(f"{x:.6f}" for x in values[g])
        rows.append(f"{1 + g // 4}\t{tss[g]}\t{tss[g] + 1}\tg{g}\t{cells}")
    (folder / "e.bed").write_text("\n".join(rows) + "\n")
    table = pd.DataFrame(known, index=pd.Index(PEOPLE, name="id"), columns=["a", "b", "c"])
    table.T.rename_axis("id").to_csv(folder / "c.tsv", sep="\t", float_format="%.17g")
    return World(
        folder / "g.vcf", folder / "e.bed", folder / "c.tsv",
        dosage, np.round(values, 6), known, chrom, pos,
    )  # fmt: skip


@pytest.fixture(scope="module")
def mapped(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("mapped") / "EQTL"
    done = map_eqtl(
        world.genotypes, world.expression, out, covariates=world.covariates,
        upstream=WINDOW, downstream=WINDOW, permutations=500, correction="bh", threads=1,
    )  # fmt: skip
    (part,) = done.parts
    assert part.path == out
    assert (part.n_people, part.n_genes, part.df) == (160, 8, 155)
    return out


def test_pairs_are_those_of_the_window_with_the_numbers_of_least_squares(
    world: World, mapped: Path
) -> None:
    assert sorted(p.name for p in (mapped / "nominal").iterdir()) == ["1.parquet", "2.parquet"]
    pairs = pd.concat([pd.read_parquet(p) for p in sorted((mapped / "nominal").iterdir())])
    expected = 0
    for g, tss in enumerate([40_000, 42_000, 60_000, 79_000, 1_000, 30_000, 50_000, 70_000]):
        near = (world.chrom == str(1 + g // 4)) & (np.abs(world.pos - 1 - tss) <= WINDOW)
        rows = pairs[pairs["phenotype_id"] == f"g{g}"].set_index("variant_id")
        assert rows.index.tolist() == [f"v{i}" for i in np.flatnonzero(near)]
        assert np.array_equal(rows["tss_distance"], world.pos[near] - 1 - tss)
        assert np.array_equal(rows["pos"], world.pos[near])
        expected += int(near.sum())
        i = int(np.flatnonzero(near)[3])
        x = world.dosage[i].copy()
        x[np.isnan(x)] = np.nanmean(x)
        X = np.column_stack([x, np.ones(len(x)), world.known])
        b = np.linalg.lstsq(X, world.values[g], rcond=None)[0]
        left = world.values[g] - X @ b
        se = np.sqrt(left @ left / (len(x) - 5) * np.linalg.inv(X.T @ X)[0, 0])
        assert rows.loc[f"v{i}", "slope"] == pytest.approx(b[0], rel=1e-8)
        assert rows.loc[f"v{i}", "slope_se"] == pytest.approx(se, rel=1e-8)
        assert rows.loc[f"v{i}", "af"] == pytest.approx(np.nanmean(world.dosage[i]) / 2)
    assert len(pairs) == expected
    assert json.loads((mapped / "summary.json").read_text())["n_pairs"] == expected


def test_the_planted_gene_is_the_only_egene_and_both_signals_are_found(mapped: Path) -> None:
    genes = pd.read_parquet(mapped / "genes.parquet").set_index("phenotype_id")
    assert genes.index[genes["qval"] < 0.05].tolist() == ["g0"]
    assert genes.loc["g0", "variant_id"] in {f"v{i}" for i in CAUSAL}
    assert genes.loc["g0", "pval_beta"] < 1e-3
    assert genes.loc["g0", "pval_perm"] == pytest.approx(1 / 501)
    threshold = genes.loc["g0", "pval_nominal_threshold"]
    assert genes.loc["g0", "pval_nominal"] < threshold < 0.05
    signals = pd.read_parquet(mapped / "independent.parquet")
    assert set(signals["variant_id"]) == {f"v{i}" for i in CAUSAL}
    assert sorted(signals["rank"]) == [1, 2]
    slope = signals.set_index("variant_id")["slope"]
    assert slope[f"v{CAUSAL[0]}"] > 0.5
    assert slope[f"v{CAUSAL[1]}"] < -0.5


def test_tables_say_where_they_came_from_and_what_holds_p_values(mapped: Path) -> None:
    for name in ("genes.parquet", "independent.parquet", "nominal/1.parquet"):
        told = json.loads(pq.read_schema(mapped / name).metadata[b"exprimo"])
        assert told["builder"] == "eqtl"
        assert len(told["sources"]) == 3
        assert told["column_sources"]["pval_nominal"] == ["p_value"]
        assert told["column_sources"]["slope"] == ["p_value"]
    ledger = Ledger.load(mapped / "ledger.parquet")
    assert ledger.learned["eqtl"]["individual"] == frozenset(PEOPLE)


def test_the_same_seed_gives_the_same_numbers_on_any_number_of_threads(
    world: World, mapped: Path, tmp_path: Path
) -> None:
    map_eqtl(
        world.genotypes, world.expression, tmp_path / "again", covariates=world.covariates,
        upstream=WINDOW, downstream=WINDOW, permutations=500, correction="bh", nominal=False,
        threads=3,
    )  # fmt: skip
    for name in ("genes.parquet", "independent.parquet"):
        one, two = (pd.read_parquet(folder / name) for folder in (mapped, tmp_path / "again"))
        pd.testing.assert_frame_equal(one, two)
    assert not (tmp_path / "again" / "nominal").exists()


def test_pairs_are_the_same_on_any_number_of_threads(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Several tasks, and several row groups in each file.
    monkeypatch.setattr(mapping, "_GENES_AT_ONCE", 3)
    monkeypatch.setattr(tables, "_ROWS", 50)
    found = {}
    for threads in (1, 2, 5):
        out = tmp_path / str(threads)
        map_eqtl(
            world.genotypes, world.expression, out, covariates=world.covariates,
            upstream=WINDOW, downstream=WINDOW, permutations=0, threads=threads,
        )  # fmt: skip
        found[threads] = [pq.read_table(out / "nominal" / f"{c}.parquet") for c in "12"]
        assert pq.read_metadata(out / "nominal" / "1.parquet").num_row_groups > 1
    assert found[1] == found[2] == found[5]


def test_each_fold_is_mapped_in_its_training_people(world: World, tmp_path: Path) -> None:
    done = map_eqtl(
        world.genotypes, world.expression, tmp_path / "F", covariates=world.covariates,
        upstream=WINDOW, downstream=WINDOW, permutations=0, folds=4,
    )  # fmt: skip
    assert [part.n_people for part in done.parts] == [120] * 4
    folds = pd.read_csv(tmp_path / "F" / "folds.tsv", sep="\t")
    for number, part in enumerate(done.parts):
        assert part.path == tmp_path / "F" / f"fold{number}"
        assert part.n_egenes is None
        assert part.dropped == {"people held out": 40}
        learned = Ledger.load(part.path / "ledger.parquet").learned["eqtl"]["individual"]
        assert learned == set(folds.loc[folds["fold"] != number, "sample"])


def test_windows_follow_strands_where_they_are_uneven(world: World, tmp_path: Path) -> None:
    (tmp_path / "genes.bed").write_text("1\t39000\t40001\tg0\t0\t-\n1\t42000\t43000\tg1\t0\t+\n")
    map_eqtl(
        world.genotypes, world.expression, tmp_path / "S", genes=tmp_path / "genes.bed",
        upstream=10_000, downstream=0, permutations=0,
    )  # fmt: skip
    pairs = pd.read_parquet(tmp_path / "S" / "nominal" / "1.parquet")
    distance = pairs.groupby("phenotype_id")["tss_distance"].agg(["min", "max"])
    assert distance.loc["g0"].tolist() == [1_999, 9_999]
    assert distance.loc["g1"].tolist() == [-8_001, -1]


def test_chosen_genes_have_the_numbers_that_all_genes_give(
    world: World, mapped: Path, tmp_path: Path
) -> None:
    done = map_eqtl(
        world.genotypes, world.expression, tmp_path / "G", covariates=world.covariates,
        gene=["g5", "g0"], upstream=WINDOW, downstream=WINDOW, permutations=500,
        correction="bh", folds=2, threads=1,
    )  # fmt: skip
    assert [part.n_genes for part in done.parts] == [2, 2]
    map_eqtl(
        world.genotypes, world.expression, tmp_path / "A", covariates=world.covariates,
        gene=["g5", "g0"], upstream=WINDOW, downstream=WINDOW, permutations=500,
        correction="bh", threads=1,
    )  # fmt: skip
    genes = pd.read_parquet(tmp_path / "A" / "genes.parquet").set_index("phenotype_id")
    assert genes.index.tolist() == ["g0", "g5"]
    every = pd.read_parquet(mapped / "genes.parquet").set_index("phenotype_id").loc[genes.index]
    columns = ["variant_id", "pval_nominal", "pval_perm", "pval_beta"]
    pd.testing.assert_frame_equal(genes[columns], every[columns], rtol=1e-9)
    with pytest.raises(MismatchError, match="without expression"):
        map_eqtl(world.genotypes, world.expression, tmp_path / "N", gene=["nobody"])


def test_bad_input_is_refused(world: World, tmp_path: Path) -> None:
    given = (world.genotypes, world.expression)
    with pytest.raises(ConfigError, match="unknown key"):
        map_eqtl(*given, tmp_path / "a", permutation=5)
    with pytest.raises(ConfigError, match="permutations"):
        map_eqtl(*given, tmp_path / "b", permutations=5)
    with pytest.raises(ConfigError, match="twice"):
        map_eqtl(*given, tmp_path / "c", folds=3, folds_file="f.tsv")
    (tmp_path / "other.bed").write_text("1\t1\t2\tother\t0\t+\n")
    with pytest.raises(MismatchError, match="annotation"):
        map_eqtl(*given, tmp_path / "d", genes=tmp_path / "other.bed")
    (tmp_path / "e").mkdir()
    with pytest.raises(InputError, match="already exists"):
        map_eqtl(*given, tmp_path / "e")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["e", "other.bed"]
