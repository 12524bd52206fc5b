"""The same numbers as tensorQTL on a made-up example (tensorqtl.json names its source)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from exprimo.genetics.eqtl.projection import projection
from exprimo.genetics.eqtl.statistics.association import associate, prepare
from exprimo.genetics.eqtl.statistics.beta import fit_beta
from exprimo.genetics.eqtl.statistics.permutations import empirical_p, orders, strongest_by_chance

GOLDEN = json.loads((Path(__file__).parent / "tensorqtl.json").read_text())


def parts():
    """Give the window of each gene, its expression, the space of covariates, and rows."""
    dosage = np.array(
        [[np.nan if c == "." else float(c) for c in row] for row in GOLDEN["dosages"]], np.float32
    )
    space = projection(np.array(GOLDEN["covariates"]))
    positions = np.array(GOLDEN["positions"])
    for gene, (tss, expression) in enumerate(zip(GOLDEN["tss"], GOLDEN["expression"], strict=True)):
        near = np.flatnonzero(np.abs(positions - tss) <= GOLDEN["window"])
        yield gene, near, prepare(dosage[near], space), np.array(expression), space


def test_nominal_pass() -> None:
    theirs = {name: np.array(values) for name, values in GOLDEN["nominal"].items()}
    for gene, near, window, expression, space in parts():
        found = associate(window, expression, space)
        rows = theirs["phenotype_id"] == f"g{gene}"
        assert theirs["variant_id"][rows].tolist() == [f"v{i}" for i in near]
        off = np.log10(found.pval_nominal) - np.log10(theirs["pval_nominal"][rows])
        assert np.abs(off).max() < 1e-3
        np.testing.assert_allclose(found.slope, theirs["slope"][rows], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(found.slope_se, theirs["slope_se"][rows], rtol=1e-4)


def test_permutations_agree_within_their_noise() -> None:
    """Twenty seeds of each: the means differ by less than four standard errors."""
    theirs = GOLDEN["by_seed"]
    for gene, near, window, expression, space in parts():
        found = associate(window, expression, space)
        top = int(np.nanargmax(found.r**2))
        strongest = float(found.r[top] ** 2)
        assert GOLDEN["permutations"]["variant_id"][gene] == f"v{near[top]}"
        ours = []
        for seed in range(20):
            by_chance = strongest_by_chance(window, expression, space, orders(72, 1000, seed))
            fit = fit_beta(by_chance, space.df)
            p = np.log10(fit.p_values(strongest)[1])
            ours.append((p, empirical_p(strongest, by_chance), fit.true_df, fit.beta_shape2))
        expected = [
            np.array(theirs[name])[:, gene]
            for name in ("pval_beta", "pval_perm", "true_df", "beta_shape2")
        ]
        expected[0] = np.log10(expected[0])
        error = np.sqrt((np.var(ours, axis=0) + np.var(expected, axis=1)) / 20)
        off = np.mean(ours, axis=0) - np.mean(expected, axis=1)
        assert (np.abs(off) < 4 * error + 1e-4).all()
