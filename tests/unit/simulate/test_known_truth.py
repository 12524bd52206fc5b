"""The truth tables, worked out again from the files by plain means."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

# Tables have four decimals, so sums over a few rows agree to about this.
ROUNDING = 2e-3


def _meme(text: str) -> dict[str, np.ndarray]:
    motifs = {}
    for block in text.split("MOTIF ")[1:]:
        name, _, *rows = block.strip().splitlines()
        motifs[name] = np.array([[float(value) for value in row.split()] for row in rows])
    return motifs


@pytest.fixture
def motifs(known: Any) -> dict[str, np.ndarray]:
    return _meme((known.world.truth / "motifs.meme").read_text())


def _score(word: str, probabilities: np.ndarray) -> float:
    columns = ["ACGT".index(letter) for letter in word]
    return float(np.log2(probabilities[np.arange(len(word)), columns] / 0.25).sum())


def test_sites_score_in_the_genome_what_the_table_says(
    known: Any, motifs: dict[str, np.ndarray]
) -> None:
    threshold = dict(zip(known.factors["tf"], known.factors["threshold_bits"], strict=True))
    for site in known.sites.itertuples():
        word = known.letters(site.chrom, site.start, site.end, site.strand)
        assert _score(word, motifs[site.tf]) == pytest.approx(site.score, abs=ROUNDING)
        if site.effect != 0 or site.origin in ("planted", "chance"):
            assert site.score >= threshold[site.tf] - ROUNDING


def test_sites_lie_where_their_offset_says(known: Any) -> None:
    canonical = known.canonical()
    for site in known.sites.itertuples():
        gene = canonical[site.gene_id]
        first = site.start if gene.strand == "+" else site.end - 1
        offset = first - gene.tss if gene.strand == "+" else gene.tss - first
        assert offset == site.tss_offset
        assert -500 <= offset <= 100 - (site.end - site.start)
        assert site.orientation == ("+" if site.strand == gene.strand else "-")


def test_no_site_in_a_window_is_left_out(known: Any, motifs: dict[str, np.ndarray]) -> None:
    threshold = dict(zip(known.factors["tf"], known.factors["threshold_bits"], strict=True))
    listed = {
        (row.gene_id, row.tf, row.tss_offset, row.orientation)
        for row in known.sites.itertuples()
        if row.score >= threshold[row.tf] - ROUNDING
    }
    found = set()
    gene_ids = known.components["gene_id"][:60]
    for gene_id in gene_ids:
        window = known.window(gene_id, 500, 100)
        for tf, matrix in motifs.items():
            # Turning rows and columns round gives the matrix of the other strand (ACGT -> TGCA).
            for orientation, oriented in (("+", matrix), ("-", matrix[::-1, ::-1])):
                for at in range(len(window) - len(matrix) + 1):
                    score = _score(window[at : at + len(matrix)], oriented)
                    if score >= threshold[tf] - ROUNDING:
                        found.add((gene_id, tf, at - 500, orientation))
    assert found == {site for site in listed if site[0] in set(gene_ids)}


def test_effects_follow_the_rules_of_the_factors(known: Any) -> None:
    rules = known.factors.set_index("tf")
    config = known.described["config"]["regulation"]
    threshold, weakest = config["threshold"], config["weakest_occupancy"]
    best = rules["threshold_bits"] / threshold
    share = known.sites["score"] / known.sites["tf"].map(best)
    occupancy = weakest + (1 - weakest) * (share - threshold) / (1 - threshold)
    for tf in ("PROX", "REPR", "CORE"):
        rule = rules.loc[tf]
        of_factor = known.sites[(known.sites["tf"] == tf) & (share >= threshold - 1e-5)]
        assert len(of_factor) > 300
        for row, site in of_factor.iterrows():
            weight = rule["forward"] if site["orientation"] == "+" else rule["reverse"]
            if not rule["reach_start"] <= site["tss_offset"] < rule["reach_end"]:
                weight = 0.0
            if not np.isnan(rule["decay"]):
                weight *= np.exp(-abs(site["tss_offset"]) / rule["decay"])
            expected = rule["effect"] * weight * occupancy[row]
            assert site["effect"] == pytest.approx(expected, abs=ROUNDING)


def test_only_a_pair_at_the_right_gap_acts(known: Any) -> None:
    rule = known.factors.set_index("tf").loc["LEAD"]
    pairs = known.sites[known.sites["tf"].isin(["LEAD", "MATE"])]
    acting = pairs[pairs["effect"] != 0]
    assert 100 < len(acting) < len(pairs)
    for _, group in pairs.groupby(["gene_id", "orientation"]):
        leads, mates = group[group["tf"] == "LEAD"], group[group["tf"] == "MATE"]
        partnered = set()
        for lead in leads.itertuples():
            for mate in mates.itertuples():
                gap = mate.tss_offset - lead.tss_offset
                gap = (gap if lead.orientation == "+" else -gap) - 9
                # Sites that mutation has broken act in no pair.
                alive = min(lead.score, mate.score) >= rule["threshold_bits"] - ROUNDING
                if alive and rule["spacing_start"] <= gap < rule["spacing_end"]:
                    partnered |= {lead.Index, mate.Index}
        assert partnered == set(group.index[group["effect"] != 0])


def test_components_add_up(known: Any) -> None:
    table = known.components.set_index("gene_id")
    promoter = known.sites.groupby("gene_id")["effect"].sum().reindex(table.index, fill_value=0)
    assert np.abs(promoter - table["promoter"]).max() < ROUNDING
    parts = table[["baseline", "promoter", "halflife", "family"]].sum(axis=1)
    assert np.abs(parts - table["expected"]).max() < ROUNDING
    observed = known.expression.set_index("gene_id")["expression"]
    difference = observed - table["expected"] - table["noise"]
    assert np.abs(difference.dropna()).max() < ROUNDING
    assert observed.isna().equals(table["observed"].isna())


def test_ceilings_are_correlations_with_observed_expression(known: Any) -> None:
    table = known.components.dropna(subset="observed")
    columns = {
        "promoter": ["promoter"],
        "halflife": ["halflife"],
        "promoter_halflife": ["promoter", "halflife"],
        "all": ["promoter", "halflife", "family"],
    }
    for name, parts in columns.items():
        r = np.corrcoef(table[parts].sum(axis=1), table["observed"])[0, 1]
        assert known.world.ceilings[name] == pytest.approx(r, abs=1e-4)
    assert known.described["ceilings"] == dict(known.world.ceilings)
    assert 0.85 < known.world.ceilings["promoter"] < known.world.ceilings["all"] < 0.99


def test_halflife_follows_utr_and_cds_features(known: Any) -> None:
    """The features, measured again from the files, explain the true half-life completely."""
    canonical = known.canonical()
    table = known.components[known.components["biotype"] == "protein_coding"]
    rows = []
    for gene_id in table["gene_id"]:
        one = canonical[gene_id]
        row: list[float] = []
        for parts in (["five_prime_utr"], ["CDS", "stop_codon"], ["three_prime_utr"]):
            spans = [span for part in parts for span in one.spans[part]]
            letters = "".join(known.letters(one.chrom, *span, one.strand) for span in spans)
            row += [np.log(len(letters)), (letters.count("G") + letters.count("C")) / len(letters)]
        coding = np.exp(row[2])
        row.append(np.log1p(1000 * (len(one.spans["exon"]) - 1) / coding))
        rows.append(row)
    measured = np.array(rows)
    design = (measured - measured.mean(axis=0)) / measured.std(axis=0)
    truth = table["log2_halflife"].to_numpy()
    weights, *_ = np.linalg.lstsq(np.column_stack([design, np.ones(len(truth))]), truth, rcond=None)
    config = known.described["config"]["stability"]
    names = ["utr5_length", "utr5_gc", "cds_length", "cds_gc", "utr3_length", "utr3_gc"]
    expected = [config[name] for name in [*names, "junction_density"]]
    assert weights[:-1] == pytest.approx(expected, abs=1e-3)
    measured_hours = known.halflife.set_index("gene_id")["halflife"].reindex(table["gene_id"])
    error = (np.log2(measured_hours).to_numpy() - truth)[measured_hours.notna().to_numpy()]
    assert 0.25 < error.std() < 0.35


def test_relatives_differ_as_much_as_the_table_says(known: Any) -> None:
    founders = known.families.set_index("gene_id")["founder"]
    copies = known.families[known.families["gene_id"] != known.families["founder"]]
    assert known.families["divergence"].where(founders.index == founders, 0).max() == 0
    identities = []
    for row in copies.itertuples():
        one = known.window(row.gene_id, 500, 0)
        other = known.window(row.founder, 500, 0)
        identity = np.mean([a == b for a, b in zip(one, other, strict=True)])
        identities.append(identity)
        assert identity == pytest.approx(1 - row.divergence, abs=0.06)
    assert len(identities) > 100
    assert 0.77 < min(identities) < 0.83
    assert 0.92 < max(identities) < 0.97
    strangers = known.components["gene_id"][~known.components["gene_id"].isin(founders.index)][:20]
    for one, other in combinations(strangers, 2):
        pair = zip(known.window(one, 500, 0), known.window(other, 500, 0), strict=True)
        assert np.mean([a == b for a, b in pair]) < 0.4


def test_mutation_breaks_some_inherited_sites(known: Any) -> None:
    inherited = known.sites[known.sites["origin"] == "inherited"]
    thresholds = inherited["tf"].map(known.factors.set_index("tf")["threshold_bits"])
    broken = inherited["score"] < thresholds - ROUNDING
    assert 0.1 < broken.mean() < 0.6
    assert (inherited.loc[broken, "effect"] == 0).all()


def test_families_share_expression_that_no_motif_tells(known: Any) -> None:
    table = known.components.merge(known.families, on="gene_id", how="left")
    alone = table["family_y"].isna()
    assert (table.loc[alone, "family_x"] == 0).all()
    related = table[~alone]
    assert (related.groupby("family_y")["family_x"].nunique() == 1).all()
    assert related.groupby("family_y")["family_x"].first().std() > 0.8
    chroms = pd.Series({gene: one.chrom for gene, one in known.canonical().items()})
    spread = related["gene_id"].map(chroms).groupby(related["family_y"]).nunique()
    assert (spread > 1).mean() > 0.5
