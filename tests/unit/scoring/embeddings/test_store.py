"""The embedding store: what is computed, kept, added, resumed, refused."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from exprimo.core.dataset import write_dataset
from exprimo.core.errors import (
    ConfigError,
    FormatError,
    InputError,
    MismatchError,
    StorageError,
    VersionError,
)
from exprimo.core.progress import show_progress
from exprimo.models.pretrained.random_embedding import RandomEmbedding
from exprimo.scoring.embeddings import EmbeddingCost, EmbeddingStore, embed, sequence_keys
from exprimo.scoring.embeddings import embed as embed_function
from exprimo.scoring.embeddings.cost import measure_cost
from exprimo.scoring.embeddings.pooling import pool, positions_per_bin

MODEL = "random-embedding:6"
MODULE = sys.modules[embed_function.__module__]
Codes = npt.NDArray[np.uint8]


def draw(n: int, length: int = 300, seed: int = 0) -> Codes:
    return np.random.default_rng(seed).integers(0, 4, (n, length), dtype=np.uint8)


def write(path: Path, codes: Codes) -> Path:
    with write_dataset(path, {}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{i}" for i in range(len(codes))]}))
        out.input("sequence", [codes])
    return path


def expected(codes: Codes, bin_bases: int = 128) -> npt.NDArray[Any]:
    hidden = RandomEmbedding(6).embed({"sequence": codes})
    edges = range(0, hidden.shape[1], bin_bases)
    return np.stack([hidden[:, a : a + bin_bases].mean(axis=1) for a in edges], axis=1)


def rows(store: Path, codes: Codes) -> npt.NDArray[Any]:
    with EmbeddingStore.open(store) as opened:
        return opened.rows(sequence_keys(codes))


def snapshot(store: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(store.iterdir())}


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sequences a shard."""
    monkeypatch.setattr(MODULE, "_SHARD_BYTES", 2 * 3 * 6 * 2)


def test_each_distinct_sequence_is_embedded_once_and_found_by_its_key(tmp_path: Path) -> None:
    codes = draw(7)
    codes[5] = codes[2]
    done = embed(MODEL, write(tmp_path / "D.h5", codes), tmp_path / "S")
    assert (done.n_new, done.n_known, done.shape) == (6, 0, (3, 6))
    assert done.cost.bytes == 6 * 3 * 6 * 2
    order = np.array([4, 5, 0, 2, 0])
    found = rows(tmp_path / "S", codes[order])
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, expected(codes[order]), atol=2e-4)
    np.testing.assert_array_equal(found[1], found[3])
    assert rows(tmp_path / "S", codes[:0]).shape == (0, 3, 6)


def test_bins_and_numbers_are_stored_as_asked(tmp_path: Path) -> None:
    data, codes = write(tmp_path / "D.h5", draw(3)), draw(3)
    embed(MODEL, data, tmp_path / "one", bin=1, dtype="float32")
    np.testing.assert_array_equal(
        rows(tmp_path / "one", codes), RandomEmbedding(6).embed({"sequence": codes})
    )
    embed(MODEL, data, tmp_path / "whole", bin=1000, dtype="float32")
    np.testing.assert_allclose(rows(tmp_path / "whole", codes), expected(codes, 1000), atol=1e-6)
    with pytest.raises(ConfigError, match="no such type of numbers"):
        embed(MODEL, data, tmp_path / "x", dtype="int8")  # type: ignore[arg-type]  # refused


def test_the_last_bin_may_be_shorter_and_strides_are_heeded() -> None:
    hidden = np.arange(10, dtype=np.float32).reshape(1, 5, 2)
    np.testing.assert_array_equal(pool(hidden, 2), [[[1, 2], [5, 6], [8, 9]]])
    assert positions_per_bin(128, 32) == 4
    for wrong in (16, 100):
        with pytest.raises(ConfigError, match="a multiple of 32"):
            positions_per_bin(wrong, 32)


def test_a_second_dataset_adds_its_new_sequences_alone(tmp_path: Path, small_shards: None) -> None:
    first, second = draw(5), np.concatenate([draw(5)[3:], draw(4, seed=9)])
    embed(MODEL, write(tmp_path / "A.h5", first), tmp_path / "S")
    before = snapshot(tmp_path / "S")
    done = embed(MODEL, write(tmp_path / "B.h5", second), tmp_path / "S")
    assert (done.n_new, done.n_known) == (4, 2)
    after = snapshot(tmp_path / "S")
    changed = {name for name in before if after[name] != before[name]}
    assert changed == {"manifest.json"}
    np.testing.assert_allclose(
        rows(tmp_path / "S", np.concatenate([first, second])),
        expected(np.concatenate([first, second])),
        atol=2e-4,
    )
    again = embed(MODEL, tmp_path / "B.h5", tmp_path / "S")
    assert (again.n_new, again.n_known, again.cost.seconds) == (0, 6, 0.0)
    assert snapshot(tmp_path / "S") == after


