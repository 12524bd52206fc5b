"""Motifs inserted into a model, from files to files."""

import json

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import ConfigError
from exprimo.core.predictor import Prediction
from exprimo.interpret.motifs import insert as inserting
from exprimo.scoring.resolve import Resolved
from exprimo.studies.motifs import motifs_insert


class CountsGata:
    """Predict three times the number of GATA in a sequence."""

    outputs = ("value",)
    window = 60

    def __init__(self, *inputs: str) -> None:
        self.inputs = inputs or ("sequence",)

    def predict(self, batch):
        windows = np.lib.stride_tricks.sliding_window_view(batch["sequence"], 4, axis=1)
        found = (windows == [2, 0, 3, 0]).all(2).sum(1)
        return Prediction(3.0 * found[:, None].astype(np.float32), np.full((len(found), 1), np.nan))


@pytest.fixture
def files(tmp_path):
    import exprimo

    rng = np.random.default_rng(0)
    rows = ["".join(rng.choice(list("CGT"), 60)) for _ in range(40)]
    table = pd.DataFrame({"sequence": rows, "y": rng.normal(size=40)})
    table.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    exprimo.dataset_table(tmp_path / "t.tsv", out=tmp_path / "d.h5", sequence="sequence",
                          target="y")  # fmt: skip
    lines = ["MEME version 4", ""]
    for name, word in (("M1 GATA", "GATA"), ("M2 CCC", "CCCC")):
        lines += [f"MOTIF {name}", "letter-probability matrix:"]
        lines += [" ".join("1" if base == b else "0" for b in "ACGT") for base in word] + [""]
    (tmp_path / "m.meme").write_text("\n".join(lines))
    return tmp_path


def asked(monkeypatch, model: CountsGata) -> None:
    monkeypatch.setattr(inserting, "model_on", lambda *_, **__: Resolved(model, None, "toy"))


def test_effects_are_written_and_the_strongest_comes_first(files, monkeypatch) -> None:
    asked(monkeypatch, CountsGata())
    done = motifs_insert("toy", files / "d.h5", files / "m.meme", files / "out", backgrounds=20,
                         step=8, pair=("GATA", "M2"), reach=4)  # fmt: skip
    assert done.strongest["motif"].tolist()[0] == "M1"
    assert done.strongest["effect"].tolist() == [3.0, 0.0]
    table = pd.read_csv(files / "out" / "effect.tsv", sep="\t")
    assert table.groupby(["motif", "strand"]).size().tolist() == [8, 8, 8, 8]
    assert (table["n"] == 20).all()
    assert done.interaction is not None
    assert done.interaction["interaction"] == 0
    facts = json.loads((files / "out" / "insertion.json").read_text())
    assert (facts["n_backgrounds"], facts["length"], facts["scale"]) == (20, 60, "prediction")
    for name in ("effect.png", "effect.svg", "spacing.png", "spacing.svg"):
        assert (files / "out" / "figures" / name).stat().st_size > 1000


def test_a_model_that_reads_more_than_dna_is_refused(files, monkeypatch) -> None:
    asked(monkeypatch, CountsGata("sequence", "halflife"))
    with pytest.raises(ConfigError, match="reads more or something else"):
        motifs_insert("toy", files / "d.h5", files / "m.meme", files / "out")


def test_an_unknown_motif_is_named(files, monkeypatch) -> None:
    asked(monkeypatch, CountsGata())
    with pytest.raises(ConfigError, match="REB1"):
        motifs_insert("toy", files / "d.h5", files / "m.meme", files / "out", only=["REB1"])
    assert not (files / "out").exists()


def test_a_region_without_room_is_refused(files, monkeypatch) -> None:
    asked(monkeypatch, CountsGata())
    for settings in ({"only": ["GATA"]}, {"pair": ("GATA", "M2"), "only": ["M2"]}):
        with pytest.raises(ConfigError, match=r"no room for the motif.*wider --region"):
            motifs_insert("toy", files / "d.h5", files / "m.meme", files / "out", backgrounds=20,
                          region=(27, 30), **settings)  # fmt: skip
    assert not (files / "out").exists()
