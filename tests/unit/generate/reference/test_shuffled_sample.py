"""Shuffles as a sample: composition of the training positives alone, stamped like a generator's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import exprimo
from exprimo.core.dataset import Dataset
from exprimo.core.dataset.generated import NOT_CHECKED, read_stamp
from exprimo.core.errors import ConfigError, InputError
from exprimo.core.ledger import keys_of
from exprimo.core.run import Run
from exprimo.core.sequence import Codes
from exprimo.generate import generate_check
from exprimo.generate.reference import write_shuffles

MOTIF, PLACE = np.array([3, 2, 0, 1, 3, 1, 0, 3]), 20


@pytest.fixture(scope="module")
def run(motifs: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that only brings its split: a model without weights to speak of."""
    folder = tmp_path_factory.mktemp("plain") / "RUN"
    return exprimo.train(motifs, folder, model="gc_content", target="high", split="random")


def _codes(path: Path) -> Codes:
    with Dataset.open(path) as data:
        return data.rows("sequence", np.arange(len(data), dtype=np.int64))


def _dinucleotides(codes: Codes) -> np.ndarray:
    pairs = codes[:, :-1].astype(int) * 4 + codes[:, 1:]
    return np.stack([np.bincount(row, minlength=16) for row in pairs])


def test_each_is_a_shuffle_of_a_training_positive(motifs: Path, run: Run, tmp_path: Path) -> None:
    with Dataset.open(motifs) as data:
        high = data.target("high")
        rows = run.split.rows("train")
        rows = rows[high[rows] == 1]
        positives, keys = data.rows("sequence", rows), keys_of(data, rows)
    n = len(rows) + 50
    done = write_shuffles(
        motifs, tmp_path / "S.h5", n=n, label="1", target="high", like=run.path, seed=4
    )
    made = _codes(done.path)
    assert (done.n, done.learned, len(made)) == (n, len(positives), n)
    # As many of each training sequence as the number allows: once, and 50 of them twice.
    counts = {tuple(row): 0 for row in _dinucleotides(positives).tolist()}
    for row in _dinucleotides(made).tolist():
        counts[tuple(row)] += 1
    assert min(counts.values()) >= 1
    # The motif stands in six of ten positives at its place, and by chance in a shuffle.
    there = (positives[:, PLACE : PLACE + 8] == MOTIF).all(axis=1).mean()
    shuffled = (made[:, PLACE : PLACE + 8] == MOTIF).all(axis=1).mean()
    assert there > 0.5 > 0.02 > shuffled
    stamp = read_stamp(done.path)
    assert stamp is not None
    assert stamp.fidelity == NOT_CHECKED
    assert stamp.generator["family"] == "dinucleotide shuffle"
    assert stamp.ledger.learned == {"generator": keys}
    with Dataset.open(done.path) as data:
        assert data.target("high").tolist() == [1.0] * n


def test_the_same_seed_gives_the_same_and_the_check_reads_them(
    motifs: Path, run: Run, tmp_path: Path
) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        write_shuffles(
            motifs, tmp_path / f"{name}.h5", n=120, label="1", target="high", like=run.path,
            seed=seed,
        )  # fmt: skip
    a, b, c = (_codes(tmp_path / f"{name}.h5") for name in "abc")
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)
    checked = generate_check(
        tmp_path / "a.h5", motifs, tmp_path / "CHECK", like=run.path, draws=1, queries=60
    )
    # No copies and no collapse; that shuffles lack the motif is no matter of the gate.
    assert checked.verdict == "passed"
    table = checked.measures.set_index(["measure", "set"])["value"]
    real, made = table["position_4mers", "held-out"], table["position_4mers", "generated"]
    assert made > 3 * abs(real)


def test_what_cannot_be_shuffled_is_refused(motifs: Path, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "S.h5"
    with pytest.raises(ConfigError, match="one sequence at least"):
        write_shuffles(motifs, out, n=0, label="1", target="high", like=run.path)
    with pytest.raises(ConfigError, match="no such class"):
        write_shuffles(motifs, out, n=5, label="2", target="high", like=run.path)
    out.write_text("here")
    with pytest.raises(InputError):
        write_shuffles(motifs, out, n=5, label="1", target="high", like=run.path)
