"""A fitted generator has the motif at its place, as often as the class or value asks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from exprimo.core.dataset import Dataset
from exprimo.core.sequence import encode
from exprimo.generate import generate_fit, generate_sample

MOTIF, PLACE, N = encode("TGACTCAT"), 20, 384
SETTINGS = {
    "split": "random",
    "machine": {"threads": 1},
    "options": {"channels": 32, "blocks": 2},
    "fit": {"steps": 240, "learning_rate": 0.005, "warm_up": 20, "every": 80},
}

pytestmark = pytest.mark.slow


def _drawn(path: Path) -> npt.NDArray[np.uint8]:
    with Dataset.open(path) as data:
        return data.rows("sequence", np.arange(len(data)))


def _share(codes: npt.NDArray[np.uint8], place: int = PLACE) -> float:
    return float((codes[:, place : place + len(MOTIF)] == MOTIF).all(axis=1).mean())


@pytest.fixture(scope="module")
def by_class(motifs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("by_class") / "GEN"
    return generate_fit(motifs, out, condition="high", **SETTINGS).path


def test_a_class_has_the_motif_at_its_place_as_often_as_it_should(
    by_class: Path, tmp_path: Path
) -> None:
    generate_sample(by_class, tmp_path / "1.h5", n=N, target="1", threads=1)
    generate_sample(by_class, tmp_path / "0.h5", n=N, target="0", threads=1)
    with_motif, without = _drawn(tmp_path / "1.h5"), _drawn(tmp_path / "0.h5")
    # 60% in truth; four standard errors of N are 0.1.
    assert 0.47 < _share(with_motif) < 0.70
    assert _share(without) < 0.02
    # And nowhere else than there: the rest is as uniform as it was.
    assert max(_share(with_motif, at) for at in (5, 12, 28, 35)) < 0.02
    rest = np.delete(with_motif, slice(PLACE, PLACE + len(MOTIF)), axis=1)
    assert np.abs(np.bincount(rest.ravel(), minlength=4) / rest.size - 0.25).max() < 0.03


def test_without_a_target_each_is_drawn_as_the_training_examples_have_it(
    by_class: Path, tmp_path: Path
) -> None:
    generate_sample(by_class, tmp_path / "S.h5", n=N, threads=1)
    with Dataset.open(tmp_path / "S.h5") as data:
        asked = data.target("high")
        assert data.targets["high"].kind == "classification"
    assert abs(asked.mean() - 0.5) < 0.1
    codes = _drawn(tmp_path / "S.h5")
    assert _share(codes[asked == 1]) > 0.4
    assert _share(codes[asked == 0]) < 0.04


def test_a_value_asks_for_the_motif_unless_it_weighs_nothing(motifs: Path, tmp_path: Path) -> None:
    made = generate_fit(motifs, tmp_path / "GEN", condition="y", **SETTINGS)
    for name, value in (("low", 0.0), ("high", 2.0)):
        generate_sample(made.path, tmp_path / f"{name}.h5", n=N, target=value, threads=1)
    # With 0.2 of noise a value of 2 always means the motif, and 0 never.
    assert _share(_drawn(tmp_path / "high.h5")) > 0.8
    assert _share(_drawn(tmp_path / "low.h5")) < 0.05
    unweighed = [tmp_path / "a.h5", tmp_path / "b.h5"]
    for out, value in zip(unweighed, (0.0, 2.0), strict=True):
        generate_sample(made.path, out, n=64, target=value, guidance=0.0, threads=1)
    assert np.array_equal(*map(_drawn, unweighed))


def test_one_label_is_learned_alone(motifs: Path, tmp_path: Path) -> None:
    made = generate_fit(motifs, tmp_path / "GEN", label="1", target="high", **SETTINGS)
    generate_sample(made.path, tmp_path / "S.h5", n=N, threads=1)
    assert 0.47 < _share(_drawn(tmp_path / "S.h5")) < 0.72
    with Dataset.open(tmp_path / "S.h5") as data:
        assert data.target("high").tolist() == [1.0] * N
