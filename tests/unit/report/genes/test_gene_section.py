"""What the section of genes holds is what the files say, and nothing is made up."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset
from exprimo.core.run import Run
from exprimo.interpret.attributions.store import Attributions
from exprimo.report import genes
from exprimo.report.document.html import render
from exprimo.report.document.page import Section
from exprimo.report.genes import examples
from exprimo.report.genes.packing import unpacked
from exprimo.report.genes.section import gene_section
from exprimo.report.genes.tables import GeneTable, embedded_table
from exprimo.report.page import make_page


def section(folder: Path, sharing: int = 1) -> Section:
    found = gene_section(folder, sharing)
    assert found is not None
    return found


def test_predictions_are_those_of_the_runs(genes_folder: Path) -> None:
    held = section(genes_folder).data
    one = held["examples"]
    names = [model["name"] for model in one["models"]]
    mean = unpacked(one["mean"])
    ids = np.array(held["id"])[unpacked(one["gene"])]
    for m, name in enumerate(names):
        run = next((genes_folder / "runs").glob(f"{name}-homology-s0"))
        told = Run.open(run).predictions().set_index("example_id").loc[ids]
        assert mean[:, m] == pytest.approx(told["prediction"].to_numpy(), rel=1e-6)
        assert unpacked(one["observed"]) == pytest.approx(told["target"].to_numpy(), rel=1e-6)
    parts = np.array(one["parts"])[unpacked(one["part"])]
    assert set(parts) == {"train", "val", "test"}
    assert len(set(names)) == len(names) == 4


def test_spread_over_seeds(tmp_path: Path, made_up_genes: ModuleType, made_up: ModuleType) -> None:
    folder = made_up_genes.make_genes(tmp_path / "b", made_up, seeds=(0, 1, 2))
    one = section(folder).data["examples"]
    at = [model["name"] for model in one["models"]].index("cnn")
    seeds = np.stack(
        [
            Run.open(folder / "runs" / f"cnn-homology-s{k}").predictions()["prediction"]
            for k in range(3)
        ]
    )
    kept = Run.open(folder / "runs" / "cnn-homology-s0").split.part != "none"
    assert unpacked(one["mean"])[:, at] == pytest.approx(seeds.mean(0)[kept], rel=1e-5)
    spread = one["models"][at]["spread"]
    if "seeds" in spread:
        assert unpacked(one["half"])[:, at] == pytest.approx(seeds.std(0, ddof=1)[kept], rel=1e-4)
    assert spread


def test_importance_of_explained_genes(genes_folder: Path) -> None:
    held = section(genes_folder).data
    s = held["sequence"]
    steps, scale = unpacked(s["steps"]), unpacked(s["scale"])
    with Attributions.open(genes_folder / "explained") as found:
        values, codes, names = found.values(), found.codes(), found.example_id
    genes_ = np.array(held["id"])[unpacked(held["examples"]["gene"])[unpacked(s["example"])]]
    assert (genes_ == names).all()
    assert (unpacked(s["codes"]) == codes).all()
    assert np.abs(steps * scale[:, None] - values).max() <= np.abs(values).max() / 254 * 1.001
    assert s["method"] == "gradient × input"
    # Nobody checked it, and the page says so.
    assert s["banner"] == "Not checked for faithfulness"
    assert held["id"][held["first"]] in set(names)


def test_inputs_and_places(genes_folder: Path) -> None:
    held = section(genes_folder).data
    split = Run.open(genes_folder / "runs" / "cnn-homology-s0").split
    rows = np.flatnonzero(split.part != "none")
    with Dataset.open(genes_folder / "dataset.h5") as data:
        features, signal = data.rows("halflife", rows), data.rows("signal", rows)
        table = data.examples().set_index("gene_id").loc[held["id"]]
    assert unpacked(held["features"]["values"]) == pytest.approx(features)
    s = held["signal"]
    low, high = unpacked(s["low"]), unpacked(s["high"])
    back = low[:, None] + unpacked(s["steps"]) * ((high - low) / 255)[:, None]
    own = signal[unpacked(s["example"])].reshape(back.shape)
    assert np.abs(back - own).max() <= (high - low).max() / 255
    assert s["bin_size"] == 100
    places = held["places"]
    assert (unpacked(places["tss"]) == table["tss"].to_numpy()).all()
    assert (unpacked(places["minus"]) == (table["strand"] == "-")).all()
    assert held["models"]["exons"][0].count("-") == 2


def test_what_is_not_there_is_not_told(genes_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    shutil.copytree(genes_folder, folder, ignore=shutil.ignore_patterns("explained", "*.h5"))
    facts = json.loads((folder / "benchmark.json").read_text())
    facts["dataset"]["path"] = "gone.h5"
    (folder / "benchmark.json").write_text(json.dumps(facts))
    made = section(folder)
    for part in ("sequence", "features", "signal", "places", "models"):
        assert made.data[part] is None
    assert "The dataset was not found" in made.values["notes"][0]
    assert len(made.data["examples"]["models"]) == 4


def test_another_dataset_under_the_same_name_is_not_read(
    genes_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "b"
    shutil.copytree(genes_folder, folder)
    facts = json.loads((folder / "benchmark.json").read_text())
    facts["dataset"] |= {"sha256": "0" * 64}
    (folder / "benchmark.json").write_text(json.dumps(facts))
    assert section(folder).data["features"] is None


def test_little_room_is_shared_and_said(
    genes_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(genes.section, "MOST_NUMBERS", 2400)
    monkeypatch.setattr(examples, "MOST_NUMBERS", 4 * 30)
    whole, shared = section(genes_folder), section(genes_folder, 6)
    assert len(unpacked(whole.data["sequence"]["scale"])) == 10
    assert len(unpacked(shared.data["sequence"]["scale"])) == 2
    assert any("Importance of 2 of 10" in note for note in shared.values["notes"])
    assert any("Only the test part" in note for note in whole.values["notes"])
    assert any("Chromatin profiles of" in note for note in shared.values["notes"])
    parts = unpacked(whole.data["examples"]["part"])
    assert {whole.data["examples"]["parts"][k] for k in parts} == {"test"}


def test_cell_types_of_a_gene(
    tmp_path: Path, made_up_genes: ModuleType, made_up: ModuleType
) -> None:
    folder = made_up_genes.make_genes(tmp_path / "b", made_up, cells=2)
    held = section(folder).data
    one = held["examples"]
    assert one["context_name"] == "cell type"
    assert one["contexts"] == ["cell0", "cell1"]
    counts = pd.Series(unpacked(one["gene"])).value_counts()
    assert counts.max() == 2


def test_hostile_names_stay_text(
    tmp_path: Path, made_up_genes: ModuleType, made_up: ModuleType
) -> None:
    folder = made_up_genes.make_genes(
        tmp_path / "b", made_up, hostile=made_up.HOSTILE, gene="G{:03d}" + made_up.HOSTILE
    )
    made = section(folder)
    assert made_up.HOSTILE in made.data["name"][0]
    text = render(make_page(folder), {}, [made])
    start = text.index('data-section="gene">') + len('data-section="gene">')
    held: dict[str, Any] = json.loads(text[start : text.index("</script>", start)])
    assert held["name"] == made.data["name"]
    assert held["id"] == made.data["id"]
    assert "<script>window.hacked" not in text


def test_a_test_for_differential_expression_has_a_table_of_its_own(dge_folder: Path) -> None:
    held = section(dge_folder).data
    assert held["examples"] is None
    (table,) = held["tables"]
    results = pd.read_csv(dge_folder / "results.tsv", sep="\t").set_index("gene_id")
    at = np.array(held["id"])[unpacked(table["gene"])]
    mean = unpacked(table["columns"][table["names"].index("baseMean")]["numbers"])
    assert mean == pytest.approx(results.loc[at, "baseMean"].to_numpy(), rel=1e-6)


def test_a_tiny_p_value_is_not_0() -> None:
    genes_ = pd.Index(["a", "b"])
    frame = pd.DataFrame({"gene_id": ["b", "a"], "padj": [1e-80, 0.5]})
    told = embedded_table(GeneTable("t", "T.", frame, {"padj": "p"}, ()), genes_)
    assert unpacked(told["columns"][0]["numbers"]).tolist() == [0.5, 1e-80]


def test_no_torch(genes_folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; "
        "from exprimo.report.genes.section import gene_section; "
        f"gene_section(Path({str(genes_folder)!r})); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
