"""What eQTL mapping, fine-mapping and scores find of a truth that is known.

Two worlds of 200 people in two groups. In one, variants act; in the other none does. The people
are those of `exprimo simulate`, and nobody tells the mapping more than its files do. Bounds are
binomial at 0.001, so that chance alone does not cross them; seeds are fixed.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cyvcf2
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import stats

from exprimo.data.genotypes import open_genotypes
from exprimo.data.genotypes.cohort import summarise_cohort
from exprimo.genetics.cohort import CisWindow, Cohort, cis_windows, open_cohort
from exprimo.genetics.eqtl import map_eqtl
from exprimo.genetics.eqtl.projection import projection
from exprimo.genetics.finemap import finemap_eqtl
from exprimo.genetics.finemap.genes import finemap_window
from exprimo.genetics.scores.fitting import fit_scores
from exprimo.simulate import simulate
from exprimo.simulate.config import WorldConfig
from exprimo.simulate.individuals.config import IndividualsConfig

pytestmark = pytest.mark.slow

Floats = npt.NDArray[np.float64]
PEOPLE, GENES, NULL_GENES, REACH, SEED = 200, 700, 600, 20_000, 4
HERITABILITY, NULL_SEED = 0.3, 6
FDR, ALPHA = 0.05, 1e-3


class Peopled(NamedTuple):
    """A world's files, and its truth."""

    folder: Path
    genes: pd.DataFrame
    """gene_id (index), h2, causal_variants, cis_varies, ..."""
    effects: dict[tuple[str, str], float]
    """(gene, variant) -> change of log2 expression by a haplotype; those that act."""
    cis: pd.DataFrame
    """Genes by people."""
    dosage: dict[str, Floats]
    """Variant -> (people,), read without the package."""

    @property
    def files(self) -> dict[str, Path]:
        """The arguments that all commands share."""
        return {
            "genotypes": self.folder / "genotypes.vcf.gz",
            "expression": self.folder / "expression.bed.gz",
            "covariates": self.folder / "covariates.tsv",
        }

    def acting(self, gene: str) -> list[str]:
        """Name the variants that act on a gene."""
        return [variant for (one, variant) in self.effects if one == gene]

    def r(self, variant: str, other: Floats | str) -> float:
        """Correlate a variant's dosage with another's, or with values of people."""
        values = self.dosage[other] if isinstance(other, str) else other
        return float(np.corrcoef(self.dosage[variant], values)[0, 1])


def _peopled(folder: Path, genes: int, seed: int, heritability: float) -> Peopled:
    people = IndividualsConfig(people=PEOPLE, heritability=heritability)
    world = simulate(folder, seed=seed, config=WorldConfig(genes=genes, individuals=people))
    variants = pd.read_csv(world.truth / "variants.tsv", sep="\t")
    acting = variants[variants["effect"] != 0]
    pairs = zip(acting["gene_id"], acting["variant_id"], strict=True)
    dosage = {
        call.ID: call.genotype.array()[:, :2].sum(axis=1).astype(np.float64)
        for call in cyvcf2.VCF(str(world.genotypes))
    }
    return Peopled(
        folder,
        pd.read_csv(world.truth / "heritability.tsv", sep="\t").set_index("gene_id"),
        dict(zip(pairs, acting["effect"].tolist(), strict=True)),
        pd.read_csv(world.truth / "individual_components.tsv.gz", sep="\t", index_col=0),
        dosage,
    )


def _mapped(
    world: Peopled, out: Path, covariates: Path | None = None, *, conditional: bool = False
) -> pd.DataFrame:
    files = world.files if covariates is None else {**world.files, "covariates": covariates}
    map_eqtl(
        **files, out=out, upstream=REACH, downstream=REACH, permutations=300,
        nominal=False, conditional=conditional, threads=1,
    )  # fmt: skip
    return pd.read_parquet(out / "genes.parquet").set_index("phenotype_id")


