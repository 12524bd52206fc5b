"""Which network's genes are explained, and the stretches whose gene models are noted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset.writer import write_dataset
from exprimo.core.files.versions import RUN_FORMAT
from exprimo.core.run import write_json
from exprimo.interpret.attributions.store import Block, Described, write_attributions
from exprimo.studies import interpreting
from exprimo.studies.benchmarking import Benchmarked
from exprimo.studies.interpreting import explain_genes

ROWS = {
    "small": ("cnn", ["sequence"], 0.6, "classification"),
    "better": ("cnn", ["sequence", "halflife"], 0.8, "classification"),
    "features alone": ("cnn", ["halflife"], 0.9, "classification"),
    "trees": ("kmer_linear", ["sequence"], 0.95, "classification"),
    "classes": ("cnn", ["sequence"], 0.99, "multiclass"),
}


def make_benchmark(folder: Path, rows: dict[str, Any]) -> Benchmarked:
    for name, (model, inputs, value, task) in rows.items():
        run = folder / "runs" / f"{name.replace(' ', '-')}-homology-s0"
        run.mkdir(parents=True)
        write_json(
            run / "metrics.json",
            {"task": task, "target": "t", "model": model, "headline": "auroc", "threshold": None,
             "conformal": None, "inputs": inputs, "parts": {"val": {"auroc": {"value": value}}}},
        )  # fmt: skip
        write_json(
            run / "provenance.json", {"format_version": RUN_FORMAT, "dataset": {}, "split": {}}
        )
    scores = pd.DataFrame({"model": list(rows), "split": "homology", "role": "model"})
    return Benchmarked(folder, folder / "report.html", "auroc", scores, pd.DataFrame())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Note which Run would be explained, in place of explaining it."""
    found: list[Path] = []

    def note(run: Path, dataset: Path, out: Path, **_: Any) -> None:
        found.append(run)
        out.mkdir()

    monkeypatch.setattr(interpreting, "explain", note)
    return found


def test_the_network_that_is_best_on_validation(tmp_path: Path, asked: list[Path]) -> None:
    done = make_benchmark(tmp_path / "b", ROWS)
    out = explain_genes(done, "D.h5", tmp_path / "e", split="homology", seed=0)
    assert out == tmp_path / "e"
    assert [path.name for path in asked] == ["better-homology-s0"]
    # What stands there is kept.
    explain_genes(done, "D.h5", tmp_path / "e", split="homology", seed=0)
    assert len(asked) == 1
    explain_genes(done, "D.h5", tmp_path / "e2", split="homology", seed=0, row="small")
    assert asked[1].name == "small-homology-s0"


def test_without_a_network_that_reads_bases(tmp_path: Path, asked: list[Path]) -> None:
    rows = {name: ROWS[name] for name in ("features alone", "trees", "classes")}
    done = make_benchmark(tmp_path / "b", rows)
    assert explain_genes(done, "D.h5", tmp_path / "e", split="homology", seed=0) is None
    assert asked == []


def test_gene_models_around_explained_genes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = {
        "chrom": np.array(["1", "1"]), "start": np.array([20_000, 50_000]),
        "end": np.array([20_100, 50_100]), "strand": np.array(["+", "-"]),
    }  # fmt: skip
    with write_dataset(tmp_path / "D.h5", {}) as out:
        out.examples(pd.DataFrame({"example_id": ["a", "b"], "gene_id": ["GA", "GB"], **places}))
        out.input("sequence", [np.zeros((2, 100), np.uint8)])

    def explained(run: Path, dataset: Path, folder: Path, **_: Any) -> None:
        folder.mkdir()
        block = Block({
            "prediction": np.zeros(2, np.float32),
            "inputs/sequence/codes": np.zeros((2, 100), np.uint8),
            "inputs/sequence/values": np.zeros((2, 100), np.float32),
        })  # fmt: skip
        about = Described(np.array(["a", "b"]), {"method": "saliency"}, places)
        write_attributions(folder / "attributions.h5", [block], about)

    monkeypatch.setattr(interpreting, "explain", explained)
    lines = [
        '1\tx\tgene\t20051\t22000\t.\t+\t.\tgene_id "GA"; gene_name "first";',
        '1\tx\ttranscript\t20051\t22000\t.\t+\t.\tgene_id "GA"; transcript_id "TA";',
        '1\tx\texon\t20051\t20500\t.\t+\t.\tgene_id "GA"; transcript_id "TA";',
        '1\tx\texon\t21000\t22000\t.\t+\t.\tgene_id "GA"; transcript_id "TA";',
        '1\tx\tgene\t90000\t91000\t.\t+\t.\tgene_id "FAR";',
        '1\tx\ttranscript\t90000\t91000\t.\t+\t.\tgene_id "FAR"; transcript_id "TF";',
    ]
    (tmp_path / "g.gtf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = make_benchmark(tmp_path / "b", {"small": ROWS["small"]})
    folder = explain_genes(
        done, tmp_path / "D.h5", tmp_path / "e", split="homology", seed=0,
        annotation=tmp_path / "g.gtf",
    )  # fmt: skip
    assert folder is not None
    table = pd.read_csv(folder / "gene_models.tsv", sep="\t")
    assert table["locus"].tolist() == ["GA"]
    assert table["exons"].tolist() == ["20051-20500,21000-22000"]
