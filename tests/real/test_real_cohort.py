"""Cohorts as they are published: 1000 Genomes people in one region, and a PLINK data set."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.data.check import check_file
from exprimo.data.genotypes import open_genotypes
from exprimo.data.genotypes.cohort import summarise_cohort
from exprimo.data.genotypes.sites import read_sites

pytestmark = pytest.mark.real

REGION = "genotypes/1000G_phase3_chr1_11697036_11836540_2504samples.vcf.gz"


def test_people_of_1000_genomes(realdata):
    report = check_file(realdata / REGION)
    assert report.kind == "VCF"
    assert report.facts["samples"].startswith("2,504 (HG00096, ")
    assert report.facts["variants"] == "4,296 records"
    assert report.facts["genome build"].startswith("GRCh37")
    assert report.facts["phased"].startswith("100.0%")
    # 140 kb are one neighbourhood: nothing is said of relatives, and that is told.
    assert "relatives" not in report.facts
    assert "too few to tell relatives" in report.facts["bounds"]


def test_a_list_of_variants_from_people(realdata):
    sites = read_sites(realdata / REGION)
    assert len(sites.variants) + sum(sites.skipped.values()) == 4296
    assert sites.variants["start"].is_monotonic_increasing


def test_a_plink_data_set(realdata):
    with open_genotypes(realdata / "plink" / "example") as genotypes:
        summary = summarise_cohort(genotypes)
    assert summary.counts["variants"] == 4542
    # What plink2 --make-king-table --king-table-filter 0.0884 finds.
    related = summary.related
    assert len(related) == 24
    first = related.iloc[0]
    assert {first["sample_1"], first["sample_2"]} == {"IND168", "IND191"}
    assert first["kinship"] == pytest.approx(0.16278, abs=1e-5)
    assert first["ibs0"] == pytest.approx(0.0264201, abs=1e-6)
    # Three populations: two components stand out.
    shares = summary.components.shares
    assert shares[1] > 1.5 * shares[2]
    assert np.all(np.diff(shares) < 0)
