"""The truth about cell types, worked out again from the tables and the tracks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.simulate.chromatin.config import MARKS, CellsConfig
from exprimo.simulate.chromatin.states import draw_states, standardise
from exprimo.simulate.config import WorldConfig

# Tables have four decimals.
ROUNDING = 2e-3
BY_NAME = {mark.name: mark for mark in MARKS}


def _logistic(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def test_expected_expression_follows_the_equations(cell_world: Any) -> None:
    config = CellsConfig()
    opened = _logistic(config.activation_gain * cell_world.table("activation"))
    repression = cell_world.table("repression") - config.repression_threshold
    silenced = _logistic(config.repression_gain * repression)
    assert np.abs(opened - cell_world.table("openness")).max() < ROUNDING
    assert np.abs(silenced - cell_world.table("silencing")).max() < ROUNDING
    components = pd.read_csv(cell_world.world.truth / "components.tsv", sep="\t")
    halflife = components["halflife"].to_numpy()[:, np.newaxis]
    marked = config.range * opened * (1 - config.silencing * silenced)
    expected = config.baseline + marked + cell_world.table("unmarked") + halflife
    assert np.abs(expected - cell_world.table("expected")).max() < 7 * ROUNDING
    noise = cell_world.expression.to_numpy() - cell_world.table("expected")
    assert noise.std() == pytest.approx(config.noise_sd, rel=0.05)
    assert abs(noise.mean()) < 0.08


def test_activation_and_repression_follow_the_sites_and_their_factors(cell_world: Any) -> None:
    """Taking the sites' part away leaves a state that is independent and of the stated size."""
    sites = pd.read_csv(cell_world.world.truth / "sites.tsv", sep="\t")
    components = pd.read_csv(cell_world.world.truth / "components.tsv", sep="\t")
    state_sd = CellsConfig().state_sd
    told = {1: np.zeros((400, 4)), -1: np.zeros((400, 4))}
    order = {name: row for row, name in enumerate(components["gene_id"])}
    activity = cell_world.cells.filter(like="activity_")
    assert ((activity >= 0.2) & (activity <= 1.8)).all(axis=None)
    assert (activity["activity_CORE"] == 1).all()
    for site in sites[(sites["effect"] != 0) & (sites["tf"] != "CORE")].itertuples():
        weight = activity[f"activity_{site.tf}"].to_numpy()
        told[int(np.sign(site.effect))][order[site.gene_id]] += abs(site.effect) * weight
    told[1] += components["family"].to_numpy()[:, np.newaxis]
    for sign, column in ((1, "activation"), (-1, "repression")):
        state = cell_world.table(column) * np.hypot(1, state_sd) - standardise(told[sign])
        assert state.std() == pytest.approx(state_sd, rel=0.06)
        assert abs(np.corrcoef(state.ravel(), told[sign].ravel())[0, 1]) < 0.08
        # The state is one of gene and cell: relatives in other cells tell nothing of it.
        assert abs(np.corrcoef(state[:, 0], state[:, 1])[0, 1]) < 0.15
    core = sites[sites["tf"] == "CORE"].groupby("gene_id")["effect"].sum()
    unmarked = 0.5 * core.reindex(components["gene_id"], fill_value=0).to_numpy()
    assert np.abs(unmarked - cell_world.table("unmarked")[:, 0]).max() < ROUNDING


def test_states_are_named_by_openness_and_silencing(cell_world: Any) -> None:
    named = {
        (True, False): "active",
        (True, True): "bivalent",
        (False, True): "repressed",
        (False, False): "quiet",
    }
    table = cell_world.chromatin
    expected = [
        named[one > 0.5, other > 0.5]
        for one, other in zip(table["openness"], table["silencing"], strict=True)
    ]
    assert table["state"].tolist() == expected
    counted = table["state"].value_counts()
    assert counted.min() > 0.1 * len(table)
    for name, count in counted.items():
        assert cell_world.world.counts[f"{name}_states"] == count
    means = table.groupby("state")["expected"].mean()
    assert means["active"] > means["bivalent"] + 2 > means["quiet"] + 1


