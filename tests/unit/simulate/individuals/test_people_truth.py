"""The truth about people, worked out again from the VCF and the FASTA."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.simulate.individuals.config import IndividualsConfig
from exprimo.simulate.individuals.effects import Site
from exprimo.simulate.individuals.expression import (
    ask_heritability,
    covariate_values,
    draw_people,
    express,
)

# The tests' folder holds no packages, so its conftest cannot be imported by name.
ROUNDING = 2e-4


def _scored(known: Any, windows: list[str]) -> dict[str, float]:
    distinct = sorted(set(windows))
    module = import_module(type(known).__module__)
    return dict(zip(distinct, module.scored(distinct).tolist(), strict=True))


def test_each_persons_cis_part_is_that_of_the_edited_sequence(peopled: Any) -> None:
    windows: dict[tuple[str, int], str] = {}
    indels = 0
    for gene_id in peopled.genes.index:
        near = peopled.near(gene_id)
        edited: dict[bytes, str] = {}
        for haplotype in range(peopled.carriers.shape[1]):
            carried = peopled.carriers[near, haplotype]
            if carried.tobytes() not in edited:
                rows = near[carried == 1].tolist()
                edited[carried.tobytes()] = peopled.edited(gene_id, rows)
            windows[gene_id, haplotype] = edited[carried.tobytes()]
        calls = peopled.calls.iloc[near]
        indels += int((calls["ref"].str.len() != calls["alt"].str.len()).sum())
    component = _scored(peopled, list(windows.values()))
    people = peopled.people["sample"].tolist()
    assert indels > 10
    moved = 0
    for gene_id in peopled.genes.index:
        pairs = [
            (component[windows[gene_id, 2 * at]] + component[windows[gene_id, 2 * at + 1]]) / 2
            for at in range(len(people))
        ]
        assert peopled.cis.loc[gene_id, people].to_numpy() == pytest.approx(pairs, abs=ROUNDING)
        moved += len(set(np.round(pairs, 3))) > 1
    assert moved > 60


def test_each_variants_effect_is_its_allele_against_the_reference(peopled: Any) -> None:
    table = peopled.variants
    names = dict(zip(peopled.calls["id"], range(len(peopled.calls)), strict=True))
    inside = []
    for row in table.itertuples():
        one = peopled.genes.loc[row.gene_id]
        offset = row.tss_distance if one.strand == "+" else -row.tss_distance
        assert row.tss_distance == row.pos - 1 - one.tss
        if -530 < offset < 130:
            inside.append((row.Index, row.gene_id, names[row.variant_id]))
    assert len(inside) > 300
    references = {gene: peopled.edited(gene, []) for gene in peopled.genes.index}
    changed = {at: peopled.edited(gene, [row]) for at, gene, row in inside}
    component = _scored(peopled, [*references.values(), *changed.values()])
    for at, gene, _ in inside:
        effect = component[changed[at]] - component[references[gene]]
        assert table.loc[at, "effect"] == pytest.approx(effect, abs=ROUNDING)
    outside = table.drop(index=[at for at, _, _ in inside])
    assert (outside["effect"] == 0).all()
    assert (outside["what"] == "none").all()


def test_all_variants_are_listed_with_their_frequency(peopled: Any) -> None:
    table = peopled.variants.drop_duplicates("variant_id")
    calls = peopled.calls
    assert table["variant_id"].tolist() == calls["id"].tolist()
    for name in ("chrom", "pos", "ref", "alt"):
        assert table[name].tolist() == calls[name].tolist()
    assert table["af"].to_numpy() == pytest.approx(peopled.carriers.mean(axis=1), abs=1e-4)
    tss = peopled.genes.groupby("chrom")["tss"].apply(np.array)
    for row in table[table["effect"] == 0].iloc[::20].itertuples():
        distances = np.abs(row.pos - 1 - tss[row.chrom])
        # One within a window belongs to that window's gene, nearest or not.
        assert abs(row.tss_distance) == distances.min() or abs(row.tss_distance) < 530


def test_what_a_variant_does_fits_its_sign_and_its_factor(peopled: Any) -> None:
    table = peopled.variants
    acting = table[table["effect"] != 0]
    assert (acting["factor"] != "").all()
    assert acting["factor"].notna().all()
    sign = acting["factor"].map({"PROX": 1, "CORE": 1, "LEAD": 1, "MATE": 1, "REPR": -1})
    single = acting[acting["ref"].str.len() == acting["alt"].str.len()]
    assert set(single["what"]) == {"breaks", "makes"}
    expected = sign[single.index] * single["what"].map({"breaks": -1, "makes": 1})
    # A base may break a site of one factor where it makes one of another.
    assert (np.sign(single["effect"]) == expected).mean() > 0.97
    assert (single.loc[single["what"] == "breaks", "in_site"] == "yes").all()
    assert set(acting.loc[acting["what"] == "moves", "placed"]) <= {"no"}
    placed = table[table["placed"] == "yes"]
    assert 0.2 < (placed["what"] == "makes").mean() < 0.6
    assert (placed["effect"].abs() > 0.1).mean() > 0.95
    assert placed["af"].between(0.04, 0.96).all()
    assert (placed["ref"].str.len() == 1).all()


def test_a_factors_sites_say_what_became_of_them() -> None:
    changed = import_module("exprimo.simulate.individuals.effects")._changed

    def site(offset: int, score: float, effect: float, factor: str = "A") -> Site:
        return Site(factor, offset, offset + 9, 1, score, effect)

    assert changed([site(-50, 17.0, 2.0)], []) == ("A", "breaks")
    assert changed([site(-50, 17.0, 2.0)], [site(-50, 11.0, 1.2)]) == ("A", "breaks")
    assert changed([], [site(-50, 17.0, -2.0)]) == ("A", "makes")
    assert changed([site(-50, 17.0, 2.0)], [site(-53, 17.0, 1.9)]) == ("A", "moves")
    moved = [site(-90, 17.0, 1.0, "B")], [site(-93, 17.0, 0.0, "B"), site(-20, 12.0, 0.3)]
    assert changed(*moved) == ("A", "makes")


def test_causal_variants_have_linked_neighbours(peopled: Any) -> None:
    calls, carriers = peopled.calls, peopled.carriers
    causal = set(peopled.variants.loc[peopled.variants["placed"] == "yes", "variant_id"])
    frequency = carriers.mean(axis=1)
    linked = []
    for row in np.flatnonzero(calls["id"].isin(causal).to_numpy()):
        near = (calls["chrom"] == calls["chrom"][row]) & (
            (calls["pos"] - calls["pos"][row]).abs() < 20_000
        )
        others = np.flatnonzero((near & (np.abs(frequency - 0.5) < 0.45)).to_numpy())
        r = np.array([np.corrcoef(carriers[row], carriers[one])[0, 1] for one in others])
        linked.append(int((r**2 > 0.5).sum()) - 1)
    assert len(linked) > 60
    assert np.median(linked) >= 3


def test_expression_adds_up_and_has_the_heritability_that_is_stated(peopled: Any) -> None:
    people = peopled.people["sample"].tolist()
    cis = peopled.cis[people]
    expression = peopled.expression.set_index("gene_id").loc[cis.index, people]
    told = peopled.heritability
    assert cis.var(axis=1, ddof=0).to_numpy() == pytest.approx(
        told["cis_variance"].to_numpy(), abs=1e-3
    )
    # The file of covariates holds all that acts beside cis part and noise.
    design = np.column_stack([np.ones(len(people)), peopled.covariates[people].to_numpy().T])
    rest = (expression - cis).to_numpy().T
    left = rest - design @ np.linalg.lstsq(design, rest, rcond=None)[0]
    # Five of 40 degrees of freedom go with the design.
    ratio = (left**2).sum(axis=0) / len(people) / told["noise_variance"].to_numpy()
    assert ratio.mean() == pytest.approx(1 - 4 / 39, abs=0.03)
    assert (ratio < 1.001).all()
    acting = peopled.variants[peopled.variants["effect"] != 0]
    counted = acting["gene_id"].value_counts().reindex(told.index, fill_value=0)
    assert (counted == told["causal_variants"]).all()
    assert (told.loc[counted == 0, "h2"] == 0).all()
    assert (told.loc[counted == 0, "cis_varies"] == "no").all()
    differs = np.ptp(cis.to_numpy(), axis=1) > 0
    assert (told.loc[differs, "cis_varies"] == "yes").all()
    assert (told.loc[told["cis_varies"] == "no", "cis_variance"] == 0).all()
    strong = told[told["cis_variance"] > 0.02]
    assert len(strong) > 50
    assert np.corrcoef(strong["h2"], strong["h2_asked"])[0, 1] > 0.9
    assert strong["h2"].mean() == pytest.approx(strong["h2_asked"].mean(), abs=0.03)
    assert peopled.world.ceilings["individuals_within_gene_r"] > 0.2


def test_heritability_has_the_mean_and_spread_of_the_config() -> None:
    wanted = IndividualsConfig(people=10, heritability=0.3, heritability_sd=0.1)
    drawn = ask_heritability(0, 20_000, wanted)
    assert drawn.mean() == pytest.approx(0.3, abs=0.005)
    assert drawn.std() == pytest.approx(0.1, abs=0.005)
    fixed = wanted.model_copy(update={"heritability_sd": 0.0})
    assert set(ask_heritability(0, 5, fixed)) == {0.3}


def test_people_of_both_groups_and_sexes_are_there(peopled: Any) -> None:
    people = peopled.people
    assert people["sample"].tolist()[:2] == ["P0001", "P0002"]
    assert people["group"].value_counts().to_dict() == {"A": 20, "B": 20}
    assert people["sex"].value_counts().min() > 8
    sex = peopled.covariates.loc["sex", people["sample"]].to_numpy()
    assert ((sex == 1) == (people["sex"] == "male").to_numpy()).all()
    group = peopled.covariates.loc["group", people["sample"]].to_numpy()
    assert ((group == 1) == (people["group"] == "B").to_numpy()).all()
    assert isinstance(peopled.variants, pd.DataFrame)


def test_people_of_one_group_have_no_covariate_of_the_group() -> None:
    one = draw_people(0, IndividualsConfig(people=10, groups_fst=0.0))
    assert covariate_values(one).columns.tolist() == ["sex", "batch", "quality"]
    two = draw_people(0, IndividualsConfig(people=10))
    assert covariate_values(two).columns.tolist() == ["sex", "batch", "quality", "group"]


def test_a_small_cis_part_varies_and_a_rounding_error_does_not() -> None:
    config = IndividualsConfig(people=10)
    cis = np.zeros((3, 10))
    cis[1, 4], cis[2, 4] = 1e-4, 1e-13
    made = express(0, np.zeros(3), cis, draw_people(0, config), config)
    assert made.heritability["cis_varies"].tolist() == [False, True, False]
