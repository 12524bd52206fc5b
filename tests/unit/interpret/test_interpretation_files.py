"""An interpretation's folder: what is in it, and that it is whole or not there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import InputError, MismatchError
from exprimo.interpret.files import (
    About,
    Interpretation,
    map_table,
    top_table,
    with_planted,
    write_interpretation,
)
from exprimo.interpret.importance import importance_profile, top_positions
from exprimo.interpret.recovery import motif_recovery

ABOUT = About("classification", "probability", "logit", 12, smooth=3, threshold=0.5)
IDS = [f"g{i}" for i in range(12)]


def found(about: About = ABOUT) -> Interpretation:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(12, 30))
    planted = np.zeros((12, 30), dtype=bool)
    planted[:, 10:14] = True
    predicted = np.linspace(0, 1, 12)[:, None]
    return Interpretation(
        about,
        with_planted(importance_profile(values, 20, smooth=3, window=(-15, 5)), planted, 20),
        top_table(top_positions(values, predicted[:, 0], 20, n_positions=4), IDS),
        map_table(IDS, rng.normal(size=(12, 2)), predicted, np.repeat([0.0, np.nan], 6), about),
        (IDS, motif_recovery(values, planted)),
    )


def test_every_table_reads_back(tmp_path: Path) -> None:
    made = found()
    source = tmp_path / "w.bin"
    source.write_bytes(b"weights")
    folder = write_interpretation(
        tmp_path / "RUN" / "interpretation", made, sources=[source], model="cnn"
    )
    assert sorted(p.name for p in folder.iterdir()) == [
        "importance.tsv", "interpretation.json", "layer_map.tsv", "recovery.tsv",
        "top_positions.tsv",
    ]  # fmt: skip
    for name, table in (
        ("importance", made.profile), ("top_positions", made.top), ("layer_map", made.layer_map)
    ):  # fmt: skip
        assert table is not None
        read = pd.read_csv(folder / f"{name}.tsv", sep="\t")
        pd.testing.assert_frame_equal(read, table, check_dtype=False, rtol=1e-6)
    assert made.profile is not None
    assert made.profile["planted"].tolist() == [0.0] * 5 + [1.0] * 4 + [0.0] * 12
    summary = json.loads((folder / "interpretation.json").read_text())
    assert summary["format_version"] == 2
    assert (summary["task"], summary["smooth"], summary["scale"]) == ("classification", 3, "logit")
    assert summary["provenance"]["model"] == "cnn"
    assert summary["provenance"]["sources"][0]["bytes"] == 7
    assert summary["recovery"]["mean"]["n_groups"] == 12
    assert "per_example" not in summary["recovery"]
    assert pd.read_csv(folder / "recovery.tsv", sep="\t")["auroc"].notna().all()


def test_what_was_not_made_is_not_written(tmp_path: Path) -> None:
    made = found()._replace(top=None, layer_map=None, recovery=None)
    folder = write_interpretation(tmp_path / "I", made)
    assert sorted(p.name for p in folder.iterdir()) == ["importance.tsv", "interpretation.json"]
    with pytest.raises(InputError, match="nothing was found that could be written"):
        write_interpretation(tmp_path / "J", Interpretation(ABOUT))
    assert not (tmp_path / "J").exists()


def test_it_is_whole_or_not_there(tmp_path: Path) -> None:
    made = found()
    with pytest.raises(TypeError):
        write_interpretation(tmp_path / "I", made, extra=object())
    assert list(tmp_path.iterdir()) == []
    write_interpretation(tmp_path / "I", made)
    with pytest.raises(InputError, match="already exists"):
        write_interpretation(tmp_path / "I", made)
    assert made.profile is not None
    with pytest.raises(MismatchError, match=r"columns are missing.*lower"):
        write_interpretation(
            tmp_path / "J", made._replace(profile=made.profile.drop(columns="lower"))
        )


def test_the_map_of_two_classes_calls_at_the_threshold() -> None:
    table = found(ABOUT._replace(threshold=0.8)).layer_map
    assert table is not None
    assert table["prediction"].tolist() == [0] * 9 + [1] * 3
    np.testing.assert_allclose(table["probability"], np.linspace(0, 1, 12))
    assert table["target"].isna().sum() == 6
    with pytest.raises(InputError, match="no threshold"):
        found(ABOUT._replace(threshold=None))


def test_the_map_of_several_classes_names_them() -> None:
    about = About("multiclass", "up", "logit", 3, classes=("down", "none", "up"))
    predicted = np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2], [0.2, 0.6, 0.2]])
    table = map_table(["a", "b", "c"], np.zeros((3, 2)), predicted, np.array([2, np.nan, 0]), about)
    assert table["prediction"].tolist() == ["up", "down", "none"]
    assert table["probability"].tolist() == [0.7, 0.5, 0.6]
    assert table["target"].tolist() == ["up", "", "down"]


def test_the_map_of_numbers_has_no_probability() -> None:
    about = About("regression", "value", "target SD", 2)
    table = map_table(["a", "b"], np.zeros((2, 2)), np.array([[3.5], [-1]]), np.ones(2), about)
    assert table["prediction"].tolist() == [3.5, -1.0]
    assert table["probability"].isna().all()
    with pytest.raises(MismatchError, match="differ in number"):
        map_table(["a"], np.zeros((2, 2)), np.zeros((2, 1)), np.ones(2), about)
