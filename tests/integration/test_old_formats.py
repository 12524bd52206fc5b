"""Committed files of each format version are still read, and still predict the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from exprimo.core.dataset import Dataset
from exprimo.core.errors import LeakError
from exprimo.core.files.versions import DATASET_FORMAT, RUN_FORMAT
from exprimo.core.ledger import keys_of
from exprimo.core.run import Run
from exprimo.core.sequence import decode
from exprimo.models.stored import load_model
from exprimo.training import TrainConfig

FIXTURES = Path(__file__).parents[1] / "fixtures"


def test_every_version_has_its_fixture_and_none_is_large() -> None:
    for version in range(1, DATASET_FORMAT + 1):
        assert (FIXTURES / f"dataset_v{version}.h5").is_file()
    for version in range(1, RUN_FORMAT + 1):
        assert (FIXTURES / f"run_v{version}").is_dir()
    files = [path for path in FIXTURES.rglob("*") if path.is_file()]
    files = [path for path in files if "__pycache__" not in path.parts]
    # Counts and answers of R have a bound of their own: they are no format.
    answers = [path for path in files if "dge" in path.relative_to(FIXTURES).parts]
    assert sum(path.stat().st_size for path in set(files) - set(answers)) < 100_000
    assert sum(path.stat().st_size for path in answers) < 250_000


def test_a_dataset_of_version_1_is_read() -> None:
    with Dataset.open(FIXTURES / "dataset_v1.h5") as data:
        assert len(data) == 160
        assert data.sha256.startswith("02b6b2a35448")
        assert data.provenance == {"genome": "made up", "sources": []}
        assert data.inputs["sequence"].n_distinct == 80
        first = data.rows("sequence", np.array([0, 80, 1]))
        assert decode(first[0]).startswith("NNN")
        np.testing.assert_array_equal(first[0], first[1])
        # The target was made as a quarter of the number of C, plus 0.5 in the second cell type.
        n_c = (data.rows("sequence", np.arange(160)) == 1).sum(axis=1)
        expected = n_c / 4 + np.repeat([0.0, 0.5], 80)
        expected[[3, 90]] = np.nan
        np.testing.assert_array_equal(data.target("level"), expected.astype(np.float32))
        assert data.targets["level"].units == "log2 TPM"
        assert data.targets["high"].kind == "classification"
        assert int(np.isnan(data.target("high")).sum()) == 2
        table = data.examples()
        assert table["cell_type"].unique().tolist() == ["K562", "β cell"]
        assert table.loc[81, ["gene_id", "chrom", "strand", "start", "tss"]].tolist() == [
            "gene1", "chr2", "-", 1000, 1030,
        ]  # fmt: skip
        assert table["clipped"].sum() == 2


def test_a_dataset_of_version_2_is_read() -> None:
    with Dataset.open(FIXTURES / "dataset_v2.h5") as data:
        assert data.sha256.startswith("039fecafba29")
        change = data.targets["change"]
        assert (change.kind, change.classes) == ("multiclass", ("down", "none", "up"))
        level = data.target("level")
        expected = np.where(np.isnan(level), np.nan, np.digitize(level, [2.25, 3]))
        np.testing.assert_array_equal(data.target("change"), expected.astype(np.float32))
        assert {data.targets[name].classes for name in ("level", "high")} == {()}
    with Dataset.open(FIXTURES / "dataset_v1.h5") as old:
        assert {target.classes for target in old.targets.values()} == {()}
        np.testing.assert_array_equal(old.target("level"), level)


def test_a_run_of_version_1_is_read() -> None:
    run = Run.open(FIXTURES / "run_v1")
    config = TrainConfig.load(run.config_path)
    assert (config.model, config.target, config.options["k"]) == ("kmer_linear", "level", 2)
    assert run.split.counts() == {"train": 80, "val": 40, "test": 40, "none": 0}
    assert run.split.held_out == ("gene", "sequence")
    assert run.split.notes["test_chrom"] == "chr4"
    assert run.metrics["parts"]["test"]["pearson_r"]["value"] == pytest.approx(0.9107, abs=1e-4)
    assert run.history().empty
    assert len(run.predictions()) == 158


def test_its_weights_still_predict_what_they_predicted() -> None:
    run = Run.open(FIXTURES / "run_v1")
    stored = run.predictions().set_index("example_id")["prediction"]
    predictor = load_model(run.weights_path)
    with Dataset.open(FIXTURES / "dataset_v1.h5") as data:
        run.split.check_dataset(data.sha256, file=data.path)
        ids = data.column("example_id")
        mean = predictor.predict(data.batch(predictor.inputs, np.arange(len(data)))).mean[:, 0]
    of_id = dict(zip(ids.tolist(), mean.tolist(), strict=True))
    np.testing.assert_allclose([of_id[name] for name in stored.index], stored, rtol=1e-5)


def test_its_ledger_still_refuses_what_it_learned_from() -> None:
    run = Run.open(FIXTURES / "run_v1")
    with Dataset.open(FIXTURES / "dataset_v1.h5") as data:
        test = keys_of(data, run.split.rows("test"))
        train = keys_of(data, run.split.rows("train"))
    assert run.ledger.check(test, run.split.held_out) == []
    with pytest.raises(LeakError, match="weights learned from"):
        run.ledger.check(train, run.split.held_out)
