"""Published implementations, number by number: HyenaDNA and Xpresso."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from exprimo.core.dataset import write_dataset
from exprimo.core.sequence import encode
from exprimo.models.pretrained import open_pretrained
from exprimo.models.pretrained.hyenadna import CHECKPOINTS, HyenaNetwork, open_hyenadna
from exprimo.models.pretrained.xpresso import load_xpresso

pytestmark = pytest.mark.real
WEIGHTS = ["human_trainepoch.11-0.426.h5", "mouse_trainepoch.05-0.278.h5"]


@pytest.mark.parametrize("name", ["hyenadna-tiny-1k", "hyenadna-small-32k"])
def test_hyenadna_names_its_weights_as_published(realdata: Path, name: str) -> None:
    published = json.loads((realdata / "hyenadna" / "state_shapes.json").read_text())
    expected = published[f"{name}-seqlen"]
    config = CHECKPOINTS[name]
    assert config.model_dump() == expected["config"]
    with torch.device("meta"):
        state = HyenaNetwork(config).state_dict()
    assert {key: list(value.shape) for key, value in state.items()} == expected["state"]


def test_hyenadna_gives_the_published_hidden_vectors(realdata: Path) -> None:
    folder = realdata / "hyenadna"
    backbone = open_hyenadna("hyenadna-tiny-1k", folder / "tiny_random.safetensors")
    vectors = np.load(folder / "tiny_random_io.npz")
    expected = vectors["hidden"]
    scale = np.abs(expected).max()
    lines = (folder / "tiny_random_sequences.txt").read_text().split()
    found = backbone.embed({"sequence": np.stack([encode(line) for line in lines])})
    assert np.abs(found - expected[:, 1:-1]).max() / scale < 1e-4
    tokens = torch.from_numpy(vectors["tokens"]).long()
    with torch.inference_mode():
        whole = backbone.network(tokens).numpy()
    assert np.abs(whole - expected).max() / scale < 1e-4


@pytest.fixture(scope="module")
def promoters(realdata: Path) -> pd.DataFrame:
    """17 genes: sequence of 10.5 kb and the published predictions."""
    table = pd.read_csv(realdata / "xpresso" / "promoters_10.5kb.tsv", sep="\t")
    golden = pd.read_csv(realdata / "xpresso" / "golden_predictions_human_mouse.tsv", sep="\t")
    return table.merge(golden, on="gene_id", validate="one_to_one")


@pytest.mark.parametrize("weights", WEIGHTS)
def test_xpresso_gives_the_published_predictions(
    realdata: Path, promoters: pd.DataFrame, weights: str
) -> None:
    predictor = load_xpresso(realdata / "xpresso" / weights)
    codes = np.stack([encode(sequence) for sequence in promoters["sequence"]])
    found = predictor.predict({"sequence": codes}).mean[:, 0]
    assert len(found) == 17
    np.testing.assert_allclose(found, promoters[weights], atol=1e-5)


def test_xpresso_predicts_a_dataset_by_its_name_and_file(
    realdata: Path, promoters: pd.DataFrame, tmp_path: Path
) -> None:
    import exprimo

    with write_dataset(tmp_path / "D.h5", {}) as out:
        out.examples(pd.DataFrame({"example_id": promoters["gene_id"]}))
        out.input("sequence", [np.stack([encode(s) for s in promoters["sequence"]])])
    model = f"xpresso:{realdata / 'xpresso' / WEIGHTS[0]}"
    done = exprimo.predict(model, tmp_path / "D.h5", tmp_path / "P.parquet", device="cpu")
    np.testing.assert_allclose(done.table["prediction"], promoters[WEIGHTS[0]], atol=1e-5)
    with pytest.raises(exprimo.ExprimoError, match="not published which half-life features"):
        open_pretrained("xpresso-halflife", model.partition(":")[2])
