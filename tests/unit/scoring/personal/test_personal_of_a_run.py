"""A trained network on people: as predict on their dataset, on a cluster, from the shell."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from exprimo.cli.main import app
from exprimo.features import dataset_promoters
from exprimo.features.haplotypes import haplotypes
from exprimo.scoring import predict
from exprimo.scoring.personal import personal
from exprimo.training import TrainConfig, train_run

UPSTREAM, DOWNSTREAM = 48, 32
PEOPLE = [f"p{number}" for number in range(6)]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Genome, genes on both strands, phased genotypes with indels, and a trained network."""
    folder = tmp_path_factory.mktemp("people")
    rng = np.random.default_rng(8)
    sequence = "".join(rng.choice(list("ACGT"), 12_000))
    (folder / "g.fa").write_text(f">chr1\n{sequence}\n")
    genes = [(f"g{i}", 200 + 190 * i, "+-"[i % 2]) for i in range(60)]
    (folder / "genes.bed").write_text(
        "".join(f"chr1\t{s}\t{s + 60}\t{name}\t0\t{strand}\n" for name, s, strand in genes)
    )
    windows = [sequence[start - 30 : start + 90] for _, start, _ in genes]
    levels = [w.count("G") + w.count("C") for w in windows]
    rows = [f"{gene[0]}\t{level}" for gene, level in zip(genes, levels, strict=True)]
    (folder / "y.tsv").write_text("gene_id\ty\n" + "\n".join(rows) + "\n")
    lines = [
        "##fileformat=VCFv4.2",
        "##contig=<ID=1,length=12000>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        "\t".join(["#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT".replace(" ", "\t"), *PEOPLE]),
    ]
    for start in range(100, 11_900, 37):
        kind = rng.integers(4)
        ref = sequence[start : start + (3 if kind == 0 else 1)]
        alt = ref[0] if kind == 0 else ref + "GA" if kind == 1 else "ACGT"["CGTA".index(ref)]
        calls = [f"{a}|{b}" for a, b in rng.integers(0, 2, (len(PEOPLE), 2))]
        fields = ["1", str(start + 1), f"v{start}", ref, alt, ".", ".", ".", "GT", *calls]
        lines.append("\t".join(fields))
    (folder / "v.vcf").write_text("\n".join(lines) + "\n")
    dataset_promoters(
        fasta=folder / "g.fa",
        genes=folder / "genes.bed",
        out=folder / "D.h5",
        upstream=UPSTREAM,
        downstream=DOWNSTREAM,
        targets=folder / "y.tsv",
    )
    settings: dict[str, Any] = {
        "dataset": str(folder / "D.h5"), "target": "y", "model": "cnn", "fit": {"epochs": 25},
        "options": {"channels": 8, "stem_channels": 8, "head_channels": 4, "hidden": 8, "grid": 4},
        "split": {"strategy": "random"}, "machine": {"threads": 1, "precision": "fp32"},
    }  # fmt: skip
    train_run(TrainConfig.checked(settings), folder / "RUN")
    return folder


def files(world: Path) -> dict[str, Any]:
    return {
        "genotypes": world / "v.vcf",
        "fasta": world / "g.fa",
        "genes": world / "genes.bed",
    }


@pytest.mark.slow
def test_personal_is_predict_on_the_dataset_of_haplotypes(world: Path, tmp_path: Path) -> None:
    out = tmp_path / "P.parquet"
    done = personal(world / "RUN", out, **files(world), threads=1)
    assert done.n_rows == 60 * 6 * 2
    assert done.n_haplotypes < done.n_rows
    assert done.tracks == ("y",)
    haplotypes(*files(world).values(), tmp_path / "H.h5", upstream=UPSTREAM, downstream=DOWNSTREAM)
    table = predict(world / "RUN", tmp_path / "H.h5", tmp_path / "H.tsv", threads=1).table
    found = pd.read_parquet(out)
    ids = found["gene_id"] + ":" + found["individual"] + ":" + found["haplotype"].astype(str)
    expected = table.set_index("example_id")["prediction"]
    assert sorted(ids) == sorted(expected.index)
    np.testing.assert_allclose(found["prediction"], expected.loc[ids], rtol=0, atol=5e-5)
    # People do differ, so that equality says something.
    assert found.groupby("gene_id")["prediction"].std().median() > 1e-3


@pytest.mark.slow
def test_a_cluster_gives_the_same(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here.parquet"
    there = tmp_path / "there.parquet"
    personal(world / "RUN", here, **files(world), gene=["g1", "g2"], threads=1)
    # Paths are relative to where the command is given, on the workers too.
    shutil.copytree(world, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    given: dict[str, Any] = {"genotypes": "v.vcf", "fasta": "g.fa", "genes": "genes.bed"}
    personal("RUN", there, **given, gene=["g1", "g2"], executor="ray", threads=1)
    pd.testing.assert_frame_equal(pd.read_parquet(here), pd.read_parquet(there))


@pytest.mark.slow
def test_the_command_says_what_it_wrote(world: Path, tmp_path: Path) -> None:
    out = tmp_path / "P.tsv"
    words = ["personal", str(world / "RUN"), "-o", str(out), "--threads", "1"]
    for name, path in files(world).items():
        words += [f"--{name}", str(path)]
    told = CliRunner().invoke(app, [*words, "--gene", "g1", "--samples", "p2,p0"])
    assert told.exit_code == 0, told.output
    assert f"Wrote 4 predictions to {out}" in told.output
    assert "1 gene x 2 people" in told.output
    assert pd.read_csv(out, sep="\t")["individual"].tolist() == ["p2", "p2", "p0", "p0"]
    plan = CliRunner().invoke(app, [*words, "--plan", "--json"])
    assert json.loads(plan.output)["n_copies"] == 60 * 6 * 2
