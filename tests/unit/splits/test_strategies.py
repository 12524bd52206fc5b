from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import ConfigError, InputError
from exprimo.core.ledger import keys_of
from exprimo.core.sequence import reverse_complement
from exprimo.splits import default_strategy, held_out_units, make_split
from exprimo.splits.allotment import uneven_notes

ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def paralogs(make_dataset, rng):
    """600 genes on ten chromosomes: 100 families of three at 92% identity, 300 single genes."""
    rows = rng.integers(0, 4, (600, 300), dtype=np.uint8)
    for copy in (100, 200):
        changed = rng.random((100, 300)) < 0.08
        rows[copy : copy + 100] = np.where(changed, (rows[:100] + 1) % 4, rows[:100])
    rows[100:200] = reverse_complement(rows[100:200])
    place = rng.permutation(600)
    return make_dataset(
        rows,
        gene_id=[f"g{i}" for i in range(600)],
        chrom=[ROMAN[i % 10] for i in place],
        start=place * 1000,
        end=place * 1000 + 300,
    )


def part_of(split):
    return dict(zip(split.example_id.tolist(), split.part.tolist(), strict=True))


def test_a_homology_split_parts_no_family_and_meets_the_fractions(paralogs):
    split = make_split(paralogs, seed=3)
    assert split.strategy == "homology"
    assert split.held_out == ("gene", "sequence")
    for founder in range(100):
        family = {split.part[founder], split.part[founder + 100], split.part[founder + 200]}
        assert len(family) == 1
    assert split.counts() == {"train": 480, "val": 60, "test": 60, "none": 0}
    assert split.unit == "homology group"
    assert split.group[0] == split.group[100] == split.group[200] != split.group[300]
    assert split.notes["homology_groups"] == 400
    assert split.notes["largest_group"] == 3
    assert split.notes["near_duplicate_pairs"] == 300
    split.check_dataset(paralogs.sha256, file=paralogs.path)


def test_a_random_split_parts_families_but_no_gene_and_no_exact_sequence(make_dataset, rng):
    rows = rng.integers(0, 4, (300, 100), dtype=np.uint8)
    rows[200:] = reverse_complement(rows[:100])
    gene = [f"g{i}" for i in range(100)] + [f"h{i // 4}" for i in range(100)] + [""] * 100
    split = make_split(make_dataset(rows, gene_id=gene), "random")
    assert (split.part[:100] == split.part[200:]).all()
    assert all(len(set(split.part[at : at + 4])) == 1 for at in range(100, 200, 4))
    assert split.counts()["test"] == pytest.approx(30, abs=4)


@pytest.mark.parametrize("strategy", ["random", "homology", "chromosome", "gene"])
def test_a_split_depends_on_ids_and_seed_not_on_row_order(make_dataset, rng, strategy):
    n = 250
    rows = rng.integers(0, 4, (n, 200), dtype=np.uint8)
    rows[:50] = rows[50:100]
    rows[:50, ::20] = 0
    ids = np.array([f"e{i}" for i in range(n)])
    gene = np.array([f"g{i % 220}" for i in range(n)])
    chrom = np.array([f"chr{i % 12}" for i in range(n)])

    def split(order, seed):
        data = make_dataset(
            rows[order], example_id=ids[order], gene_id=gene[order], chrom=chrom[order]
        )
        return part_of(make_split(data, strategy, seed=seed))

    plain = split(np.arange(n), 0)
    assert split(rng.permutation(n), 0) == plain
    assert split(np.arange(n), 1) != plain


def test_no_key_of_the_ledger_is_shared_where_it_is_held_out(paralogs):
    for strategy in ("random", "gene", "homology", "chromosome"):
        split = make_split(paralogs, strategy)
        train, test = (keys_of(paralogs, split.rows(part)) for part in ("train", "test"))
        for unit in split.held_out:
            assert not train[unit] & test[unit]


def test_named_chromosomes_in_another_style(paralogs):
    split = make_split(paralogs, "chromosome", test_chroms=["chrVII", "10"], val_chroms=["chr2"])
    chrom = paralogs.column("chrom")
    assert set(chrom[split.rows("test")]) == {"VII", "X"}
    assert set(chrom[split.rows("val")]) == {"II"}
    assert split.notes["test_chrom"] == "VII, X"


