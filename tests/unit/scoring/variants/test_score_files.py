"""Scores as parquet, text and VCF; stopping and going on."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pysam
import pytest

from exprimo.core.errors import MismatchError
from exprimo.core.files.origin import read_origin
from exprimo.scoring.variants import variants


@pytest.fixture
def common(world: Any, linear: Any, tmp_path: Path) -> dict[str, Any]:
    b = world.bases
    lines = ["##fileformat=VCFv4.2", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
    # Out of order, one position twice.
    for at, name in ((310, "far"), (90, "rs1"), (100, ".")):
        alts = [x for x in "ACGT" if x != b[at]][:2]
        lines.append(f"chr1\t{at + 1}\t{name}\t{b[at]}\t{','.join(alts)}\t.\t.\t.")
    file = tmp_path / "V.vcf"
    file.write_text("\n".join(lines) + "\n")
    return {"variants": file, "fasta": world.fasta, "genes": world.genes}


def test_text_holds_what_parquet_holds(common: dict[str, Any], tmp_path: Path) -> None:
    for suffix in ("parquet", "tsv", "tsv.gz"):
        variants("linear", tmp_path / f"S.{suffix}", **common)
    expected = pd.read_parquet(tmp_path / "S.parquet")
    for suffix in ("tsv", "tsv.gz"):
        found = pd.read_csv(tmp_path / f"S.{suffix}", sep="\t")
        pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-5)
    with gzip.open(tmp_path / "S.tsv.gz", "rt") as handle:
        assert handle.readline().startswith("variant_id\tchrom\tpos\tref\talt\tgene_id\ttrack")
    origins = [read_origin(tmp_path / f"S.{suffix}") for suffix in ("parquet", "tsv", "tsv.gz")]
    assert {origin["identity"]["model_digest"] for origin in origins} == {
        origins[0]["identity"]["model_digest"]
    }
    assert origins[0]["sources"][0]["sha256"]


def test_a_vcf_is_sorted_and_indexed(common: dict[str, Any], linear: Any, tmp_path: Path) -> None:
    linear.tracks = ("CAGE: liver, adult", "b|c", "c")
    out = tmp_path / "S.vcf.gz"
    variants("linear", out, **common)
    variants("linear", tmp_path / "S.parquet", **common)
    expected = pd.read_parquet(tmp_path / "S.parquet")
    with pysam.VariantFile(str(out)) as handle:
        header = str(handle.header)
        assert linear.digest in header
        assert "gene_id|track|ref_pred|alt_pred|raw_score" in header
        records = list(handle.fetch("chr1", 95, 400))
        assert [r.pos for r in records] == [101, 101, 311, 311]
        assert [r.pos for r in handle.fetch("chr1")] == [91, 91, 101, 101, 311, 311]
        first = next(iter(handle.fetch("chr1")))
    assert first.id == "rs1"
    entries = [entry.split("|") for entry in first.info["EXPRIMO"]]
    assert [entry[1] for entry in entries] == ["CAGE:%20liver%2C%20adult", "b%7Cc", "c"]
    rows = expected[(expected["pos"] == 91) & (expected["alt"] == first.alts[0])]
    np.testing.assert_allclose([float(entry[4]) for entry in entries], rows["raw_score"], rtol=1e-4)
    largest = rows["raw_score"].abs().max()
    assert abs(first.info["EXPRIMO_MAX"]) == pytest.approx(largest, rel=1e-4)
    assert not list(tmp_path.glob(".S*"))


def test_a_stop_loses_one_shard(
    common: dict[str, Any], linear: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "S.parquet"
    expected = tmp_path / "E.parquet"
    variants("linear", expected, shard_size=1, **common)
    n_read = len(linear.read)
    linear.read.clear()
    predict = linear.predict

    def stopped(codes: Any) -> Any:
        if len(linear.read) >= 4:
            raise KeyboardInterrupt
        return predict(codes)

    monkeypatch.setattr(linear, "predict", stopped)
    with pytest.raises(KeyboardInterrupt):
        variants("linear", out, shard_size=1, **common)
    assert not out.exists()
    monkeypatch.setattr(linear, "predict", predict)
    with pytest.raises(MismatchError, match="other settings"):
        variants("linear", out, shard_size=1, score="absolute", **common)
    linear.read.clear()
    done = variants("linear", out, shard_size=1, **common)
    assert (done.n_known_shards, done.n_shards) == (3, 6)
    assert len(linear.read) < n_read
    pd.testing.assert_frame_equal(pd.read_parquet(out), pd.read_parquet(expected))
    assert not list(tmp_path.glob(".S*"))
