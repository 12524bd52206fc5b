"""People whose genotypes and expression were exchanged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import ConfigError, InputError
from exprimo.genetics.cohort import check_swaps, folds_of, open_cohort
from exprimo.genetics.cohort.lead_eqtls import (
    LeadEqtl,
    _correlations,
    apart_from_each_other,
    lead_eqtls,
    residual_expression,
)
from exprimo.simulate import WorldConfig, simulate
from exprimo.simulate.individuals.config import IndividualsConfig

Write = Callable[..., Path]
PEOPLE, GENES = 60, 45


def made_up(
    write_vcf: Write, write_lines: Write, r2: float, exchange: dict[int, int]
) -> list[Path]:
    """Genes 200 kb from each other, each with three variants of which one acts."""
    random = np.random.default_rng(11)
    names = [f"P{i}" for i in range(PEOPLE)]
    rows, lines = [], [f"#chr start end gene_id {' '.join(names)}"]
    batch = random.integers(0, 2, PEOPLE)
    for gene in range(GENES):
        at = 200_000 * (gene + 1)
        calls = (random.random((3, PEOPLE, 2)) < random.uniform(0.3, 0.7, (3, 1, 1))).astype(int)
        for n, call in enumerate(calls):
            words = " ".join(f"{a}|{b}" for a, b in call)
            rows.append(("1", at + 1000 * n, "A", "G", words))
        x = calls[1].sum(axis=1)
        z = (x - x.mean()) / x.std()
        values = np.sqrt(r2) * z + np.sqrt(1 - r2) * random.normal(size=PEOPLE) + 2.0 * batch
        order = [exchange.get(i, i) for i in range(PEOPLE)]
        lines.append(f"1 {at} {at + 1} g{gene} {' '.join(f'{v:.4f}' for v in values[order])}")
    moved = batch[[exchange.get(i, i) for i in range(PEOPLE)]]
    covariates = write_lines("c.tsv", f"id {' '.join(names)}", f"batch {' '.join(map(str, moved))}")
    return [write_vcf(names, rows), write_lines("e.bed", *lines), covariates]


def test_two_exchanged_people_are_found(write_vcf: Write, write_lines: Write) -> None:
    files = made_up(write_vcf, write_lines, 0.6, {4: 17, 17: 4})
    with open_cohort(*files) as cohort:
        found = check_swaps(cohort)
    assert found.enough
    table = found.people.set_index("sample")
    assert table.index[table["suspected"]].tolist() == ["P4", "P17"]
    assert table.loc["P4", "best_match"] == "P17"
    assert table.loc["P17", "best_match"] == "P4"
    assert table.loc[["P4", "P17"], "mutual"].all()
    others = table.drop(["P4", "P17"])
    assert (others["best_match"] == others.index).all()
    assert others["own_z"].min() > table.loc[["P4", "P17"], "own_z"].max()


def test_nobody_is_suspected_where_nobody_was_exchanged(
    write_vcf: Write, write_lines: Write
) -> None:
    with open_cohort(*made_up(write_vcf, write_lines, 0.6, {})) as cohort:
        found = check_swaps(cohort)
    assert found.enough
    assert not found.people["suspected"].any()


def test_a_person_given_twice_is_found_without_a_partner(
    write_vcf: Write, write_lines: Write
) -> None:
    with open_cohort(*made_up(write_vcf, write_lines, 0.6, {4: 17})) as cohort:
        found = check_swaps(cohort).people
    assert found["sample"][found["suspected"]].tolist() == ["P4"]
    assert not found["mutual"].any()


def test_weak_eqtls_say_nothing(write_vcf: Write, write_lines: Write) -> None:
    with open_cohort(*made_up(write_vcf, write_lines, 0.02, {4: 17, 17: 4})) as cohort:
        found = check_swaps(cohort)
        assert not found.enough
        assert found.expected_ratio < found.least_ratio
        assert not found.people["suspected"].any()
        with pytest.raises(ConfigError):
            check_swaps(cohort, odds=0.5)
        with pytest.raises(InputError, match="too few training people"):
            lead_eqtls(cohort, (np.arange(PEOPLE) > 3).astype(np.int64), [])


def test_eqtls_are_found_without_the_tested_people(write_vcf: Write, write_lines: Write) -> None:
    files = made_up(write_vcf, write_lines, 0.6, {})
    with open_cohort(*files) as cohort:
        folds = folds_of(cohort.people, 3)
        plain = lead_eqtls(cohort, folds, [residual_expression(cohort, folds != 1)] * 3)
        values = cohort.expression.values.copy()
        values[:, folds == 1] = 99
        odd = cohort._replace(expression=cohort.expression._replace(values=values))
        changed = lead_eqtls(odd, folds, [residual_expression(odd, folds != 1)] * 3)
    assert len(plain[1]) > 35
    assert [lead.r for lead in plain[1]] == [lead.r for lead in changed[1]]
    # The variant in the middle of each gene acts.
    right = [lead.start % 200_000 == 999 for lead in plain[1]]
    assert np.mean(right) > 0.9


def test_hidden_factors_make_nobody_suspect(write_vcf: Write, write_lines: Write) -> None:
    files = made_up(write_vcf, write_lines, 0.6, {4: 17, 17: 4})
    random = np.random.default_rng(2)
    with open_cohort(*files) as cohort:
        values = cohort.expression.values
        shared = random.normal(size=(GENES, 1)) * random.normal(size=(1, PEOPLE))
        loud = values + 1.5 * shared
        noisy = cohort._replace(expression=cohort.expression._replace(values=loud))
        found = check_swaps(noisy, hidden="auto").people
        raw = check_swaps(noisy, hidden=0)
    assert found["sample"][found["suspected"]].tolist() == ["P4", "P17"]
    honest = ~found["sample"].isin(["P4", "P17"])
    assert found["log10_ratio"][honest].max() < raw.people["log10_ratio"][honest].max()


def test_no_more_factors_than_folds_can_bear(write_vcf: Write, write_lines: Write) -> None:
    files = made_up(write_vcf, write_lines, 0.6, {4: 17, 17: 4})
    with open_cohort(*files) as cohort:
        random = np.random.default_rng(0)
        shared = 3 * random.normal(size=(GENES, 30)) @ random.normal(size=(30, PEOPLE))
        loud = cohort.expression.values + shared
        found = check_swaps(cohort._replace(expression=cohort.expression._replace(values=loud)))
    # Nothing is left to tell people by, and that is said.
    assert not found.enough
    assert not found.people["suspected"].any()


def test_correlations_are_those_of_each_fold() -> None:
    random = np.random.default_rng(8)
    dosage = random.integers(0, 3, (6, 30)).astype(float)
    dosage[2] = 1
    folds = random.integers(0, 3, 30)
    masks = np.stack([folds != fold for fold in range(3)], axis=1).astype(float)
    own = random.normal(size=(30, 3))
    own -= (own * masks).sum(axis=0) / masks.sum(axis=0)
    r = _correlations(dosage, own, masks)
    for fold in range(3):
        chosen = folds != fold
        for at in (0, 1, 3, 4, 5):
            expected = np.corrcoef(dosage[at, chosen], own[chosen, fold])[0, 1]
            np.testing.assert_allclose(r[at, fold], expected, rtol=1e-10)
    assert (r[2] == 0).all()


def test_neighbours_count_once() -> None:
    def lead(chrom: str, start: int, r: float) -> LeadEqtl:
        return LeadEqtl(0, chrom, start, "v", r, np.zeros(1))

    leads = [lead("1", 0, 0.5), lead("1", 90, -0.9), lead("1", 200, 0.6), lead("2", 90, 0.1)]
    kept = apart_from_each_other(leads, 100)
    assert [(one.chrom, one.start) for one in kept] == [("1", 90), ("1", 200), ("2", 90)]


@pytest.mark.slow
def test_two_people_of_a_simulated_world(tmp_path: Path) -> None:
    individuals = IndividualsConfig(people=120, heritability=0.5, causal_share=0.9)
    config = WorldConfig(genes=400, individuals=individuals)
    world = simulate(tmp_path / "world", seed=3, config=config)
    assert world.expression_bed is not None
    assert world.genotypes is not None
    table = pd.read_csv(world.expression_bed, sep="\t", dtype={"#chr": str})
    one, other = table.columns[10], table.columns[77]
    table[[one, other]] = table[[other, one]].to_numpy()
    table.to_csv(tmp_path / "e.bed", sep="\t", index=False)
    with open_cohort(world.genotypes, tmp_path / "e.bed") as cohort:
        found = check_swaps(cohort, apart=20_000)
    assert found.enough
    suspected = found.people[found.people["suspected"]]
    assert suspected["sample"].tolist() == [one, other]
    assert suspected["best_match"].tolist() == [other, one]