def test_named_roman_chromosomes_of_a_dataset_with_numbers(make_dataset, rng):
    rows = rng.integers(0, 4, (200, 60), dtype=np.uint8)
    data = make_dataset(rows, chrom=np.repeat(["1", "2", "3", "4", "5"], 40))
    split = make_split(data, "chromosome", test_chroms=["chrIV", "chrI"], val_chroms=["II"])
    assert set(data.column("chrom")[split.rows("test")]) == {"1", "4"}


def test_val_is_dealt_from_the_chromosomes_that_were_not_named(paralogs):
    split = make_split(paralogs, "chromosome", test_chroms=["chrX"])
    chrom = paralogs.column("chrom")
    assert set(chrom[split.rows("test")]) == {"X"}
    assert len(set(chrom[split.rows("val")])) == 1
    assert split.counts() == {"train": 480, "val": 60, "test": 60, "none": 0}


def test_unknown_chromosomes_show_the_known_ones(paralogs):
    with pytest.raises(ConfigError, match=r"Found: chr11, Z\. .*some of I, II, III, IV"):
        make_split(paralogs, "chromosome", test_chroms=["I", "chr11", "Z"])
    with pytest.raises(ConfigError, match="named for test and for val"):
        make_split(paralogs, "chromosome", test_chroms=["I"], val_chroms=["chrI"])
    with pytest.raises(ConfigError, match="does not use them"):
        make_split(paralogs, "homology", test_chroms=["I"])
    with pytest.raises(InputError, match="too few chromosomes are left"):
        make_split(paralogs, "chromosome", test_chroms=ROMAN[:9])


def test_training_copies_of_what_is_judged_are_set_aside_and_counted(make_dataset, rng):
    rows = rng.integers(0, 4, (200, 60), dtype=np.uint8)
    chrom = np.repeat(["1", "2", "3", "4", ""], 40)
    # Chromosome 4 will be test, 3 val: five exact copies each way, one strand flipped, and a gene.
    rows[0:5] = rows[120:125]
    rows[5] = reverse_complement(rows[125])
    rows[80] = rows[126]
    rows[160] = rows[127]
    gene = np.array([f"g{i}" for i in range(200)])
    gene[10] = "g81"
    data = make_dataset(rows, chrom=chrom, gene_id=gene)
    split = make_split(data, "chromosome", test_chroms=["chr4"], val_chroms=["chr3"])
    assert np.flatnonzero(split.part == "none").tolist() == [0, 1, 2, 3, 4, 5, 10, 80, 160]
    assert split.notes["purged_from_train"] == 8
    assert split.notes["purged_from_val"] == 1
    assert split.notes["train_only_without_chrom"] == 40
    assert (split.part[161:] == "train").all()


def test_cells_and_people_keep_the_genes(make_dataset):
    cells = [f"cell{i % 10}" for i in range(500)]
    people = [f"p{i % 25}" if i % 25 else "" for i in range(500)]
    data = make_dataset(
        gene_id=[f"g{i // 10}" for i in range(500)], cell_type=cells, individual=people
    )
    split = make_split(data, "cell")
    assert split.held_out == ("cell_type",)
    assert split.counts() == {"train": 400, "val": 50, "test": 50, "none": 0}
    assert len({cells[row] for row in split.rows("test")}) == 1
    assert split.unit == "gene"
    assert part_of(make_split(data, "column:cell_type")) == part_of(split)
    people_split = make_split(data, "individual")
    assert people_split.unit == "individual"
    assert people_split.notes["train_only_without_individual"] == 20
    tested = {people[row] for row in people_split.rows("test")}
    assert tested.isdisjoint({people[row] for row in people_split.rows("train")})


def test_a_cross_tests_held_out_genes_in_held_out_cells(make_dataset):
    gene = np.repeat([f"g{i}" for i in range(100)], 10)
    cell = np.tile([f"c{i}" for i in range(10)], 100)
    data = make_dataset(gene_id=gene, cell_type=cell)
    split = make_split(data, "gene*cell")
    assert split.held_out == ("gene", "sequence", "cell_type")
    assert split.counts() == {"train": 640, "val": 10, "test": 10, "none": 340}
    assert split.notes["mixed_set_aside"] == 340
    test, train = split.rows("test"), split.rows("train")
    assert set(gene[test]).isdisjoint(gene[train])
    assert set(cell[test]).isdisjoint(cell[train])


