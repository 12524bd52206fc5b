"""Quantiles against a background: what they are, and which background is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from exprimo.core.errors import ConfigError, FormatError, InputError, MismatchError
from exprimo.scoring.variants import Background, variants


def _scores(values: Any, first_pos: int = 0, track: str = "t") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "chrom": "chr1",
            "pos": first_pos + np.arange(len(values)),
            "ref": "A",
            "alt": "G",
            "gene_id": "g",
            "track": track,
            "raw_score": np.asarray(values, dtype=np.float32),
        }
    )


def test_quantiles_worked_out_by_hand() -> None:
    background = Background(_scores([*range(10), *range(-10, 0)]))  # sizes 0, 1, 1 .. 9, 9, 10
    found = background.quantiles(_scores([0, 0.5, -0.5, 9, -100, np.nan], 1000), signed=True)
    np.testing.assert_allclose(found, [0, 1 / 20, -1 / 20, 18 / 20, -1, np.nan])
    found = background.quantiles(_scores([0.5, 9], 1000), signed=False)
    np.testing.assert_allclose(found, [1 / 20, 18 / 20])


def test_a_variant_of_the_background_is_compared_with_the_others_only() -> None:
    values = np.arange(1.0, 22)
    background = Background(_scores(values))
    found = background.quantiles(_scores(values), signed=True)
    np.testing.assert_allclose(found, np.arange(21) / 20)


def test_each_track_has_its_own_background() -> None:
    table = pd.concat([_scores(np.arange(20)), _scores(10 * np.arange(20), track="u")])
    rows = pd.concat([_scores([9.5], 1000), _scores([9.5], 1000, "u")], ignore_index=True)
    found = Background(table).quantiles(rows, signed=True)
    np.testing.assert_allclose(found, [0.5, 0.05])


def test_quantiles_of_a_null_are_uniform() -> None:
    rng = np.random.default_rng(1)
    scores = rng.standard_t(3, 4000)
    background = Background(_scores(scores[:2000]))
    fresh = background.quantiles(_scores(scores[2000:], 10_000), signed=True)
    assert kstest((fresh + 1) / 2, "uniform").pvalue > 0.01
    # Also of the background's own variants, since none of them is compared with itself.
    own = background.quantiles(_scores(scores[:2000]), signed=True)
    assert kstest((own + 1) / 2, "uniform").pvalue > 0.01


def test_too_few_variants_are_refused() -> None:
    with pytest.raises(InputError, match="too few"):
        Background(_scores(np.arange(19)))


@pytest.fixture
def common(world: Any, linear: Any, tmp_path: Path) -> dict[str, Any]:
    rows = ["chrom\tpos\tref\talt"]
    for at in range(80, 112):
        base = world.bases[at]
        rows.append(f"chr1\t{at + 1}\t{base}\t{'ACGT'[('ACGT'.index(base) + 2) % 4]}")
    file = tmp_path / "common.tsv"
    file.write_text("\n".join(rows) + "\n")
    return {"variants": file, "fasta": world.fasta, "genes": world.genes}


def test_a_background_adds_a_column(common: dict[str, Any], tmp_path: Path) -> None:
    variants("linear", tmp_path / "B.parquet", **common)
    assert "quantile" not in pd.read_parquet(tmp_path / "B.parquet")
    out = tmp_path / "S.parquet"
    done = variants("linear", out, background=tmp_path / "B.parquet", **common)
    assert done.background == tmp_path / "B.parquet"
    table = pd.read_parquet(out)
    assert table.columns.get_loc("quantile") == table.columns.get_loc("raw_score") + 1
    sign = np.sign(table["raw_score"])
    assert (np.sign(table["quantile"]) * sign >= 0).all()
    track = table[table["track"] == "a"]
    rank = track["raw_score"].abs().rank() - 1
    np.testing.assert_allclose(track["quantile"].abs(), rank / (len(track) - 1), rtol=1e-5)
    out = tmp_path / "R.parquet"
    with pytest.raises(MismatchError, match="score"):
        variants("linear", out, score="absolute", background=tmp_path / "B.parquet", **common)
    with pytest.raises(MismatchError, match="center"):
        variants("linear", out, center="variant", background=tmp_path / "B.parquet", **common)


def test_the_background_of_another_model_is_refused(
    common: dict[str, Any], linear: Any, tmp_path: Path
) -> None:
    variants("linear", tmp_path / "B.parquet", **common)
    linear.digest = "f" * 64
    with pytest.raises(MismatchError, match="model digest"):
        variants("linear", tmp_path / "S.parquet", background=tmp_path / "B.parquet", **common)
    other = tmp_path / "other.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(other)
    with pytest.raises(FormatError):
        variants("linear", tmp_path / "S.parquet", background=other, **common)
    with pytest.raises(InputError, match="no such file"):
        variants("linear", tmp_path / "S.parquet", background=tmp_path / "no.parquet", **common)


def test_a_run_keeps_its_background(common: dict[str, Any], linear: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="only a Run"):
        variants("linear", tmp_path / "B.parquet", as_background=True, **common)
    run = tmp_path / "RUN"
    run.mkdir()
    out = tmp_path / "B.parquet"
    variants(run, out, as_background=True, **common)
    assert (run / "background.parquet").read_bytes() == out.read_bytes()
    done = variants(run, tmp_path / "S.parquet", **common)
    assert done.background == run / "background.parquet"
    assert "quantile" in pd.read_parquet(tmp_path / "S.parquet")
    # Another score does not fit what is stored: no column, and it is said.
    done = variants(run, tmp_path / "M.parquet", score="matrix", **common)
    assert done.background is None
    assert done.notes == ("no quantiles: the background of this Run is of another score",)
    assert "quantile" not in pd.read_parquet(tmp_path / "M.parquet")