def test_strands_are_told_apart() -> None:
    codes = draw(1)
    assert sequence_keys(codes)[0] != sequence_keys(3 - codes[:, ::-1])[0]


KILLED = """
import os, signal, sys
import numpy as np
from exprimo.scoring.embeddings import embed
import exprimo.core.progress
module = sys.modules["exprimo.scoring.embeddings.embed"]
module._SHARD_BYTES = 2 * 3 * 6 * 2
from exprimo.models.pretrained.random_embedding import RandomEmbedding
whole, calls = RandomEmbedding.embed, []
def counted(self, batch):
    calls.append(1)
    if len(calls) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(self, batch)
RandomEmbedding.embed = counted
embed("random-embedding:6", sys.argv[1], sys.argv[2], device="cpu", threads=1)
"""


@pytest.mark.slow
def test_a_killed_call_goes_on_with_the_shards_that_the_manifest_names(
    tmp_path: Path, small_shards: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = draw(9)
    data = write(tmp_path / "D.h5", codes)
    # One call learns the shape, two measure, then one a shard: the third shard dies.
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(data), str(tmp_path / "S"), "6"], check=False
    )
    assert done.returncode == -signal.SIGKILL
    with EmbeddingStore.open(tmp_path / "S") as store:
        assert len(store) == 4
    embedded: list[int] = []
    whole = RandomEmbedding.embed

    def counted(self: RandomEmbedding, batch: Any) -> Any:
        embedded.append(len(batch["sequence"]))
        return whole(self, batch)

    monkeypatch.setattr(RandomEmbedding, "embed", counted)
    resumed = embed(MODEL, data, tmp_path / "S")
    assert (resumed.n_new, resumed.n_known) == (5, 4)
    assert embedded == [1, 3, 2, 2, 1]  # warm-up, measurement, three shards
    monkeypatch.undo()
    monkeypatch.setattr(MODULE, "_SHARD_BYTES", 2 * 3 * 6 * 2)
    embed(MODEL, data, tmp_path / "unbroken")
    assert snapshot(tmp_path / "S") == snapshot(tmp_path / "unbroken")


def test_a_shard_that_the_manifest_does_not_name_does_not_count(
    tmp_path: Path, small_shards: None
) -> None:
    codes = draw(6)
    data = write(tmp_path / "D.h5", codes)
    embed(MODEL, data, tmp_path / "S")
    manifest = tmp_path / "S" / "manifest.json"
    facts = json.loads(manifest.read_text())
    facts["shards"] = facts["shards"][:1]
    manifest.write_text(json.dumps(facts))
    (tmp_path / "S" / "shard-00001.npy").write_bytes(b"rubbish")
    with pytest.raises(InputError, match="4 of 6 sequences are missing"):
        rows(tmp_path / "S", codes)
    assert embed(MODEL, data, tmp_path / "S").n_new == 4
    np.testing.assert_allclose(rows(tmp_path / "S", codes), expected(codes), atol=2e-4)
    with EmbeddingStore.open(tmp_path / "S") as store:
        store.verify()


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"model": "random-embedding:5"}, r"backbone: .*Found: random-embedding:6\."),
        ({"bin": 64}, r"bin: .*Found: 128\. Expected: 64"),
        ({"dtype": "float32"}, r"dtype: .*Found: float16\. Expected: float32"),
        ({"length": 200}, r"bases: .*Found: 300\. Expected: 200"),
    ],
)
def test_embeddings_of_another_kind_do_not_mix(
    tmp_path: Path, other: dict[str, Any], told: str
) -> None:
    embed(MODEL, write(tmp_path / "D.h5", draw(2)), tmp_path / "S")
    data = write(tmp_path / "E.h5", draw(2, other.pop("length", 300)))
    with pytest.raises(MismatchError, match=told):
        embed(other.pop("model", MODEL), data, tmp_path / "S", **other)