def test_a_giant_group_is_named_in_the_notes(make_dataset, rng):
    rows = rng.integers(0, 4, (300, 200), dtype=np.uint8)
    rows[:280] = np.where(rng.random((280, 200)) < 0.03, rows[:280], rows[0])
    split = make_split(make_dataset(rows))
    assert (split.part[:280] == "train").all()
    assert "93.3% of the examples" in split.notes["uneven_homology"]
    assert split.notes["giant_homology"] == "one of 21 whole groups holds 93.3% of the examples"


def windows_of(genome, starts, length, make_dataset):
    return make_dataset(
        np.stack([genome[start : start + length] for start in starts]),
        gene_id=[f"g{start}" for start in starts],
        chrom=["I"] * len(starts),
        start=np.asarray(starts),
        end=np.asarray(starts) + length,
    )


def test_windows_that_chain_a_genome_into_one_group_are_named_as_the_cause(make_dataset, rng):
    genome = rng.integers(0, 4, 40_000, dtype=np.uint8)
    chained = windows_of(genome, range(0, 38_000, 500), 2_000, make_dataset)
    with pytest.raises(InputError) as refused:
        make_split(chained, "homology")
    told = str(refused.value)
    assert "1 homology groups: 75 of 76 windows of 2,000 bases overlap the next" in told
    assert "shorter windows" in told
    assert "split by chromosome" in told


def test_a_giant_group_of_overlapping_windows_says_so(make_dataset, rng):
    genome = rng.integers(0, 4, 80_000, dtype=np.uint8)
    starts = [*range(0, 38_000, 500), *range(45_000, 75_000, 3_000)]
    split = make_split(windows_of(genome, starts, 2_000, make_dataset), "homology")
    giant = "One of 11 whole groups holds 88.4% of the examples: 75 of 86 windows of 2,000 bases"
    assert uneven_notes(split)[0].startswith(giant)
    assert uneven_notes(split)[1].startswith("Train ")


def test_four_cell_types_are_no_giant_groups(make_dataset):
    data = make_dataset(gene_id=[f"g{i}" for i in range(40)], cell_type=["a", "b", "c", "d"] * 10)
    assert not any(name.startswith("giant") for name in make_split(data, "cell").notes)


def test_empty_parts_and_too_few_groups_are_errors(make_dataset, rng):
    two = make_dataset(
        rng.integers(0, 4, (20, 50), dtype=np.uint8), chrom=["1", "2"] * 10, batch=["a"] * 20
    )
    with pytest.raises(InputError, match="2 values of chrom"):
        make_split(two, "chromosome")
    with pytest.raises(InputError, match="1 values of batch"):
        make_split(two, "column:batch")
    # Every gene is in every batch, so nothing can train without its copy being judged.
    batches = make_dataset(
        gene_id=[f"g{i // 3}" for i in range(30)], batch=[f"b{i % 3}" for i in range(30)]
    )
    with pytest.raises(InputError, match="leaves no example for train"):
        make_split(batches, "column:batch")


def test_unknown_strategies_and_columns_get_a_suggestion(paralogs):
    with pytest.raises(ConfigError, match="Did you mean chromosome"):
        make_split(paralogs, "chromosomes")
    with pytest.raises(ConfigError, match="unknown split strategy"):
        make_split(paralogs, "gene*")
    with pytest.raises(ConfigError, match="crossed with itself"):
        make_split(paralogs, "gene*gene")
    with pytest.raises(InputError, match="Did you mean column:chrom"):
        make_split(paralogs, "column:chromo")
    with pytest.raises(InputError, match="needs the column cell_type"):
        make_split(paralogs, "cell")


