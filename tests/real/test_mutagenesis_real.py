"""Mutagenesis with published weights: every effect is that of the whole network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import write_dataset
from exprimo.core.sequence import encode
from exprimo.models.pretrained.xpresso import load_xpresso
from exprimo.scoring.mutagenesis import mutagenesis, read_arrays

pytestmark = pytest.mark.real
WEIGHTS = ["human_trainepoch.11-0.426.h5", "mouse_trainepoch.05-0.278.h5"]


@pytest.mark.parametrize("weights", WEIGHTS)
def test_xpresso_on_a_human_promoter(realdata: Path, weights: str, tmp_path: Path) -> None:
    folder = realdata / "xpresso"
    table = pd.read_csv(folder / "promoters_10.5kb.tsv", sep="\t")
    golden = pd.read_csv(folder / "golden_predictions_human_mouse.tsv", sep="\t")
    codes = np.stack([encode(sequence) for sequence in table["sequence"]])
    data = tmp_path / "D.h5"
    with write_dataset(data, {"made": "for tests"}) as out:
        out.examples(pd.DataFrame({"example_id": table["gene_id"], "gene_id": table["gene_id"]}))
        out.input("sequence", [codes])
    gene = str(table["gene_id"].iloc[0])
    path = folder / weights
    done = mutagenesis(f"xpresso:{path}", tmp_path / "M.h5", dataset=data, gene=[gene], threads=1)
    assert done.way.startswith("local")
    found = read_arrays(done.path)
    assert found.effects.shape == (1, 1, 4, 10_500)
    assert found.tss_distance[0] == -7_000
    known = golden.set_index("gene_id").loc[gene, weights]
    assert found.prediction[0, 0] == pytest.approx(known, abs=1e-4)
    rng = np.random.default_rng(1)
    sites, bases = rng.integers(0, 10_500, 200), rng.integers(0, 4, 200)
    mutants = np.repeat(codes[:1], 200, axis=0)
    mutants[np.arange(200), sites] = bases
    predictor = load_xpresso(path)
    naive = np.concatenate(
        [predictor.predict({"sequence": part}).mean[:, 0] for part in np.split(mutants, 20)]
    )
    reference = predictor.predict({"sequence": codes[:1]}).mean[0, 0]
    local = found.effects[0, 0, bases, sites]
    assert np.abs(naive).max() > 0
    np.testing.assert_allclose(local, naive - reference, atol=1e-5)
    assert np.abs(local).max() > 1e-3
