"""A region from a table of associations and a panel's LD."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from exprimo.core.errors import InputError, MismatchError
from exprimo.genetics.eqtl import map_eqtl
from exprimo.genetics.eqtl.projection import projection
from exprimo.genetics.finemap import finemap_summary, susie, susie_rss

REGION = "chr19:10000-15000"


@pytest.fixture(scope="module")
def associations(region_world, tmp_path_factory):
    """Marginal associations of gene ``near``, every third with the other allele as effect."""
    world = region_world
    y = world.values[0] - np.polyval(
        np.polyfit(world.covariate, world.values[0], 1), world.covariate
    )
    fits = [stats.linregress(x, y) for x in world.dosage]
    table = pd.DataFrame(
        {
            "CHR": 19, "BP": world.pos, "SNP": [f"rs{at}" for at in range(50)],
            "A1": world.alt, "A2": world.ref,
            "BETA": [fit.slope for fit in fits], "SE": [fit.stderr for fit in fits],
            "P": [fit.pvalue for fit in fits], "N": 240,
        }
    )  # fmt: skip
    turned = np.arange(50) % 3 == 0
    table.loc[turned, ["A1", "A2"]] = table.loc[turned, ["A2", "A1"]].to_numpy()
    table.loc[turned, "BETA"] *= -1
    path = tmp_path_factory.mktemp("gwas") / "gwas.tsv"
    table.to_csv(path, sep="\t", index=False)
    return path, y


def test_in_sample_ld_gives_what_people_give(region_world, associations, tmp_path):
    path, y = associations
    done = finemap_summary(
        path, region_world.genotypes, tmp_path / "F", region=REGION, in_sample=True,
        ambiguous="keep", min_pip=0.0,
    )  # fmt: skip
    assert done.n_variants == 50
    assert (done.n, done.n_flipped) == (240, 0)
    assert done.counts["swapped alleles"] == 17
    assert done.ld_shrinkage < 0.05
    table = pd.read_parquet(tmp_path / "F" / "variants.parquet")
    people = susie(region_world.dosage.T, y)
    np.testing.assert_allclose(table["pip"], people.pip, atol=1e-5)
    assert table.loc[table["pip"].idxmax(), "variant_id"] == "v20"
    check = pd.read_parquet(tmp_path / "F" / "ld_check.parquet")
    assert len(check) == 50


def test_ambiguous_variants_are_dropped_and_counted(region_world, associations, tmp_path):
    done = finemap_summary(associations[0], region_world.genotypes, tmp_path / "F", region=REGION)
    assert done.counts["ambiguous alleles"] == 10  # every fifth is A/T
    assert done.n_variants == 40
    assert any("residual variance" in note for note in done.notes)


def test_what_does_not_fit_is_refused(region_world, associations, tmp_path):
    path, _ = associations
    with pytest.raises(InputError, match="no row of associations is left"):
        finemap_summary(path, region_world.genotypes, tmp_path / "F", region="19:1-500")
    other = pd.read_csv(path, sep="\t").assign(A1="ACGT", A2="AC")
    other.to_csv(tmp_path / "other.tsv", sep="\t", index=False)
    with pytest.raises(MismatchError, match="no variant of one table"):
        finemap_summary(
            tmp_path / "other.tsv", region_world.genotypes, tmp_path / "F", region=REGION
        )
    several = pd.read_csv(path, sep="\t").assign(gene_id=["a", "b"] * 25)
    several.to_csv(tmp_path / "several.tsv", sep="\t", index=False)
    with pytest.raises(InputError, match="several genes"):
        finemap_summary(
            tmp_path / "several.tsv", region_world.genotypes, tmp_path / "F", region=REGION
        )


def test_a_mapping_tells_its_people_less_the_covariates(region_world, tmp_path):
    # Slopes of a regression with covariates give the correlations of what these leave.
    world = region_world
    rng = np.random.default_rng(8)
    covariates = np.column_stack([world.covariate, rng.normal(size=(240, 60))])
    rows = [
        "\t".join([name, *map(repr, of)])
        for name, of in zip(world.people, covariates.tolist(), strict=True)
    ]
    head = "\t".join(["id", *(f"c{at}" for at in range(61))])
    (tmp_path / "c.tsv").write_text("\n".join([head, *rows]) + "\n")
    map_eqtl(
        world.genotypes, world.expression, tmp_path / "E", covariates=tmp_path / "c.tsv",
        permutations=0, threads=1,
    )  # fmt: skip
    done = finemap_summary(
        tmp_path / "E", world.genotypes, tmp_path / "F", region=REGION, gene="near",
        ambiguous="keep",
    )  # fmt: skip
    assert done.n == 240 - 61
    space = projection(covariates)
    x, y = space.residuals(world.dosage), space.residuals(world.values[:1])[0]
    z = pd.read_parquet(tmp_path / "F" / "ld_check.parquet")["z"].to_numpy()
    found = susie_rss(z, np.corrcoef(x), done.n, in_sample=True)
    np.testing.assert_allclose(found.pip, susie(x.T, y, covariates=61).pip, atol=1e-5)