def test_the_default_is_never_random(make_dataset, rng):
    codes = rng.integers(0, 4, (9, 40), dtype=np.uint8)
    assert default_strategy(make_dataset(codes, chrom=["1"] * 9)) == "homology"
    three = ["1", "2", "3"] * 3
    assert default_strategy(make_dataset(chrom=three, gene_id=three)) == "chromosome"
    assert default_strategy(make_dataset(chrom=["1"] * 9, gene_id=three)) == "gene"
    assert default_strategy(make_dataset(cell_type=three)) == "cell"
    with pytest.raises(InputError, match="column:NAME"):
        default_strategy(make_dataset(score=["1"] * 9))
    with pytest.raises(InputError, match="needs sequences"):
        make_split(make_dataset(chrom=three), "homology")


@pytest.mark.parametrize(
    ("strategy", "units"),
    [
        ("random", ("gene", "sequence")),
        ("chromosome", ("gene", "sequence")),
        ("column:batch", ("gene", "sequence")),
        ("cell", ("cell_type",)),
        ("individual", ("individual",)),
        ("individual*chromosome", ("gene", "sequence", "individual")),
        ("cell*individual", ("individual", "cell_type")),
    ],
)
def test_what_each_strategy_holds_out(strategy, units):
    assert held_out_units(strategy) == units


@pytest.fixture
def cells_by_genes(tmp_path):
    """Twelve genes in each of six cell types, without sequence."""
    pairs = [(f"g{gene}", f"C{cell}") for cell in range(6) for gene in range(12)]
    table = pd.DataFrame(
        {
            "example_id": [f"{cell}_{gene}" for gene, cell in pairs],
            "gene_id": [gene for gene, _ in pairs],
            "cell_type": [cell for _, cell in pairs],
        }
    )
    path = tmp_path / "cells.h5"
    with write_dataset(path, {}) as out:
        out.examples(table)
        out.input("halflife", [np.arange(len(table), dtype=np.float32)[:, None]])
        out.target("y", np.arange(len(table), dtype=np.float32), kind="regression")
    with Dataset.open(path) as data:
        yield data


def test_named_cell_types_judge_and_tune(cells_by_genes):
    split = make_split(cells_by_genes, "cell", test_cells=["C4", "C5"], val_cells=["C2"])
    cells = cells_by_genes.column("cell_type")
    assert set(cells[split.rows("test")]) == {"C4", "C5"}
    assert set(cells[split.rows("val")]) == {"C2"}
    assert set(cells[split.rows("train")]) == {"C0", "C1", "C3"}
    assert split.held_out == ("cell_type",)


def test_named_cell_types_in_a_cross_hold_out_genes_too(cells_by_genes):
    split = make_split(cells_by_genes, "gene*cell", test_cells=["C5"], val_cells=["C2"])
    cells, genes = cells_by_genes.column("cell_type"), cells_by_genes.column("gene_id")
    train, test = split.rows("train"), split.rows("test")
    assert set(cells[test]) == {"C5"}
    assert not set(genes[train]) & set(genes[test])
    assert not set(cells[train]) & {"C5", "C2"}


def test_examples_dealt_one_by_one_share_genes_and_cells(cells_by_genes):
    split = make_split(cells_by_genes, "example")
    genes, cells = cells_by_genes.column("gene_id"), cells_by_genes.column("cell_type")
    assert split.held_out == ()
    assert split.counts()["none"] == 0
    assert set(genes[split.rows("test")]) & set(genes[split.rows("train")])
    assert set(cells[split.rows("test")]) & set(cells[split.rows("train")])


def test_an_unknown_cell_type_is_refused_with_the_nearest(cells_by_genes):
    with pytest.raises(ConfigError, match="--test-cells names cell types") as caught:
        make_split(cells_by_genes, "cell", test_cells=["c5"])
    assert "Did you mean C5" in str(caught.value)
    with pytest.raises(ConfigError, match="for test and for val"):
        make_split(cells_by_genes, "cell", test_cells=["C5"], val_cells=["C5"])
    with pytest.raises(ConfigError, match="does not use them"):
        make_split(cells_by_genes, "gene", test_cells=["C5"])


def test_a_cross_tells_how_few_are_left_to_judge_by(cells_by_genes):
    split = make_split(cells_by_genes, "gene*cell", test_cells=["C5"], val_cells=["C2"])
    counts = split.counts()
    assert counts["none"] == split.notes["mixed_set_aside"] > 0
    assert f"test {counts['test']} of 72" in split.notes["uneven_cross"]
    assert "uneven_cell" not in split.notes