@pytest.fixture(scope="module")
def acting(tmp_path_factory: pytest.TempPathFactory) -> Peopled:
    """A world where the variants of six genes in ten act."""
    return _peopled(tmp_path_factory.mktemp("acting") / "world", GENES, SEED, HERITABILITY)


@pytest.fixture(scope="module")
def null(tmp_path_factory: pytest.TempPathFactory) -> Peopled:
    """A world where no variant acts; the groups differ in expression as in the other."""
    return _peopled(tmp_path_factory.mktemp("null") / "world", NULL_GENES, NULL_SEED, 0.0)


@pytest.fixture(scope="module")
def found(acting: Peopled, tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, Path]:
    """The genes of the acting world as mapped, beside what is true of them; and the folder."""
    out = tmp_path_factory.mktemp("mapped") / "eqtl"
    genes = _mapped(acting, out, conditional=True).join(acting.genes)
    return genes.assign(called=genes["qval"] <= FDR, null=genes["cis_varies"] == "no"), out


@pytest.fixture(scope="module")
def sets(acting: Peopled, found: tuple[pd.DataFrame, Path]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Variants and credible sets of the eGenes, each with whether it (holds one that) acts."""
    out = found[1].parent / "finemap"
    finemap_eqtl(
        **acting.files, out=out, egenes=found[1], upstream=REACH, downstream=REACH,
        min_pip=0.0, threads=1,
    )  # fmt: skip
    variants = pd.read_parquet(out / "variants.parquet")
    pairs = zip(variants["phenotype_id"], variants["variant_id"], strict=True)
    variants["acts"] = [pair in acting.effects for pair in pairs]
    place = ["phenotype_id", "cs_id"]
    held = variants.groupby(place)["acts"].any()
    table = pd.read_parquet(out / "credible_sets.parquet").set_index(place)
    return variants, table.assign(acts=held.reindex(table.index))


def _bounds(hits: int, n: int) -> tuple[float, float]:
    """Give the exact binomial interval of a share."""
    interval = stats.binomtest(hits, n).proportion_ci(1 - ALPHA)
    return float(interval.low), float(interval.high)


def _as_probable(hits: int, n: int, share: float) -> bool:
    """Tell whether so many of n are what a share gives by chance."""
    return bool(stats.binomtest(hits, n, share).pvalue > ALPHA)


# ------------------------------------------------------------------------------- no variant acts


def test_where_no_variant_acts_p_values_are_uniform_and_nothing_is_found(
    null: Peopled, tmp_path: Path
) -> None:
    genes = _mapped(null, tmp_path / "eqtl")
    assert len(genes) == NULL_GENES
    assert stats.kstest(genes["pval_beta"], "uniform").pvalue > ALPHA
    assert _as_probable(int((genes["pval_beta"] < 0.05).sum()), len(genes), 0.05)
    assert (genes["qval"] <= FDR).sum() <= 1


def test_the_group_must_be_among_the_covariates_or_the_genotypes_components(
    null: Peopled, tmp_path: Path
) -> None:
    given = pd.read_csv(null.files["covariates"], sep="\t", index_col="id")
    without = given.drop(index="group")
    without.to_csv(tmp_path / "without.tsv", sep="\t")
    p = _mapped(null, tmp_path / "without", tmp_path / "without.tsv")["pval_beta"]
    # Alleles differ in frequency between the groups, and so does expression: not calibrated.
    assert stats.kstest(p, "uniform", alternative="greater").pvalue < 1e-6
    with open_genotypes(null.files["genotypes"]) as genotypes:
        components = summarise_cohort(genotypes, n_components=3).components
        samples = list(genotypes.samples)
    assert components is not None
    for at, values in enumerate(components.vectors.T):
        without.loc[f"component{at + 1}"] = pd.Series(values, index=samples)
    without.to_csv(tmp_path / "components.tsv", sep="\t")
    p = _mapped(null, tmp_path / "components", tmp_path / "components.tsv")["pval_beta"]
    assert stats.kstest(p, "uniform").pvalue > ALPHA


# ---------------------------------------------------------------------------------- eQTL mapping


def test_power_and_false_discoveries(found: tuple[pd.DataFrame, Path]) -> None:
    genes, _ = found
    called = genes["called"]
    assert called.sum() > 250
    false = int((called & genes["null"]).sum())
    assert false / called.sum() < 0.08
    assert stats.binomtest(false, int(called.sum()), FDR, alternative="greater").pvalue > ALPHA
    p = genes.loc[genes["null"], "pval_beta"]
    assert len(p) > 200
    assert stats.kstest(p, "uniform").pvalue > ALPHA
    power = {}
    for low, high in ((0.0, 0.03), (0.03, 0.1), (0.1, 0.2), (0.2, 1.0)):
        chosen = ~genes["null"] & genes["h2"].between(low, high, inclusive="left")
        power[low] = _bounds(int((called & chosen).sum()), int(chosen.sum()))
    assert power[0.2][0] > 0.95
    assert power[0.1][0] > 0.8
    assert power[0.03][0] > 0.3
    # What explains less than three per cent of 200 people is mostly beyond reach.
    assert power[0.0][1] < 0.5


def test_leads_have_the_sign_and_the_size_of_what_acts(
    acting: Peopled, found: tuple[pd.DataFrame, Path]
) -> None:
    genes = found[0][found[0]["called"] & (found[0]["h2"] > 0.02)]
    agree, size = [], []
    for gene, row in genes.iterrows():
        name = str(gene)
        cis = acting.cis.loc[name].to_numpy(dtype=np.float64)
        agree.append(np.sign(acting.r(row["variant_id"], cis)) == np.sign(row["slope"]))
        if acting.acting(name) == [row["variant_id"]]:
            # A person's cis part is the mean of both haplotypes.
            size.append(row["slope"] / (acting.effects[name, row["variant_id"]] / 2))
    assert np.mean(agree) > 0.98
    assert len(size) > 50
    assert np.mean(np.sign(size) > 0) == 1
    # A little above 1: a lead is the lead because its noise points outward, too.
    assert 0.97 < np.median(size) < 1.12


def test_two_independent_variants_are_two_signals(
    acting: Peopled, found: tuple[pd.DataFrame, Path]
) -> None:
    genes, folder = found
    signals = pd.read_parquet(folder / "independent.parquet")
    by_gene = signals.groupby("phenotype_id")["variant_id"].apply(list)
    both, single = [], []
    for gene in genes.index[genes["called"]]:
        names = acting.acting(gene)
        shares = [_share(acting, genes.loc[gene], gene, name) for name in names]
        strong = [name for name, share in zip(names, shares, strict=True) if share > 0.1]
        if len(names) == 1:
            single.append(len(by_gene[gene]) == 1)
        if len(names) == 2 and len(strong) == 2 and acting.r(names[0], names[1]) ** 2 < 0.05:
            # Each signal stands for another of the two.
            r2 = np.array([[acting.r(a, b) ** 2 for a in names] for b in by_gene[gene]])
            both.append(len(r2) == 2 and set(r2.argmax(axis=1)) == {0, 1} and r2.max(1).min() > 0.5)
    assert len(both) >= 15
    assert np.mean(both) >= 0.85
    assert len(single) > 100
    assert np.mean(single) > 0.9


def _share(world: Peopled, gene: pd.Series, name: str, variant: str) -> float:
    """Give the share of a gene's variance (covariates aside) that one variant makes alone."""
    made = world.effects[name, variant] / 2 * world.dosage[variant]
    return float(made.var() / (gene["cis_variance"] + gene["noise_variance"]))


# ---------------------------------------------------------------------------------- fine-mapping


def test_credible_sets_hold_a_variant_that_acts(
    acting: Peopled, sets: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    table = sets[1]
    assert len(table) > 250
    assert table["acts"].mean() >= 0.9
    # One variant alone acts: the model is right, and so are the sets. Where several act within
    # 600 bases, a neighbour that tags them together may be taken for one cause.
    one = acting.genes["causal_variants"].reindex(table.index.get_level_values(0)) == 1
    single = table[one.to_numpy()]
    n, hits = len(single), int(single["acts"].sum())
    assert n > 120
    assert stats.binomtest(hits, n, 0.95, alternative="less").pvalue > ALPHA
    # They say something: as often as not a handful out of a hundred variants.
    assert table["size"].median() <= 10


def test_probabilities_are_calibrated_where_one_variant_of_each_window_acts(
    acting: Peopled,
) -> None:
    """Effects are planted anew: in the world they lie in promoters, and PIPs cannot know that."""
    rng = np.random.default_rng(SEED)
    pips, causes = [], []
    with open_cohort(*acting.files.values()) as cohort:
        names = cohort.expression.genes["gene_id"].tolist()
        genes = [names[at] for at in rng.permutation(len(names))[:450]]
        space = projection(cohort.covariates, cohort.covariate_names)
        for window in _windows(cohort, genes):
            at = int(rng.integers(len(window.dosage)))
            cause = window.dosage[at].astype(np.float64)
            h2 = rng.beta(2.0, 6.0)
            trait = np.sqrt(h2) * (cause - cause.mean()) / cause.std()
            trait += np.sqrt(1 - h2) * rng.normal(size=cause.size)
            pips.append(finemap_window(window.dosage, trait, space).pip)
            causes.append(np.arange(len(window.dosage)) == at)
    pip, acts = np.concatenate(pips), np.concatenate(causes)
    # Below 0.05 lies what an unneeded second effect leaves, spread over all variants.
    for low, high in ((0.05, 0.1), (0.1, 0.25), (0.25, 0.5), (0.5, 0.9), (0.9, 1.01)):
        chosen = (pip >= low) & (pip < high)
        assert chosen.sum() > 25
        assert _as_probable(int(acts[chosen].sum()), int(chosen.sum()), float(pip[chosen].mean()))


def _windows(cohort: Cohort, genes: list[str]) -> list[CisWindow]:
    windows = cis_windows(cohort, upstream=REACH, downstream=REACH, genes=genes)
    return [one for one in windows if len(one.dosage) >= 20]


def test_probabilities_of_the_worlds_own_variants(
    sets: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    variants = sets[0]
    for low, high in ((0.05, 0.1), (0.1, 0.25), (0.25, 0.5)):
        chosen = variants["pip"].between(low, high, inclusive="left")
        hits, n = int(variants.loc[chosen, "acts"].sum()), int(chosen.sum())
        assert n > 100
        assert _as_probable(hits, n, float(variants.loc[chosen, "pip"].mean()))
    assert variants.loc[variants["pip"] > 0.9, "acts"].mean() > 0.75


# ---------------------------------------------------------------------------------------- scores


def test_scores_reach_but_do_not_pass_the_true_heritability(
    acting: Peopled, tmp_path: Path
) -> None:
    truth = acting.genes
    rng = np.random.default_rng(SEED)
    high = rng.permutation(truth.index[truth["h2"] > 0.3])[:12]
    middle = rng.permutation(truth.index[truth["h2"].between(0.05, 0.3)])[:12]
    none = rng.permutation(truth.index[truth["cis_varies"] == "no"])[:6]
    fit_scores(
        **acting.files, out=tmp_path / "scores", upstream=REACH, downstream=REACH,
        gene=[*high, *middle, *none], heritability=False,
    )  # fmt: skip
    scored = pd.read_parquet(tmp_path / "scores" / "genes.parquet")
    by_model = scored.pivot_table(index="gene_id", columns="model", values="r2")
    assert len(by_model) == 30
    for model in ("p+t", "elastic_net", "baseline"):
        r2 = by_model[model]
        over = r2 - truth["h2"].reindex(r2.index)
        assert over.loc[[*high, *middle]].mean() < 0
        assert r2.loc[high].mean() > 0.6 * truth.loc[high, "h2"].mean()
        assert r2.loc[none].max() < 0.05
        assert r2.loc[none].mean() < 0.01
    assert (by_model.loc[high, ["p+t", "elastic_net"]] > 0).all().all()
