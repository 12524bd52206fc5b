"""Published Xpresso weights, explained: sums add up, and what counts lies around the TSS."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import write_dataset
from exprimo.core.sequence import encode
from exprimo.interpret.attributions import Attributions
from exprimo.interpret.explain import explain

pytestmark = pytest.mark.real
WEIGHTS = "human_trainepoch.11-0.426.h5"


@pytest.fixture(scope="module")
def promoters(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    table = pd.read_csv(realdata / "xpresso" / "promoters_10.5kb.tsv", sep="\t")
    path = tmp_path_factory.mktemp("x") / "D.h5"
    with write_dataset(path, {"settings": {"upstream": 7000}}) as out:
        out.examples(pd.DataFrame({"example_id": table["gene_id"], "gene_id": table["gene_id"]}))
        out.input("sequence", [np.stack([encode(sequence) for sequence in table["sequence"]])])
    return path


def test_methods_agree_on_what_published_weights_read(
    realdata: Path, promoters: Path, tmp_path: Path
) -> None:
    golden = pd.read_csv(realdata / "xpresso" / "golden_predictions_human_mouse.tsv", sep="\t")
    known = golden.set_index("gene_id")[WEIGHTS]
    values, missed = {}, {}
    for method, settings in (
        ("gradient_x_input", {}),
        ("integrated_gradients", {"steps": 128}),
        ("deeplift", {}),
        ("mutagenesis", {}),
    ):
        done = explain(
            f"xpresso:{realdata / 'xpresso' / WEIGHTS}", promoters, tmp_path / method,
            method=method, references=2, most=3, check=False, threads=1, device="cpu", **settings,
        )  # fmt: skip
        with Attributions.open(done.path) as found:
            np.testing.assert_allclose(found.prediction, known[found.example_id], atol=1e-4)
            values[method] = found.values()
        assert done.strongest is not None
        position, near = done.strongest
        # A fiftieth of the window lies within 100 bases.
        assert abs(position) < 500, method
        assert near > 0.05, method
        missed[method] = done.missed
    assert missed["deeplift"].share < 1e-3
    assert missed["integrated_gradients"].share < 0.1
    mutants = values.pop("mutagenesis").ravel()
    for method, found in values.items():
        assert np.corrcoef(found.ravel(), mutants)[0, 1] > 0.3, method