def test_ceilings_are_those_of_the_tables(cell_world: Any) -> None:
    observed, expected = cell_world.expression.to_numpy(), cell_world.table("expected")

    def r2(one: np.ndarray, other: np.ndarray) -> float:
        return float(1 - ((other - one) ** 2).sum() / ((other - other.mean()) ** 2).sum())

    found = cell_world.world.ceilings
    columns, rows = range(observed.shape[1]), range(observed.shape[0])
    own = observed - observed.mean(axis=1, keepdims=True)
    wanted = {
        "overall_r": np.corrcoef(expected.ravel(), observed.ravel())[0, 1],
        "overall_r2": r2(expected, observed),
        "within_cell_r": np.mean(
            [np.corrcoef(expected[:, at], observed[:, at])[0, 1] for at in columns]
        ),
        "within_cell_r2": np.mean([r2(expected[:, at], observed[:, at]) for at in columns]),
        "within_gene_r": np.mean([np.corrcoef(expected[at], observed[at])[0, 1] for at in rows]),
        "within_gene_r2": 1 - ((observed - expected) ** 2).sum() / (own**2).sum(),
    }
    for name, value in wanted.items():
        assert found[f"cells_{name}"] == pytest.approx(value, abs=1e-3)
    assert cell_world.described["ceilings"] == dict(found)
    assert found["cells_overall_r"] > 0.9


@pytest.mark.parametrize("mark", ["H3K4me3", "H3K27me3"])
def test_a_peak_lies_at_its_offset_along_the_gene_and_is_the_genes_own(
    cell_world: Any, mark: str
) -> None:
    offset = BY_NAME[mark].offset
    heights = cell_world.table(mark)
    forward = (cell_world.genes["strand"] == "+").to_numpy()
    for number, cell in enumerate(cell_world.cells.index):
        right = cell_world.at(cell, mark, offset - 50, offset + 50)
        mirrored = cell_world.at(cell, mark, -offset - 50, -offset + 50)
        for strand in (forward, ~forward):
            assert right[strand].mean() > 2 * mirrored[strand].mean()
            both = np.log(heights[strand, number]), np.log1p(right[strand])
            assert np.corrcoef(*both)[0, 1] > 0.75


def test_reads_are_those_that_height_depth_and_efficiency_make_expect(cell_world: Any) -> None:
    mark, at = BY_NAME["H3K4me3"], cell_world.genes
    for number, (cell, row) in enumerate(cell_world.cells.iterrows()):
        middle = cell_world.at(cell, mark.name, mark.offset - 25, mark.offset + 25)
        heights = cell_world.table(mark.name)[:, number]
        expected = row["depth"] * (0.15 + row["efficiency_H3K4me3"] * heights)
        # Within half a step of the middle, a bell of SD 150 has fallen by a hundredth at most.
        assert middle.sum() == pytest.approx(expected.sum(), rel=0.03)
        excess = (middle - expected) ** 2 / expected
        assert 0.5 < np.median(excess) / 0.455 < 1.6
    assert len(at) == 400


def test_marks_tell_what_they_should_and_the_last_one_nothing(cell_world: Any) -> None:
    cell = "cell02"
    expression = cell_world.expression[cell].to_numpy()

    def r(mark: str, low: int, high: int) -> float:
        signal = np.log1p(cell_world.at(cell, mark, low, high))
        return float(np.corrcoef(signal, expression)[0, 1])

    assert r("H3K4me3", 200, 500) > 0.35
    assert r("H3K27me3", -1200, -500) < -0.25
    assert 0.1 < r("H3K36me3", 500, 1500) < 0.5
    assert r("H3K4me1", 1000, 1500) > 0.1
    assert abs(r("H3K9me3", -2000, 2000)) < 0.12
    assert cell_world.track(cell, "H3K9me3")["1"].max() > 2


def test_bivalent_genes_answer_less_to_the_active_mark(cell_world: Any) -> None:
    table = cell_world.chromatin
    slopes = {}
    for silenced, rows in table.groupby(table["silencing"] > 0.5):
        slopes[silenced] = np.polyfit(np.log(rows["H3K4me3"]), rows["expected"], 1)[0]
    assert slopes[False] > 2 * slopes[True] > 0


def test_a_world_without_sites_or_families_still_has_states() -> None:
    sites = pd.DataFrame({"gene": [], "factor": [], "effect": []})
    components = pd.DataFrame({"halflife": np.zeros(30), "family": np.zeros(30)})
    config = WorldConfig(genes=30, cells=CellsConfig(cell_types=3))
    states = draw_states(0, sites, components, config)
    assert np.isfinite(states.observed).all()
    assert states.activation.std() == pytest.approx(0.7 / np.hypot(1, 0.7), rel=0.2)
