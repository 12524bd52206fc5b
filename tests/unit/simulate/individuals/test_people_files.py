"""The files about people, and that a world without people is as it was."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import cyvcf2
import numpy as np
import pysam
import pytest
from bed_reader import open_bed
from typer.testing import CliRunner

from exprimo.cli.main import app
from exprimo.core.errors import ConfigError
from exprimo.simulate import WorldConfig, simulate
from exprimo.simulate.individuals.config import IndividualsConfig

FEW = IndividualsConfig(people=10)
TINY = WorldConfig(genes=40)
NEW = {
    "genotypes.vcf.gz",
    "genotypes.vcf.gz.tbi",
    "people.tsv",
    "expression.bed.gz",
    "expression.bed.gz.tbi",
    "covariates.tsv",
    "truth/variants.tsv",
    "truth/individual_components.tsv.gz",
    "truth/heritability.tsv",
}
no_bcftools = pytest.mark.skipif(
    shutil.which("bcftools") is None, reason="no bcftools on this machine"
)


def _bytes(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _with(**settings: Any) -> WorldConfig:
    return TINY.model_copy(update={"individuals": FEW.model_copy(update=settings)})


def test_people_are_only_added_and_equal_seeds_give_equal_bytes(tmp_path: Path) -> None:
    plain = simulate(tmp_path / "plain", seed=7, config=TINY)
    for name, seed in (("one", 7), ("two", 7), ("other", 8)):
        simulate(tmp_path / name, seed=seed, config=TINY, people=10)
    without, one, two, other = (
        _bytes(tmp_path / name) for name in ("plain", "one", "two", "other")
    )
    assert one == two
    assert set(one) - set(without) == NEW
    assert [name for name in without if without[name] != one[name]] == ["truth/world.json"]
    assert all(one[name] != other[name] for name in NEW)
    assert (plain.genotypes, plain.people, plain.expression_bed, plain.covariates) == (None,) * 4
    assert "individuals" not in json.loads(without["truth/world.json"])["config"]


def test_cell_types_and_people_leave_one_another_alone(tmp_path: Path) -> None:
    simulate(tmp_path / "people", seed=7, config=TINY, people=10)
    simulate(tmp_path / "cells", seed=7, config=TINY, cells=2)
    simulate(tmp_path / "both", seed=7, config=TINY, people=10, cells=2)
    people, cells, both = (_bytes(tmp_path / name) for name in ("people", "cells", "both"))
    assert set(both) == set(people) | set(cells)
    differing = {name for name in both if both[name] != {**cells, **people}[name]}
    assert differing == {"truth/world.json"}


def test_in_a_null_world_no_variant_acts_and_the_genotypes_are_the_same(tmp_path: Path) -> None:
    simulate(tmp_path / "acting", seed=2, config=_with())
    world = simulate(tmp_path / "null", seed=2, config=_with(heritability=0.0))
    acting, null = _bytes(tmp_path / "acting"), _bytes(tmp_path / "null")
    assert acting["genotypes.vcf.gz"] == null["genotypes.vcf.gz"]
    assert acting["expression.bed.gz"] != null["expression.bed.gz"]
    rows = [line.split("\t") for line in null["truth/variants.tsv"].decode().splitlines()]
    effect = rows[0].index("effect")
    assert {row[effect] for row in rows[1:]} == {"0.0000"}
    with pysam.BGZFile(str(world.truth / "individual_components.tsv.gz"), "rb", None) as file:
        values = [line.decode().split("\t")[1:] for line in file][1:]
    assert all(len(set(row)) == 1 for row in values)
    assert world.counts["acting_variants"] == 0
    assert world.ceilings["individuals_within_gene_r"] == 0


def test_the_command_asks_for_people_and_check_knows_the_world(
    tmp_path: Path, monkeypatch: Any
) -> None:
    # The function of the package is called as its folder is, so the module is asked for by name.
    module = import_module("exprimo.simulate.world")
    monkeypatch.setattr(module, "world_config", lambda size: TINY)
    arguments = ["simulate", str(tmp_path / "world"), "--people", "12", "--json"]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    facts = json.loads(done.output)
    assert facts["counts"]["people"] == 12
    assert Path(facts["genotypes"]).is_file()
    checked = CliRunner().invoke(
        app, ["check", str(tmp_path / "world"), "--json"], catch_exceptions=False
    )
    assert checked.exit_code == 0
    assert json.loads(checked.output)["files"][0]["kind"] == "simulated world"


@pytest.mark.parametrize("people", [1, 9, -3])
def test_an_impossible_number_of_people_is_refused(tmp_path: Path, people: int) -> None:
    with pytest.raises(ConfigError, match=r"individuals\.people"):
        simulate(tmp_path / "world", config=TINY, people=people)
    assert not list(tmp_path.iterdir())


def test_settings_that_contradict_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="smaller frequency"):
        IndividualsConfig.checked({"causal_frequency": (0.9, 0.1)})
    with pytest.raises(ConfigError, match="heritability_sd"):
        IndividualsConfig.checked({"heritability": 0.1, "heritability_sd": 0.5})
    with pytest.raises(ConfigError, match="noise_sd"):
        IndividualsConfig.checked({"noise_sd": (0.0, 1.0)})
    with pytest.raises(ConfigError, match=r"(?s)individuals\.chromosomes.*22"):
        simulate(tmp_path / "world", config=_with(chromosomes=("1", "22")))
    assert not list(tmp_path.iterdir())


def test_only_the_chosen_chromosomes_vary_and_all_genes_have_expression(tmp_path: Path) -> None:
    world = simulate(tmp_path / "world", seed=1, config=_with(chromosomes=("2",)))
    assert world.genotypes is not None
    assert world.expression_bed is not None
    with pysam.VariantFile(str(world.genotypes)) as file:
        assert {record.chrom for record in file} == {"2"}
        assert list(file.header.contigs) == ["1", "2", "3", "4", "5"]
    with pysam.TabixFile(str(world.expression_bed)) as table:
        assert sum(1 for _ in table.fetch()) == 40


def test_a_chromosome_without_genes_does_not_vary(tmp_path: Path) -> None:
    genome = TINY.genome.model_copy(update={"chromosomes": 35})
    config = _with().model_copy(update={"genes": 20, "genome": genome})
    world = simulate(tmp_path / "world", seed=1, config=config)
    assert world.genotypes is not None
    varying = {line.split("\t")[0] for line in world.genes.read_text().splitlines()[2:]}
    assert len(varying) < 35
    with pysam.VariantFile(str(world.genotypes)) as file:
        assert {record.chrom for record in file} <= varying


def test_ref_is_the_genomes_and_no_two_variants_overlap(peopled: Any) -> None:
    last = ("", 0)
    indels = 0
    for call in peopled.calls.itertuples():
        sequence = peopled.chromosomes[call.chrom]
        assert sequence[call.pos - 1 : call.pos - 1 + len(call.ref)] == call.ref
        assert "N" not in call.ref + call.alt
        assert call.id == f"{call.chrom}:{call.pos}:{call.ref}:{call.alt}"
        assert last[0] != call.chrom or call.pos >= last[1]
        last = call.chrom, call.pos + len(call.ref)
        if len(call.ref) == len(call.alt):
            assert len(call.ref) == 1
            assert call.ref != call.alt
        else:
            assert min(len(call.ref), len(call.alt)) == 1
            assert call.ref[0] == call.alt[0]
            # Left-aligned: its last base could not also stand one base further left.
            assert call.ref[-1] != call.alt[-1]
            indels += 1
    assert 0.05 < indels / len(peopled.calls) < 0.14


def test_pysam_and_cyvcf2_read_the_genotypes_by_region(peopled: Any) -> None:
    path = str(peopled.world.genotypes)
    chosen = peopled.calls[(peopled.calls["chrom"] == "2")].iloc[100:300]
    region = "2", int(chosen["pos"].min()), int(chosen["pos"].max())
    with pysam.VariantFile(path) as file:
        assert list(file.header.samples) == peopled.people["sample"].tolist()
        records = list(file.fetch(region[0], region[1] - 1, region[2]))
    found = np.array(
        [[allele for one in r.samples.values() for allele in one["GT"]] for r in records]
    )
    assert np.array_equal(found, peopled.carriers[chosen.index])
    assert all(one.phased for one in records[0].samples.values())
    assert [record.info["AC"][0] for record in records] == found.sum(axis=1).tolist()
    reader = cyvcf2.VCF(path)
    calls = list(reader(f"{region[0]}:{region[1]}-{region[2]}"))
    assert [call.ID for call in calls] == chosen["id"].tolist()
    both = np.array([call.genotype.array()[:, :2].ravel() for call in calls])
    assert np.array_equal(both, found)
    reader.close()


def test_plink_counts_the_alternate_allele(peopled: Any) -> None:
    prefix = peopled.world.folder / "genotypes"
    with open_bed(prefix.with_suffix(".bed"), count_A1=True, num_threads=1) as bed:
        dosage = bed.read(dtype="int8")
        assert bed.iid.tolist() == peopled.people["sample"].tolist()
        assert bed.allele_1.tolist() == peopled.calls["alt"].tolist()
        assert bed.allele_2.tolist() == peopled.calls["ref"].tolist()
        assert bed.bp_position.tolist() == peopled.calls["pos"].tolist()
        assert bed.sex.tolist() == (peopled.people["sex"].map({"male": 1, "female": 2})).tolist()
    assert np.array_equal(dosage.T, peopled.carriers[:, 0::2] + peopled.carriers[:, 1::2])


def test_expression_stands_by_chromosome_and_tss_and_is_indexed(peopled: Any) -> None:
    table = peopled.expression
    assert table.columns[:4].tolist() == ["#chr", "start", "end", "gene_id"]
    assert table.columns[4:].tolist() == peopled.people["sample"].tolist()
    assert sorted(table["gene_id"]) == sorted(peopled.genes.index)
    genes = peopled.genes.loc[table["gene_id"]]
    assert table["#chr"].tolist() == genes["chrom"].tolist()
    assert table["start"].tolist() == genes["tss"].tolist()
    assert (table["end"] == table["start"] + 1).all()
    assert (table.groupby("#chr")["start"].diff().dropna() >= 0).all()
    with pysam.TabixFile(str(peopled.world.expression_bed)) as file:
        first = table.iloc[0]
        rows = list(file.fetch(first["#chr"], int(first["start"]), int(first["end"])))
    assert [row.split("\t")[3] for row in rows] == [first["gene_id"]]


@no_bcftools
def test_a_haplotype_is_what_bcftools_consensus_gives(peopled: Any, tmp_path: Path) -> None:
    fasta = tmp_path / "genome.fa"
    shutil.copy(peopled.world.genome, fasta)
    pysam.faidx(str(fasta))
    for person, copy in ((0, 1), (17, 2)):
        sample = peopled.people["sample"][person]
        command = ["bcftools", "consensus", "-s", sample, "-H", str(copy), "-f", str(fasta)]
        done = subprocess.run(
            [*command, str(peopled.world.genotypes)], capture_output=True, text=True, check=True
        )
        records = (record.split("\n", 1) for record in done.stdout.split(">")[1:])
        carried = peopled.carriers[:, 2 * person + copy - 1] == 1
        for name, body in records:
            pieces, at = [], 0
            sequence = peopled.chromosomes[name]
            calls = peopled.calls[carried & (peopled.calls["chrom"] == name).to_numpy()]
            for call in calls.itertuples():
                pieces += [sequence[at : call.pos - 1], call.alt]
                at = call.pos - 1 + len(call.ref)
            assert body.replace("\n", "") == "".join([*pieces, sequence[at:]])


@no_bcftools
def test_bcftools_finds_nothing_to_normalise(peopled: Any, tmp_path: Path) -> None:
    fasta = tmp_path / "genome.fa"
    shutil.copy(peopled.world.genome, fasta)
    command = ["bcftools", "norm", "-c", "e", "-f", str(fasta), "-o", str(tmp_path / "out.vcf")]
    done = subprocess.run(
        [*command, str(peopled.world.genotypes)], capture_output=True, text=True, check=True
    )
    assert f"{len(peopled.calls)}/0/0/0" in done.stderr
