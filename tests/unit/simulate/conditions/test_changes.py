"""What changes between the conditions, worked out again from the table of sites."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import ConfigError
from exprimo.simulate import SimulatedWorld, WorldConfig, simulate
from exprimo.simulate.conditions.changes import log2_fold_changes
from exprimo.simulate.config import ConditionsConfig, RegulationConfig

# Tables have four decimals, so sums over a few rows agree to about this.
ROUNDING = 2e-3


def _world(out: Path, genes: int = 60, **conditions: Any) -> SimulatedWorld:
    config = WorldConfig(genes=genes, conditions=ConditionsConfig(**conditions))
    return simulate(out, seed=2, config=config)


def _truth(world: SimulatedWorld, name: str) -> pd.DataFrame:
    return pd.read_csv(world.truth / f"{name}.tsv", sep="\t")


def _sum_of_sites(sites: pd.DataFrame, names: list[str], reach: tuple[int, int]) -> pd.Series:
    near = (sites["tss_offset"] >= reach[0]) & (sites["tss_offset"] < reach[1])
    return sites[sites["tf"].isin(names) & near].groupby("gene_id")["effect"].sum()


def _within_families(values: np.ndarray, kin: np.ndarray) -> float:
    """Share of the variance that lies within families; 0.76 where they are nothing alike."""
    related = pd.Series(values[kin != 0])
    return float((related - related.groupby(kin[kin != 0]).transform("mean")).var() / related.var())


def test_the_contribution_is_that_of_the_pairs_near_the_tss(known: Any) -> None:
    config = known.described["config"]["conditions"]
    assert (config["factor"], config["reach"]) == ("LEAD", [-250, 100])
    table = known.differential.set_index("gene_id")["factor_contribution"]
    # MATE has no effect but half of each pair's.
    summed = _sum_of_sites(known.sites, ["LEAD", "MATE"], (-250, 100))
    assert np.abs(table - summed.reindex(table.index, fill_value=0)).max() < ROUNDING
    assert 0.1 < (table > 1).mean() < 0.35


def test_the_log2_fold_change_is_the_contribution_lost_and_a_small_background(
    known: Any, tmp_path: Path
) -> None:
    rest = known.differential["log2_fold_change"] + known.differential["factor_contribution"]
    assert abs(rest.mean()) < 4 * 0.1 / np.sqrt(600)
    assert 0.09 < rest.std() < 0.11
    halved = _truth(_world(tmp_path / "w", activity=0.5, background_sd=0.0), "differential")
    assert (halved["factor_contribution"] > 0).any()
    expected = -0.5 * halved["factor_contribution"]
    assert np.abs(halved["log2_fold_change"] - expected).max() < ROUNDING


@pytest.mark.parametrize(
    ("factor", "reach"), [("PROX", (-120, 0)), ("REPR", (-500, 100)), ("CORE", (-40, -24))]
)
def test_any_factor_can_change(factor: str, reach: tuple[int, int], tmp_path: Path) -> None:
    world = _world(tmp_path / "w", factor=factor, reach=reach)
    table = _truth(world, "differential").set_index("gene_id")["factor_contribution"]
    summed = _sum_of_sites(_truth(world, "sites"), [factor], reach)
    assert (summed != 0).sum() > 5
    assert np.abs(table - summed.reindex(table.index, fill_value=0)).max() < ROUNDING


def test_what_the_partner_does_on_its_own_does_not_change(tmp_path: Path) -> None:
    plain = RegulationConfig()
    acting = tuple(
        factor.model_copy(update={"effect": 1.0}) if factor.name == "MATE" else factor
        for factor in plain.factors
    )
    changed = RegulationConfig(factors=acting)
    tables = []
    for name, regulation in (("plain", plain), ("acting", changed)):
        config = WorldConfig(genes=60, regulation=regulation)
        world = simulate(tmp_path / name, seed=2, config=config)
        tables.append((_truth(world, "differential"), _truth(world, "components")))
    (one, one_parts), (other, other_parts) = tables
    assert (one_parts["promoter"] != other_parts["promoter"]).any()
    assert one["factor_contribution"].tolist() == other["factor_contribution"].tolist()


def test_random_deals_the_same_values_out_so_that_no_promoter_tells_them(known: Any) -> None:
    contribution = known.differential["factor_contribution"].to_numpy()
    config = ConditionsConfig()
    told = log2_fold_changes(3, contribution, config)
    dealt = log2_fold_changes(3, contribution, config.model_copy(update={"differential": "random"}))
    assert np.sort(dealt).tolist() == np.sort(told).tolist()
    assert np.corrcoef(told, contribution)[0, 1] < -0.99
    # Four standard errors of a correlation of 600 independent pairs.
    chance = 4 / np.sqrt(600)
    for column in ("promoter", "family", "expected"):
        assert abs(np.corrcoef(dealt, known.components[column])[0, 1]) < chance
    assert abs(np.corrcoef(dealt, contribution)[0, 1]) < chance
    # Relatives share their sites, hence their true changes, but not those that were dealt out.
    kin = known.components["family"].to_numpy()
    assert _within_families(told, kin) < 0.65 < _within_families(dealt, kin)


def test_none_changes_nothing(tmp_path: Path) -> None:
    world = _world(tmp_path / "w", differential="none")
    table = _truth(world, "differential")
    assert (table["log2_fold_change"] == 0).all()
    assert world.counts["twofold_genes"] == 0
    libraries = _truth(world, "libraries")
    per_read = libraries["size_factor"] / libraries["depth"]
    assert per_read.max() == pytest.approx(per_read.min(), rel=1e-3)


def test_an_unknown_factor_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"conditions\.factor.*PROX, REPR, CORE, LEAD, MATE"):
        _world(tmp_path / "w", factor="LEED")
    assert not list(tmp_path.iterdir())
