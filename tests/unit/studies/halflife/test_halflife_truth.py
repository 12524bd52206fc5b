"""What a simulated world knows: the bases of sites that act, and what each input tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import exprimo
from exprimo.core.dataset import Dataset
from exprimo.core.errors import MismatchError
from exprimo.core.run import Run
from exprimo.core.sequence import decode
from exprimo.core.split import Split
from exprimo.simulate.config import GenomeConfig, WorldConfig
from exprimo.studies.halflife.interpretation import tss_index
from exprimo.studies.halflife.truth import acting_bases, check_world, truth_ceilings

OTHER = str.maketrans("ACGTN", "TGCAN")


def write_sites(folder: Path, rows: list[tuple[str, int, int, float]]) -> Path:
    table = pd.DataFrame(rows, columns=["gene_id", "start", "end", "effect"])
    table.assign(chrom="1").to_csv(folder / "sites.tsv", sep="\t", index=False)
    return folder


@pytest.fixture
def two_genes(write_genes: Any) -> Path:
    """A gene on either strand, TSS base at 100 and 200, with 4 bases before it and 4 from it on."""
    columns = {
        "gene_id": ["PLUS", "MINUS"],
        "chrom": ["1", "1"],
        "start": [96, 197],
        "end": [104, 205],
        "strand": ["+", "-"],
        "tss": [100, 200],
    }
    path: Path = write_genes(columns, ["ACGTACGT", "ACGTACGT"], [0.0, 1.0])
    return path


def marks(mask: np.ndarray) -> list[str]:
    return ["".join("x" if one else "." for one in row) for row in mask]


def test_bases_are_marked_in_gene_orientation(two_genes: Path, tmp_path: Path) -> None:
    # 197..204 read backwards: window position 0 is base 204, the TSS (200) is position 4.
    sites = [("PLUS", 97, 100, 1.0), ("MINUS", 201, 204, -2.0)]
    with Dataset.open(two_genes) as data:
        assert tss_index(data) == 4
        found = acting_bases(write_sites(tmp_path, sites), data, np.array([0, 1]), 4)
        assert marks(found) == [".xxx....", ".xxx...."]
        # The order of the rows is the caller's.
        turned = acting_bases(tmp_path, data, np.array([1]), 4)
        assert marks(turned) == [".xxx...."]


def test_sites_at_and_beyond_the_edge_of_the_window(two_genes: Path, tmp_path: Path) -> None:
    sites = [
        ("PLUS", 94, 98, 1.0),  # enters from the left
        ("PLUS", 103, 109, 1.0),  # leaves to the right
        ("MINUS", 203, 208, 1.0),
        ("MINUS", 190, 198, 1.0),
        ("PLUS", 80, 90, 1.0),  # outside
        ("PLUS", 120, 130, 1.0),
        ("MINUS", 220, 230, 1.0),
        ("PLUS", 99, 102, 0.0),  # does nothing
        ("ELSE", 99, 102, 1.0),  # of no gene here
    ]
    with Dataset.open(two_genes) as data:
        found = acting_bases(write_sites(tmp_path, sites), data, np.array([0, 1]), 4)
    assert marks(found) == ["xx.....x", "xx.....x"]


def test_the_tss_is_the_middle_where_nobody_says_where_it_is(write_genes: Any) -> None:
    path = write_genes({"gene_id": ["a", "b"]}, ["ACGTACGT", "ACGTACGA"], [0.0, 1.0])
    with Dataset.open(path) as data:
        assert tss_index(data) == 4


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Any:
    config = WorldConfig(genes=150, genome=GenomeConfig(chromosomes=3))
    return exprimo.simulate(tmp_path_factory.mktemp("truth") / "world", seed=5, config=config)


@pytest.fixture(scope="module")
def dataset(world: Any) -> Path:
    out: Path = world.folder.parent / "D.h5"
    exprimo.dataset_promoters(
        fasta=world.genome,
        genes=world.genes,
        targets=world.expression,
        target="expression",
        upstream=500,
        downstream=100,
        halflife=True,
        out=out,
    )
    return out


def test_marked_bases_spell_the_consensus_of_their_factor(world: Any, dataset: Path) -> None:
    truth = world.folder / "truth"
    consensus = pd.read_csv(truth / "tfs.tsv", sep="\t").set_index("tf")["consensus"]
    sites = pd.read_csv(truth / "sites.tsv", sep="\t", dtype={"gene_id": str})
    acting = sites[sites["effect"] != 0].groupby("gene_id")
    agree, n_alone = {"+": 0, "-": 0}, {"+": 0, "-": 0}
    with Dataset.open(dataset) as data:
        index = tss_index(data)
        assert index == 500
        rows = np.arange(len(data))
        mask = acting_bases(truth, data, rows, index)
        genes, strands = data.column("gene_id"), data.column("strand")
        letters = [decode(codes) for codes in data.rows("sequence", rows)]
    for gene, strand, text, marked in zip(genes, strands, letters, mask, strict=True):
        own = acting.get_group(gene) if gene in acting.groups else sites[:0]
        width = len(consensus.iloc[0])
        if len(own) == 0:
            assert not marked.any()
        for site in own.itertuples():
            at = index + site.tss_offset
            assert marked[at : at + width].all()
            word = text[at : at + width]
            if site.orientation == "-":
                word = word.translate(OTHER)[::-1]
            n_alone[strand] += width
            agree[strand] += sum(a == b for a, b in zip(word, consensus[site.tf], strict=True))
        covered = np.zeros_like(marked)
        for site in own.itertuples():
            covered[index + site.tss_offset : index + site.tss_offset + width] = True
        np.testing.assert_array_equal(marked, covered)
    # A site needs 60% of the best score, so most letters are the consensus; by chance 25% are.
    for strand in "+-":
        assert n_alone[strand] > 500
        assert agree[strand] / n_alone[strand] > 0.8


def test_ceilings_are_the_scores_of_the_true_components(
    world: Any, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = world.folder / "truth"
    metrics = {"target": "expression", "headline": "pearson_r", "above": None, "classes": None}
    monkeypatch.setattr(Run, "metrics", property(lambda _: metrics))
    with Dataset.open(dataset) as data:
        ids = data.column("example_id")
        part = np.where(np.arange(len(ids)) % 2, "test", "train")
        split = Split(ids, part, "random", 0, data.sha256, ("gene",), {})
        found = truth_ceilings(truth, data, Run(tmp_path), split)
        rows = split.rows("test")
        observed, genes = data.target("expression")[rows], data.column("gene_id")[rows]
    parts = pd.read_csv(truth / "components.tsv", sep="\t").set_index("gene_id").loc[genes]
    known = ~np.isnan(observed)
    sums = {
        "promoter and half-life": parts["promoter"] + parts["halflife"],
        "promoter": parts["promoter"],
        "half-life": parts["halflife"],
    }
    assert found["metric"] == "pearson_r"
    assert found["ceilings"].keys() == sums.keys()
    for name, score in sums.items():
        expected = np.corrcoef(observed[known], score[known])[0, 1]
        assert found["ceilings"][name]["value"] == pytest.approx(expected, abs=1e-6)
        assert found["ceilings"][name]["low"] < expected < found["ceilings"][name]["high"]
    assert (
        found["ceilings"]["promoter and half-life"]["value"]
        > found["ceilings"]["half-life"]["value"]
    )


def test_the_truth_of_another_world_is_refused(world: Any, two_genes: Path) -> None:
    with (
        Dataset.open(two_genes) as data,
        pytest.raises(MismatchError, match=r"another world.*no line for 2 genes, such as MINUS"),
    ):
        check_world(world.folder / "truth", data)
