"""The eight features, against genes worked out by hand and against the simulator's own table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset
from exprimo.core.errors import InputError
from exprimo.data.annotation import read_annotation, tss_table
from exprimo.data.fasta import Genome
from exprimo.features.build_promoters import dataset_promoters
from exprimo.features.halflife import FEATURES, LABELS, transcript_features
from exprimo.features.halflife.transcripts import stored_features
from exprimo.simulate import SimulatedWorld, simulate
from exprimo.simulate.config import GenomeConfig, WorldConfig

Block = tuple[str, int, int]

#        0         1         2         3         4
#        0123456789012345678901234567890123456789012345678
BASES = "GGCATATGCCCGTAAAGTTTAGGCCTAACCGTTTAGATATGGNNCCAA"
PLUS: list[Block] = [
    ("exon", 2, 11), ("exon", 16, 28), ("exon", 34, 40), ("CDS", 5, 11), ("CDS", 16, 25),
]  # fmt: skip


def gtf(strand: str, blocks: Sequence[Block], stop: Block | None = None) -> str:
    tags = 'gene_id "g"; transcript_id "t";'
    lines = []
    for feature, start, end in [*blocks, *([stop] if stop else [])]:
        lines.append(f"I\tmade\t{feature}\t{start + 1}\t{end}\t.\t{strand}\t.\t{tags}\n")
    return "".join(lines)


def measure(folder: Path, text: str, bases: str = BASES, name: str = "g.gtf") -> dict[str, float]:
    (folder / "g.fa").write_text(f">I\n{bases}\n")
    (folder / name).write_text(text)
    with Genome.open(folder / "g.fa") as genome:
        annotation = read_annotation(folder / name)
        ids = annotation.transcripts["transcript_id"].tolist()
        return dict(transcript_features(annotation, genome, ids).iloc[0])


def expect(found: dict[str, float], **expected: float) -> None:
    assert list(found) == list(FEATURES)
    wanted = [expected[name] for name in FEATURES]
    np.testing.assert_allclose(list(found.values()), wanted, rtol=1e-12)


def test_a_gene_on_the_plus_strand(tmp_path: Path) -> None:
    # 5'UTR CAT; CDS ATGCCC GTTTAGGCC (15, stop not in it but for the GTF's own line); 3'UTR TAA +
    # GATATG behind an intron of 6; introns GTAAA (5) and CCGTTT -> 11 bases.
    found = measure(tmp_path, gtf("+", PLUS))
    assert BASES[2:5] == "CAT"
    assert BASES[5:11] + BASES[16:25] == "ATGCCC" + "GTTTAGGCC"
    assert BASES[25:28] + BASES[34:40] == "TAA" + "AGATAT"
    expect(
        found, utr5_length=3, cds_length=15, intron_length=11, utr3_length=9,
        utr5_gc=1 / 3, cds_gc=9 / 15, utr3_gc=1 / 9, junction_density=1000 * 2 / 15,
    )  # fmt: skip


def test_the_same_gene_on_the_minus_strand_exchanges_the_untranslated_ends(
    tmp_path: Path,
) -> None:
    found = measure(tmp_path, gtf("-", PLUS))
    expect(
        found, utr5_length=9, cds_length=15, intron_length=11, utr3_length=3,
        utr5_gc=1 / 9, cds_gc=9 / 15, utr3_gc=1 / 3, junction_density=1000 * 2 / 15,
    )  # fmt: skip


def test_a_gene_turned_with_its_chromosome_keeps_its_features(tmp_path: Path) -> None:
    n = len(BASES)
    turned = [(feature, n - end, n - start) for feature, start, end in PLUS]
    flipped = BASES.translate(str.maketrans("ACGTN", "TGCAN"))[::-1]
    one = measure(tmp_path, gtf("+", PLUS))
    other = measure(tmp_path, gtf("-", turned), flipped, "turned.gtf")
    assert one == other


@pytest.mark.parametrize("strand", ["+", "-"])
def test_a_stop_codon_on_its_own_line_belongs_to_the_cds(tmp_path: Path, strand: str) -> None:
    stop = ("stop_codon", 25, 28) if strand == "+" else ("stop_codon", 2, 5)
    found = measure(tmp_path, gtf(strand, PLUS, stop))
    assert found["cds_length"] == 18
    assert found["utr3_length"] == (6 if strand == "+" else 0)
    assert found["junction_density"] == pytest.approx(1000 * 2 / 18)


def test_gff3_includes_the_stop_codon_and_gives_the_same(tmp_path: Path) -> None:
    rows = [("gene", 2, 40, "ID=gene:g"), ("mRNA", 2, 40, "ID=transcript:t;Parent=gene:g")]
    parts = [*PLUS[:4], ("CDS", 16, 28)]
    rows += [(feature, start, end, "Parent=transcript:t") for feature, start, end in parts]
    text = "##gff-version 3\n" + "".join(
        f"I\tmade\t{feature}\t{start + 1}\t{end}\t.\t+\t.\t{tags}\n"
        for feature, start, end, tags in rows
    )
    gff3 = measure(tmp_path, text, name="g.gff3")
    assert gff3 == measure(tmp_path, gtf("+", PLUS, ("stop_codon", 25, 28)))


def test_one_exon_has_no_intron_and_no_junction(tmp_path: Path) -> None:
    found = measure(tmp_path, gtf("+", [("exon", 3, 27), ("CDS", 5, 25)]))
    assert (found["utr5_length"], found["cds_length"], found["utr3_length"]) == (2, 20, 2)
    assert (found["intron_length"], found["junction_density"]) == (0, 0)


def test_an_intron_within_an_untranslated_region_is_not_part_of_it(tmp_path: Path) -> None:
    blocks = [("exon", 0, 2), ("exon", 8, 10), ("exon", 20, 40), ("CDS", 22, 40)]
    found = measure(tmp_path, gtf("+", blocks))
    assert found["utr5_length"] == 6  # GG, CC, AG
    assert found["utr5_gc"] == pytest.approx(5 / 6)
    assert found["intron_length"] == 6 + 10
    assert found["junction_density"] == pytest.approx(1000 * 2 / 18)
    # No base behind the stop: length 0, and a share of nothing is missing, not 0.
    assert found["utr3_length"] == 0
    assert np.isnan(found["utr3_gc"])


def test_unknown_bases_count_as_length_but_not_in_gc(tmp_path: Path) -> None:
    found = measure(tmp_path, gtf("+", [("exon", 30, 48), ("CDS", 30, 40)]))
    assert found["utr3_length"] == 8
    assert found["utr3_gc"] == pytest.approx(4 / 6)  # GG, NN, CC, AA
    found = measure(tmp_path, gtf("+", [("exon", 30, 44), ("CDS", 30, 42)]))
    assert np.isnan(found["utr3_gc"])


def test_without_cds_nothing_is_known(tmp_path: Path) -> None:
    assert np.isnan(list(measure(tmp_path, gtf("+", PLUS[:3])).values())).all()


def test_a_transcript_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_text(f">I\n{BASES}\n")
    (tmp_path / "g.gtf").write_text(gtf("+", PLUS))
    with Genome.open(tmp_path / "g.fa") as genome:
        annotation = read_annotation(tmp_path / "g.gtf")
        with pytest.raises(InputError, match="no such transcript"):
            transcript_features(annotation, genome, ["t", "u"])


def test_what_is_stored_are_logarithms_and_shares() -> None:
    table = pd.DataFrame([[0, 900, 0, 99.9, np.nan, 0.5, 0.25, 9.9]], columns=list(FEATURES))
    stored = stored_features(table)[0]
    expected = [-1, np.log10(900.1), -1, 2, np.nan, 0.5, 0.25, 1]
    np.testing.assert_allclose(stored, expected, rtol=1e-6)
    assert LABELS[0] == "log10_utr5_length"
    assert LABELS[4:7] == ("utr5_gc", "cds_gc", "utr3_gc")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SimulatedWorld:
    config = WorldConfig(genes=150, genome=GenomeConfig(chromosomes=3))
    return simulate(tmp_path_factory.mktemp("stable") / "world", seed=5, config=config)


def test_the_features_of_a_world_are_those_it_was_made_with(world: SimulatedWorld) -> None:
    truth = pd.read_table(world.folder / "truth" / "components.tsv", index_col="gene_id")
    with Genome.open(world.genome) as genome:
        annotation = read_annotation(world.genes)
        sites = tss_table(annotation).set_index("gene_id").loc[truth.index]
        found = transcript_features(annotation, genome, sites["transcript_id"].tolist())
    coding = truth["cds_length"].notna().to_numpy()
    assert 0 < (~coding).sum() < len(truth) / 2
    assert (found["cds_length"].notna().to_numpy() == coding).all()
    for name in set(FEATURES) - {"intron_length"}:
        # The truth is written with four decimals.
        np.testing.assert_allclose(
            found[name].to_numpy()[coding], truth[name][coding], atol=5.1e-5, rtol=0
        )
    exons = annotation.exons[annotation.exons["transcript_id"].isin(found.index)]
    spans = exons.groupby("transcript_id").agg({"start": "min", "end": "max"})
    mature = (exons["end"] - exons["start"]).groupby(exons["transcript_id"]).sum()
    introns = (spans["end"] - spans["start"] - mature).loc[found.index[coding]]
    np.testing.assert_array_equal(found["intron_length"][coding], introns)


def test_a_dataset_holds_them_beside_the_promoters(world: SimulatedWorld, tmp_path: Path) -> None:
    truth = pd.read_table(world.folder / "truth" / "components.tsv", index_col="gene_id")
    made = dataset_promoters(
        fasta=world.genome, genes=world.genes, targets=world.expression, halflife=True,
        upstream=50, downstream=50, out=tmp_path / "D.h5",
    )  # fmt: skip
    measured = truth["observed"].notna()
    coding = truth["cds_length"].notna()
    assert made.n_examples == (measured & coding).sum()
    reason = "no coding sequence, so no half-life features"
    assert made.dropped[reason] == (measured & ~coding).sum()
    with Dataset.open(made.path) as data:
        assert data.inputs["halflife"].labels == LABELS
        assert data.inputs["halflife"].shape == (8,)
        values = data.rows("halflife", np.arange(len(data)))
        genes = data.column("gene_id")
        assert data.provenance["settings"]["halflife"]["computed"] is True
    expected = np.log10(truth.loc[genes, "cds_length"] + 0.1)
    np.testing.assert_allclose(values[:, 1], expected, rtol=1e-6)
    np.testing.assert_allclose(values[:, 6], truth.loc[genes, "utr3_gc"], atol=5.1e-5)
