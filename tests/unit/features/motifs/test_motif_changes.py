"""Which motif an allele makes or breaks, with the sequence around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.sequence import encode
from exprimo.data.fasta import Genome
from exprimo.data.motifs import MotifMatrix
from exprimo.features.motifs import log_odds, motif_changes

EVEN = np.full(4, 0.25)
GATA = MotifMatrix("M1", "GATA1", np.eye(4)[encode("AGATAAGC")], EVEN)
TATA = MotifMatrix("M2", "", np.eye(4)[encode("TATAAAAGGC")], EVEN)
#        0         1         2         3         4
LEFT = "CCCCCCCCCCAGATAAGCCCCCCCCCCGCTTATCTCCCCCC"


@pytest.fixture
def genome(tmp_path: Path) -> Iterator[Genome]:
    (tmp_path / "g.fa").write_text(f">1\n{LEFT}\n>2\nGATAAGCTT\n")
    with Genome.open(tmp_path / "g.fa") as opened:
        yield opened


def _change(genome: Genome, chrom: str, pos: int, ref: str, alt: str) -> tuple[str, float, float]:
    table = pd.DataFrame({"chrom": [chrom], "pos": [pos], "ref": [ref], "alt": [alt]})
    (found,) = motif_changes(table, genome, [GATA, TATA], EVEN)
    return found.motif, round(found.ref, 3), round(found.alt, 3)


def test_a_broken_site_has_the_scores_of_both_words(genome: Genome) -> None:
    bits = log_odds(GATA, EVEN)
    best = bits.max(axis=1).sum()
    name, ref, alt = _change(genome, "1", 13, "A", "C")
    assert name == "GATA1 (M1)"
    assert ref == pytest.approx(best, abs=0.01)
    assert alt == pytest.approx(best - bits[2].max() + bits[2].min(), abs=0.01)


def test_a_site_on_the_other_strand_counts(genome: Genome) -> None:
    name, ref, alt = _change(genome, "1", 30, "T", "C")
    assert name == "GATA1 (M1)"
    assert ref > alt + 5


def test_a_variant_away_from_every_site_changes_none(genome: Genome) -> None:
    name, ref, alt = _change(genome, "1", 23, "C", "A")
    assert name == ""
    assert np.isnan([ref, alt]).all()


def test_a_deletion_can_break_a_site_and_an_insertion_make_one(genome: Genome) -> None:
    assert _change(genome, "1", 12, "GATA", "G")[0] == "GATA1 (M1)"
    name, ref, alt = _change(genome, "1", 3, "C", "CTATAAAAGGC")
    assert name == "M2"
    assert alt > ref + 5


def test_at_the_end_of_a_chromosome_there_are_fewer_windows(genome: Genome) -> None:
    name, ref, alt = _change(genome, "2", 1, "G", "AG")
    assert name == "GATA1 (M1)"
    assert np.isfinite([ref, alt]).all()
    assert alt > ref


def test_no_variant_no_change(genome: Genome) -> None:
    table = pd.DataFrame({"chrom": [], "pos": [], "ref": [], "alt": []})
    assert motif_changes(table, genome, [GATA], EVEN) == []
