"""What was generated carries on what its generator learned from, and cannot be exchanged unseen."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

import exprimo
from exprimo.core.dataset import Dataset
from exprimo.core.dataset.generated import contents_digest, read_stamp, stamp_verdict
from exprimo.core.errors import ExprimoError, FormatError
from exprimo.core.ledger import keys_of

SMALL = {"fit": {"steps": 10}, "machine": {"threads": 1}}
TINY = {"channels": 8, "blocks": 1}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inherited")
    rng = np.random.default_rng(0)
    letters = np.array(list("ACGT"))
    rows = ["".join(letters[rng.integers(0, 4, 40)]) + f"\t{rng.normal():.3f}" for _ in range(400)]
    (folder / "tiles.tsv").write_text("seq\ty\n" + "\n".join(rows) + "\n", encoding="utf-8")
    exprimo.dataset_table(folder / "tiles.tsv", out=folder / "D.h5", sequence="seq", target="y")
    exprimo.generate_fit(
        folder / "D.h5", folder / "GEN", condition="y", split="random", options=TINY, **SMALL
    )
    exprimo.generate_sample(folder / "GEN", folder / "S.h5", n=300, threads=1)
    return folder


def test_a_generator_of_generated_sequences_knows_the_first_ones_examples(fitted: Path) -> None:
    second = exprimo.generate_fit(
        fitted / "S.h5", fitted / "GEN2", condition="y", split="random", options=TINY, **SMALL
    )
    first = exprimo.generate_fit(
        fitted / "D.h5", fitted / "GEN", resume=True, condition="y", split="random",
        options=TINY, **SMALL,
    )  # fmt: skip
    with Dataset.open(fitted / "D.h5") as data:
        real = keys_of(data, first.split.rows("train"))["sequence"]
    learned = second.ledger.learned["generator"]["sequence"]
    assert first.ledger.learned["generator"]["sequence"] <= learned
    assert len(learned & real) > 200


def test_a_run_on_generated_sequences_knows_them_too(fitted: Path) -> None:
    run = exprimo.train(
        fitted / "S.h5", fitted / "RUN", model="kmer_linear", split="random",
        machine={"threads": 1},
    )  # fmt: skip
    stamp = read_stamp(fitted / "S.h5")
    assert stamp is not None
    assert run.ledger.learned["generator"] == stamp.ledger.learned["generator"]


def test_a_stamp_without_its_ledger_is_damaged(fitted: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.h5"
    shutil.copy(fitted / "S.h5", bare)
    with h5py.File(bare, "r+") as file:
        del file["generated/ledger"]
    with pytest.raises(FormatError, match="damaged"):
        read_stamp(bare)


def test_a_verdict_is_about_the_sequences_that_were_judged(fitted: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.h5"
    shutil.copy(fitted / "S.h5", other)
    stamp_verdict(other, "passed", {})
    stamp = read_stamp(other)
    assert stamp is not None
    assert stamp.judged == contents_digest(other)
    with h5py.File(other, "r+") as file:
        file["inputs/sequence/values"][0] = 3 - file["inputs/sequence/values"][0]
    assert stamp.judged != contents_digest(other)


@pytest.mark.parametrize("name", ["model.safetensors", "ledger.parquet"])
def test_a_generator_with_an_exchanged_file_draws_nothing(
    fitted: Path, tmp_path: Path, name: str
) -> None:
    mixed = tmp_path / "MIXED"
    shutil.copytree(fitted / "GEN", mixed)
    other = exprimo.generate_fit(
        fitted / "D.h5", tmp_path / "OTHER", condition="y", split="random", seed=1,
        options=TINY, **SMALL,
    )  # fmt: skip
    if name == "ledger.parquet":
        (mixed / name).unlink()
    else:
        shutil.copy(other.path / name, mixed / name)
    with pytest.raises(ExprimoError, match=name.replace(".", r"\.")):
        exprimo.generate_sample(mixed, tmp_path / "S.h5", n=3, threads=1)
    assert not (tmp_path / "S.h5").exists()