def test_damage_is_found(tmp_path: Path) -> None:
    codes = draw(3)
    data = write(tmp_path / "D.h5", codes)
    embed(MODEL, data, tmp_path / "S")
    shard, manifest = tmp_path / "S" / "shard-00000.npy", tmp_path / "S" / "manifest.json"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with (
        EmbeddingStore.open(tmp_path / "S") as store,
        pytest.raises(FormatError, match="its checksum is another"),
    ):
        store.verify()
    shard.write_bytes(whole[:-4])
    with pytest.raises(FormatError, match=r"shard-00000.npy.*missing or damaged"):
        EmbeddingStore.open(tmp_path / "S")
    shard.unlink()
    with pytest.raises(FormatError, match="missing or damaged"):
        EmbeddingStore.open(tmp_path / "S")
    facts = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(facts | {"format_version": 99}))
    with pytest.raises(VersionError, match="written by a newer Exprimo"):
        EmbeddingStore.open(tmp_path / "S")
    manifest.write_text(json.dumps(facts | {"shards": [{"file": "../x.npy"}]}))
    with pytest.raises(FormatError, match=r"shards\.0\.file"):
        EmbeddingStore.open(tmp_path / "S")
    manifest.write_text("{")
    with pytest.raises(FormatError, match="not valid JSON"):
        EmbeddingStore.open(tmp_path / "S")


def test_other_folders_are_left_alone(tmp_path: Path) -> None:
    data = write(tmp_path / "D.h5", draw(2))
    with pytest.raises(InputError, match="no store of embeddings"):
        EmbeddingStore.open(tmp_path)
    with pytest.raises(InputError, match="another folder stands where the store"):
        embed(MODEL, data, tmp_path)
    with pytest.raises(InputError, match="another folder stands where the store"):
        embed(MODEL, data, data)
    assert {path.name for path in tmp_path.iterdir()} == {"D.h5"}


def test_what_the_disk_cannot_hold_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**6, 10**6 - 100, 100))
    data = write(tmp_path / "D.h5", draw(20))
    with pytest.raises(StorageError, match=r"would not fit on the disk.*0 kB free.*Expected: 1 kB"):
        embed(MODEL, data, tmp_path / "new" / "S")
    assert not (tmp_path / "new" / "S").exists()


def test_time_and_size_are_said_before_the_work(tmp_path: Path) -> None:
    said: list[tuple[str, int | None]] = []

    class Sink:
        def start(self, description: str, total: int | None) -> object:
            said.append((description, total))
            return None

        def advance(self, task: object, steps: int, note: str) -> None: ...

        def finish(self, task: object) -> None: ...

    with show_progress(Sink()):
        embed(MODEL, write(tmp_path / "D.h5", draw(5)), tmp_path / "S")
    assert said == [("Embedding 5 sequences, about 0 s and 0 kB", 5)]
    assert str(EmbeddingCost(16_215, 15_120.0, 1_303_000_000)) == (
        "16,215 sequences, about 4.2 h and 1.3 GB"
    )
    ticks = iter([10.0, 16.0])
    cost = measure_cost(RandomEmbedding(6), draw(3), 100, 80, clock=lambda: next(ticks))
    assert cost == (100, 200.0, 8_000)


def test_numbers_that_half_precision_cannot_hold_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write(tmp_path / "D.h5", draw(2))
    for value, told in ((1e5, "a number of 100000"), (np.nan, "a number of nan")):
        monkeypatch.setattr(
            RandomEmbedding,
            "embed",
            lambda self, batch, value=value: np.full((*batch["sequence"].shape, 6), value),
        )
        with pytest.raises(InputError, match=told):
            embed(MODEL, data, tmp_path / "S")


def _mapped_kib() -> int:
    """Read how much of the files that this process has mapped is in memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssFile"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc on this machine")
def test_reading_a_store_does_not_map_it_into_memory(tmp_path: Path) -> None:
    codes = draw(60, length=20_000)
    embed("random-embedding:64", write(tmp_path / "D.h5", codes), tmp_path / "S", bin=20)
    size = sum(path.stat().st_size for path in (tmp_path / "S").glob("*.npy"))
    assert size > 7 * 2**20
    keys = sequence_keys(codes)
    with EmbeddingStore.open(tmp_path / "S") as store:
        before = _mapped_kib()
        for key in range(len(keys)):
            store.rows(keys[key : key + 1])
        assert (_mapped_kib() - before) * 1024 < size / 4


def test_the_files_stay_closed_after_an_error(tmp_path: Path) -> None:
    embed(MODEL, write(tmp_path / "D.h5", draw(3)), tmp_path / "S")
    (tmp_path / "S" / "shard-00000.keys.npy").write_bytes(b"")
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    for _ in range(3):
        with pytest.raises(FormatError, match=r"keys\.npy"):
            EmbeddingStore.open(tmp_path / "S")
    after = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    assert after == before
