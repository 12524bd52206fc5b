"""Generated positives reach the fit of every kind of model, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

import exprimo
from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import LeakError, MismatchError
from exprimo.core.ledger import keys_of, sequence_keys
from exprimo.core.run import Run
from exprimo.core.sequence import Codes, encode
from exprimo.core.split import Split
from exprimo.models.stored import load_model
from exprimo.training import TrainConfig, loop, predict_rows, train_run
from exprimo.training.fitting import _examples
from exprimo.training.material import gather, open_examples

# Of 400 examples on five chromosomes 240 train: 48 positives and 192 negatives.
N_NEGATIVE, N_POSITIVE, N_NEEDED = 192, 48, 144

NETWORK: dict[str, Any] = {
    "model": "cnn",
    "options": {"channels": 8, "stem_channels": 8, "hidden": 8, "head_channels": 4, "dropout": 0.1},
    "fit": {"epochs": 3, "batch_size": 32, "average": 0.9},
}
HYBRID: dict[str, Any] = {
    "model": "cnn_xgboost",
    "options": {
        "net": "cnn",
        "net_options": NETWORK["options"],
        "depths": [2],
        "rates": [0.3],
        "rounds": 10,
    },
    "fit": {"epochs": 2, "batch_size": 32, "average": 0.9},
}

Make = Callable[..., Path]
Settings = Callable[..., TrainConfig]


def random_codes(n: int, seed: int = 1) -> Codes:
    return np.random.default_rng(seed).integers(0, 4, (n, 40)).astype(np.uint8)


def weights(run: Run) -> dict[str, np.ndarray]:
    return load_file(run.weights_path)


def equal(one: Run, other: Run) -> bool:
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    return all(np.array_equal(values, theirs[name]) for name, values in ours.items())


def appended_by_hand(rare: Path, codes: Codes, folder: Path, split: Split) -> tuple[Path, Split]:
    """Write a dataset in which generated sequences are ordinary training examples."""
    path = folder / "by_hand.h5"
    with Dataset.open(rare) as data:
        real, up = data.rows("sequence", np.arange(len(data))), data.target("up")
        ids = data.column("example_id").tolist()
    more = [f"s{i}" for i in range(len(codes))]
    with write_dataset(path, {}) as out:
        out.examples(pd.DataFrame({"example_id": ids + more}))
        out.input("sequence", [np.concatenate([real, codes])])
        out.target("up", np.append(up, np.ones(len(codes))), kind="classification")
    with Dataset.open(path) as data:
        sha256 = data.sha256
    whole = replace(
        split,
        example_id=np.array(ids + more),
        part=np.append(split.part, np.full(len(codes), "train")),
        group=None,
        dataset_sha256=sha256,
    )
    return path, whole


@pytest.mark.parametrize(
    "model",
    [
        {},
        {"model": "onehot_xgboost"},
        {"model": "gc_content"},
        pytest.param(NETWORK, marks=pytest.mark.slow),
    ],
)
def test_it_is_the_same_as_training_examples_appended_by_hand(
    model: dict[str, Any], rare: Path, settings: Settings, make_sample: Make, tmp_path: Path
) -> None:
    codes = random_codes(N_NEEDED)
    run = train_run(settings(make_sample(codes), **model), tmp_path / "augmented")
    split = replace(run.split, group=None, held_out=())
    path, whole = appended_by_hand(rare, codes, tmp_path, split)
    by_hand = train_run(
        settings(None, dataset=str(path), **model), tmp_path / "by_hand", split=whole
    )
    assert equal(run, by_hand)
    plain = train_run(settings(None, **model), tmp_path / "plain")
    assert not equal(run, plain)


@pytest.mark.slow
def test_trees_on_a_network_learn_from_them_too(
    rare: Path, settings: Settings, make_sample: Make, tmp_path: Path
) -> None:
    codes = random_codes(N_NEEDED)
    run = train_run(settings(make_sample(codes), **HYBRID), tmp_path / "augmented")
    path, whole = appended_by_hand(rare, codes, tmp_path, replace(run.split, held_out=()))
    by_hand = train_run(
        settings(None, dataset=str(path), **HYBRID), tmp_path / "by_hand", split=whole
    )
    assert equal(run, by_hand)


def test_what_they_carry_is_learned_as_positive(
    settings: Settings, make_sample: Make, tmp_path: Path
) -> None:
    """A motif that no real example has becomes a sign of positives."""
    codes = random_codes(N_NEEDED)
    codes[:, 10:18] = encode("GGCCGGCC")
    probe = random_codes(200, seed=5)
    planted = probe.copy()
    planted[:, 20:28] = encode("GGCCGGCC")
    asked = make_sample(np.concatenate([probe, planted]), name="probe.h5")
    told = {}
    for name, sample in (("plain", None), ("augmented", make_sample(codes))):
        run = train_run(settings(sample), tmp_path / name)
        with Dataset.open(asked) as data:
            mean = predict_rows(load_model(run.weights_path), data, np.arange(400)).mean[:, 0]
        told[name] = float(mean[200:].mean() - mean[:200].mean())
    assert told["augmented"] > told["plain"] + 0.2


def test_validation_and_test_stay_as_they_are(
    settings: Settings, make_sample: Make, tmp_path: Path
) -> None:
    run = train_run(settings(make_sample(random_codes(200))), tmp_path / "r")
    plain = train_run(settings(None), tmp_path / "plain")
    for part in ("train", "val", "test"):
        ours, theirs = (r.metrics["parts"][part]["auroc"]["n"] for r in (run, plain))
        assert ours == theirs
    assert list(run.predictions()["example_id"]) == list(plain.predictions()["example_id"])
    assert run.split.counts() == plain.split.counts()
    assert run.metrics["n_train"] == plain.metrics["n_train"] == 240
    assert run.metrics["majority"] == plain.metrics["majority"]
    assert plain.metrics["augment"] is None


def test_the_run_says_what_was_added(
    rare: Path, settings: Settings, make_sample: Make, tmp_path: Path
) -> None:
    sample = make_sample(random_codes(200))
    run = train_run(settings(sample), tmp_path / "r")
    told = run.metrics["augment"]
    with Dataset.open(sample) as data:
        assert told["sha256"] == data.sha256
    assert told["sample"] == str(sample.resolve())
    assert (told["n"], told["n_positive"], told["n_negative"]) == (
        N_NEEDED, N_POSITIVE, N_NEGATIVE,
    )  # fmt: skip
    assert (told["family"], told["fidelity"], told["ratio"]) == ("diffusion", "passed", 1.0)
    facts = json.loads((run.path / "provenance.json").read_text())
    assert facts["augment"]["generator"]["path"] == "GEN"
    assert [Path(one["path"]).name for one in facts["sources"]] == ["rare.h5", "S.h5"]
    with Dataset.open(rare) as data:
        assert facts["dataset"]["n_examples"] == len(data)
        assert facts["dataset"]["inputs"]["sequence"]["n_distinct"] == 400


def test_a_ratio_counts_real_and_generated_together(
    settings: Settings, make_sample: Make, tmp_path: Path
) -> None:
    sample = make_sample(random_codes(400))
    counts = {}
    for ratio in (0.5, 2.0):
        config = settings(sample, augment={"ratio": ratio})
        split = train_run(config, tmp_path / str(ratio)).split
        with open_examples(config) as data:
            material = gather(data, config, split)
            counts[ratio] = material.balance.counts
            rows = material.learned
            assert (material.values[rows] == 1).sum() == round(ratio * N_NEGATIVE)
    assert counts == {0.5: (192, 96), 2.0: (192, 384)}


def test_the_draw_is_by_the_seed_and_a_smaller_one_lies_in_a_larger(
    settings: Settings, make_sample: Make, tmp_path: Path
) -> None:
    sample = make_sample(random_codes(400))
    split = train_run(settings(None), tmp_path / "r").split

    def drawn(**changes: Any) -> set[int]:
        config = settings(sample, **changes)
        with open_examples(config) as data:
            added = gather(data, config, split).added
        assert added is not None
        assert len(set(added.rows.tolist())) == len(added.rows)
        return set(added.rows.tolist())

    assert drawn() == drawn()
    assert drawn() != drawn(seed=1)
    assert drawn(augment={"ratio": 0.5}) < drawn()


def test_a_part_of_the_training_examples_is_balanced_by_itself(
    settings: Settings, make_sample: Make, tmp_path: Path
) -> None:
    config = settings(make_sample(random_codes(200)), fit={"fraction": 0.5})
    told = train_run(config, tmp_path / "r").metrics["augment"]
    assert told["n_positive"] + told["n_negative"] == 120
    assert told["n"] == told["n_negative"] - told["n_positive"]


def test_the_ledger_takes_in_what_the_generator_learned_from(
    settings: Settings, make_sample: Make, tmp_path: Path
) -> None:
    codes = random_codes(N_NEEDED)
    learned = {"gene": frozenset({"far1", "far2"}), "sequence": frozenset({"ab" * 8})}
    sample = make_sample(codes, learned=learned)
    run = train_run(settings(sample), tmp_path / "r")
    ledger = run.ledger.learned
    assert ledger["generator"]["gene"] == learned["gene"]
    assert ledger["generator"]["sequence"] == learned["sequence"]
    with Dataset.open(sample) as data:
        hashes = set(sequence_keys(data, np.arange(len(data))))
        assert hashes <= ledger["weights"]["sequence"]
        # So the sample itself is nothing to judge the run on.
        with pytest.raises(LeakError):
            run.ledger.check(keys_of(data, np.arange(5)), ("sequence",))
    assert "g2" in ledger["weights"]["gene"]


def test_a_generated_copy_of_a_held_out_sequence_is_left_out(
    rare_codes: Codes, settings: Settings, make_sample: Make, tmp_path: Path
) -> None:
    codes = random_codes(N_NEEDED + 3)
    codes[:2] = rare_codes[[0, 5]]  # on chr1, which judges
    codes[2] = 3 - rare_codes[1][::-1]  # chr2, which tunes, from the other strand
    run = train_run(settings(make_sample(codes)), tmp_path / "r")
    assert run.metrics["augment"]["n_equal_to_held_out"] == 3
    assert run.metrics["augment"]["n_usable"] == N_NEEDED


def test_only_those_asked_for_as_positives_are_used(
    settings: Settings, make_sample: Make, tmp_path: Path
) -> None:
    codes = random_codes(300)
    asked = np.arange(300) % 2
    run = train_run(settings(make_sample(codes, asked)), tmp_path / "r")
    alone = make_sample(codes[asked == 1], name="alone.h5")
    assert run.metrics["augment"]["n_asked_otherwise"] == 150
    assert equal(run, train_run(settings(alone), tmp_path / "alone"))


def test_of_a_cut_target_those_asked_for_above_the_cut_are_high(
    settings: Settings, make_sample: Make, tmp_path: Path
) -> None:
    codes = random_codes(320)
    asked = np.where(np.arange(320) % 2, 2.0, 0.5)
    sample = make_sample(codes, asked, target="y", kind="regression")
    run = train_run(settings(sample, target="y", above=1.0), tmp_path / "r")
    assert run.metrics["augment"]["n_asked_otherwise"] == 160
    assert run.metrics["augment"]["n"] == N_NEEDED


def test_folds_hold_no_generated_rows(
    settings: Settings, make_sample: Make, tmp_path: Path
) -> None:
    config = settings(make_sample(random_codes(N_NEEDED)), **NETWORK, ensemble=2, members="folds")
    split = train_run(settings(None), tmp_path / "r").split
    with open_examples(config) as data:
        material = gather(data, config, split)
        assert sorted(np.concatenate(material.folds)) == split.rows("train").tolist()
        for member in range(2):
            train, val = _examples(material, member)
            assert (train.rows >= len(data)).sum() == N_NEEDED
            assert not (val.rows >= len(data)).any()
            assert not set(train.rows.tolist()) & set(val.rows.tolist())


@pytest.mark.slow
def test_it_resumes_to_the_same_end_and_replays(
    settings: Settings, make_sample: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(make_sample(random_codes(200)), **NETWORK)
    unbroken = train_run(config, tmp_path / "unbroken")
    replayed = train_run(TrainConfig.load(unbroken.config_path), tmp_path / "replayed")
    assert equal(unbroken, replayed)
    assert train_run(config, unbroken.path, resume=True).metrics == unbroken.metrics
    whole = loop.save_state

    def save_then_stop(*arguments: Any) -> None:
        whole(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "save_state", save_then_stop)
    with pytest.raises(KeyboardInterrupt):
        train_run(config, tmp_path / "resumed")
    monkeypatch.setattr(loop, "save_state", whole)
    assert equal(train_run(config, tmp_path / "resumed", resume=True), unbroken)


def test_another_sample_under_the_same_name_is_noticed(
    settings: Settings, make_sample: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(make_sample(random_codes(200)), **NETWORK)
    whole = loop.save_state

    def save_then_stop(*arguments: Any) -> None:
        whole(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "save_state", save_then_stop)
    with pytest.raises(KeyboardInterrupt):
        train_run(config, tmp_path / "r")
    monkeypatch.setattr(loop, "save_state", whole)
    Path(str(config.augment.sample)).unlink()
    make_sample(random_codes(200, seed=2))
    with pytest.raises(MismatchError, match=r"augment.sha256 = "):
        train_run(config, tmp_path / "r", resume=True)


def test_a_finished_run_needs_the_sample_no_more(
    rare: Path, settings: Settings, make_sample: Make, tmp_path: Path
) -> None:
    sample = make_sample(random_codes(200))
    config = settings(sample)
    run = train_run(config, tmp_path / "r")
    kept = TrainConfig.load(run.config_path)
    sample.unlink()
    exprimo.predict(run.path, rare, tmp_path / "P.parquet")
    found = exprimo.evaluate(run.path)
    assert found.metrics["auroc"]["value"] == pytest.approx(
        run.metrics["parts"]["test"]["auroc"]["value"]
    )
    make_sample(random_codes(200, seed=2))
    with pytest.raises(MismatchError, match="not the sample that this run was started with"):
        train_run(kept, tmp_path / "again")
