"""Enformer tuned on people: both copies are read, leaks refused, haplotypes predicted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from exprimo.cli.main import app
from exprimo.core.dataset import Dataset
from exprimo.core.errors import LeakError
from exprimo.core.ledger import Ledger
from exprimo.core.run import Run
from exprimo.core.sequence import encode, reverse_complement
from exprimo.features.haplotypes import haplotypes
from exprimo.models.pretrained.enformer import TOY, random_enformer, save_enformer
from exprimo.models.stored import load_model
from exprimo.scoring import evaluate, predict
from exprimo.scoring.mutagenesis import mutagenesis
from exprimo.scoring.personal import personal
from exprimo.scoring.variants import variants

SIZES = TOY.model_copy(update={"window": 256, "bins": 4, "depth": 1})
GENES, PEOPLE, WINDOW = 24, 24, 192
SPACE = 250


def write_people(folder: Path, name: str, calls: np.ndarray, letters: str, prefix: str) -> None:
    """Write phased genotypes of one variant every 20 bases, calls (variants, people, 2)."""
    people = [f"{prefix}{number}" for number in range(calls.shape[1])]
    head = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *people]
    lines = [
        "##fileformat=VCFv4.2",
        f"##contig=<ID=1,length={len(letters)}>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        "\t".join(head),
    ]
    for number, row in enumerate(calls):
        start = 110 + 20 * number
        ref = letters[start]
        alt = "ACGT"["CGTA".index(ref)]
        fields = ["1", str(start + 1), f"v{number}", ref, alt, ".", ".", ".", "GT"]
        lines.append("\t".join([*fields, *(f"{one}|{other}" for one, other in row)]))
    (folder / name).write_text("\n".join(lines) + "\n")


def write_genes(folder: Path, name: str, prefix: str) -> None:
    rows = [f"{prefix}{n}\t1\t{220 + SPACE * n}\t{'+-'[n % 2]}\n" for n in range(GENES)]
    (folder / name).write_text("gene_id\tchrom\ttss\tstrand\n" + "".join(rows))


def exprimo(*words: object) -> Any:
    told = CliRunner().invoke(app, [str(word) for word in words])
    assert told.exit_code == 0, told.output
    return told.output


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People, their expression, the dataset of both their copies, and toy weights."""
    folder = tmp_path_factory.mktemp("people")
    rng = np.random.default_rng(5)
    letters = "".join(rng.choice(list("ACGT"), 240 + SPACE * GENES))
    (folder / "g.fa").write_text(f">1\n{letters}\n")
    write_genes(folder, "genes.tsv", "g")
    calls = rng.integers(0, 2, ((len(letters) - 130) // 20, PEOPLE, 2))
    write_people(folder, "v.vcf", calls, letters, "p")
    # The same people under other names, with their copies exchanged; and their genes renamed.
    write_people(folder, "exchanged.vcf", calls[:, :, ::-1], letters, "q")
    write_genes(folder, "renamed.tsv", "h")
    level = rng.normal(size=(GENES, PEOPLE)) + np.arange(GENES)[:, None] / 4
    for name, gene, person in (("e.tsv", "g", "p"), ("renamed_e.tsv", "h", "q")):
        table = pd.DataFrame(
            level,
            index=pd.Index([f"{gene}{n}" for n in range(GENES)], name="gene_id"),
            columns=[f"{person}{n}" for n in range(PEOPLE)],
        )
        table.to_csv(folder / name, sep="\t")
    for out, vcf, genes, expression in (
        ("P.h5", "v.vcf", "genes.tsv", "e.tsv"),
        ("Q.h5", "exchanged.vcf", "renamed.tsv", "renamed_e.tsv"),
    ):
        exprimo(
            "haplotypes", "--genotypes", folder / vcf, "--fasta", folder / "g.fa", "--genes",
            folder / genes, "--window", WINDOW, "--expression", folder / expression,
            "--per", "person", "-o", folder / out,
        )  # fmt: skip
    save_enformer(random_enformer(SIZES, 2), folder / "toy.safetensors")
    return folder


def trained(world: Path, name: str, split: str, *options: str) -> Path:
    run = world / name
    if not run.exists():
        words: list[object] = [
            "train", world / "P.h5", "--model", "enformer", "--split", split, "-o", run,
            "--epochs", "2", "--threads", "1",
            "--set", 'machine.precision="fp32"',
            "--set", f"options.weights=enformer:{world / 'toy.safetensors'}",
        ]  # fmt: skip
        for one in options:
            words += ["--set", one]
        exprimo(*words)
    return run


RUNS = [
    pytest.param("head", "gene*individual", id="head"),
    pytest.param("lora", "individual", id="lora", marks=pytest.mark.slow),
]


@pytest.mark.slow
@pytest.mark.parametrize(("tune", "split"), RUNS)
def test_a_model_of_people_is_judged_on_others_only(
    world: Path, tmp_path: Path, tune: str, split: str
) -> None:
    run = trained(world, tune, split, f'options.tune="{tune}"')
    opened = Run.open(run)
    with Dataset.open(world / "P.h5") as data:
        table = data.examples().set_index("example_id")
    part = pd.Series(opened.split.part, index=opened.split.example_id)
    people = {
        name: set(table.loc[part[part == name].index, "individual"]) for name in part.unique()
    }
    assert not people["train"] & people["test"]
    held = sorted(set(table.loc[part[part == "test"].index, "gene_id"]))
    assert evaluate(run, threads=1).metrics
    files = [world / name for name in ("v.vcf", "g.fa", "genes.tsv")]
    for who, leaks in ((min(people["train"]), True), (min(people["test"]), False)):
        haplotypes(
            *files, tmp_path / f"{who}.h5", window=WINDOW, samples=[who], per="person",
            expression=world / "e.tsv", gene=["g1"] if leaks else held,
        )  # fmt: skip
        if leaks:
            with pytest.raises(LeakError, match=r"leak: weights learned.*\(.*individual"):
                evaluate(run, tmp_path / f"{who}.h5", threads=1)
        else:
            assert not evaluate(run, tmp_path / f"{who}.h5", threads=1).leaks
    learned = Ledger.load(run / "ledger.parquet").learned
    assert any(len(units.get("sequence", ())) for units in learned.values())


@pytest.mark.slow
def test_a_haplotype_seen_as_the_other_copy_is_a_leak(world: Path) -> None:
    run = trained(world, "head", "gene*individual", 'options.tune="head"')
    with pytest.raises(LeakError, match=r"sequence .*learned from.*\(sequence\)"):
        evaluate(run, world / "Q.h5", threads=1)
    assert evaluate(run, world / "Q.h5", allow_leak=True, threads=1).leaks


@pytest.mark.slow
@pytest.mark.parametrize(("tune", "split"), RUNS)
def test_the_mean_of_the_copies_is_the_prediction_of_the_pair(
    world: Path, tmp_path: Path, tune: str, split: str
) -> None:
    run = trained(world, tune, split, f'options.tune="{tune}"')
    pairs = predict(run, world / "P.h5", tmp_path / "pairs.tsv", threads=1).table
    files = {"genotypes": world / "v.vcf", "fasta": world / "g.fa", "genes": world / "genes.tsv"}
    chosen: dict[str, Any] = {"gene": ["g1", "g2"], "samples": ["p0", "p3", "p7"], "threads": 1}
    personal(run, tmp_path / "M.parquet", **files, **chosen, haplotypes="mean")
    personal(run, tmp_path / "E.parquet", **files, **chosen)
    mean = pd.read_parquet(tmp_path / "M.parquet")
    ids = mean["gene_id"] + ":" + mean["individual"]
    expected = pairs.set_index("example_id")["prediction"].loc[ids]
    np.testing.assert_allclose(mean["prediction"], expected, rtol=1e-4, atol=1e-5)
    each = pd.read_parquet(tmp_path / "E.parquet")
    assert len(each) == 2 * len(mean)
    # Copies differ, so that their mean says something.
    assert each.groupby(["gene_id", "individual"])["prediction"].std().min() > 1e-4


@pytest.mark.slow
def test_variants_are_read_as_both_copies(world: Path, tmp_path: Path) -> None:
    run = trained(world, "head", "gene*individual", 'options.tune="head"')
    variants(
        run, tmp_path / "V.tsv", variants=world / "v.vcf", fasta=world / "g.fa",
        genes=world / "genes.tsv", gene=["g1"], threads=1,
    )  # fmt: skip
    table = pd.read_csv(tmp_path / "V.tsv", sep="\t")
    raw = table["alt_pred"] - table["ref_pred"]
    np.testing.assert_allclose(table["raw_score"], raw, atol=1e-5)
    assert (raw.abs() > 0).any()
    # The reference window as both copies: what a person without variants would have.
    model = load_model(Run.open(run).weights_path)
    letters = (world / "g.fa").read_text().split("\n")[1]
    tss = 219 + SPACE
    window = reverse_complement(encode(letters[tss - WINDOW // 2 + 1 : tss + WINDOW // 2 + 1]))
    own = model.predict({"sequence": window[None], "sequence_2": window[None]}).mean[0, 0]
    np.testing.assert_allclose(table["ref_pred"], own, rtol=1e-4)


@pytest.mark.slow
def test_mutants_of_a_window_are_read_as_both_copies(world: Path, tmp_path: Path) -> None:
    run = trained(world, "head", "gene*individual", 'options.tune="head"')
    files = {"fasta": world / "g.fa", "genes": world / "genes.tsv"}
    mutagenesis(run, tmp_path / "M.tsv", **files, gene=["g1"], around=25, threads=1)
    mutants = pd.read_csv(tmp_path / "M.tsv", sep="\t")
    variants(
        run, tmp_path / "V.tsv", variants=world / "v.vcf", gene=["g1"], threads=1, **files
    )  # fmt: skip
    scored = pd.read_csv(tmp_path / "V.tsv", sep="\t")
    both = scored.merge(mutants, on=["chrom", "pos", "ref", "alt"], suffixes=("", "_mutant"))
    assert len(both) >= 2
    np.testing.assert_allclose(both["raw_score"], both["raw_score_mutant"], rtol=1e-3, atol=1e-5)
    assert (both["raw_score"].abs() > 1e-4).any()
