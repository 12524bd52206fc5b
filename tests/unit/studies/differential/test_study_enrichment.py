"""Motifs of changed promoters: a planted one comes first, chance stays chance, controls match."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from exprimo.core.dataset import write_dataset
from exprimo.core.errors import InputError
from exprimo.core.sequence import encode
from exprimo.studies.differential.config import MotifComparison
from exprimo.studies.differential.enrichment import enrich

LENGTH = 120
PLANTED = "TGACTCAT"

Plant = Callable[[npt.NDArray[np.uint8], npt.NDArray[np.bool_], npt.NDArray[np.float64]], None]


class Made(NamedTuple):
    """Where the files of some promoters lie."""

    dataset: Path
    targets: Path
    motifs: Path

    def enriched(self, out: Path, **settings: object) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Give the table and the balance."""
        config = MotifComparison.checked({"pvalue": 1e-3, **settings})
        enrich(self.dataset, self.targets, self.motifs, config, out)
        assert {path.name for path in out.iterdir()} == {"table.tsv", "balance.tsv"}
        return (pd.read_csv(out / name, sep="\t") for name in ("table.tsv", "balance.tsv"))  # type: ignore[return-value]  # a generator of two


def write_motifs(path: Path, consensus: dict[str, str]) -> Path:
    """Write motifs that have 0.94 of each base of their consensus."""
    text = ["MEME version 4\n"]
    for name, word in consensus.items():
        text.append(f"\nMOTIF {name}\nletter-probability matrix: w= {len(word)}\n")
        for base in word:
            text.append(" ".join("0.94" if base == b else "0.02" for b in "ACGT") + "\n")
    path.write_text("".join(text))
    return path


def make(
    folder: Path,
    consensus: dict[str, str],
    *,
    n: int = 600,
    share: float = 0.3,
    down: float = 0.5,
    seed: int = 0,
    gc_of_changed: float = 0.45,
    level_of_changed: float = 2.0,
    plant: Plant | None = None,
) -> Made:
    """Write promoters of changed genes, of that GC and level, and of others of 0.45 and 2."""
    rng = np.random.default_rng(seed)
    changed = rng.random(n) < share
    gc = np.where(changed, gc_of_changed, 0.45) + rng.normal(0, 0.05, n)
    is_gc = rng.random((n, LENGTH)) < gc[:, None]
    second = rng.integers(0, 2, (n, LENGTH))
    # A, C, G, T = 0..3: C or G where the base is GC.
    codes = np.where(is_gc, 1 + second, 3 * second).astype(np.uint8)
    level = np.where(changed, level_of_changed, 2.0) + rng.normal(0, 0.5, n)
    if plant is not None:
        plant(codes, changed, level)
    ids = [f"g{k}" for k in range(n)]
    with write_dataset(folder / "D.h5", {}) as out:
        out.examples(pd.DataFrame({"example_id": ids, "gene_id": ids}))
        out.input("sequence", [codes])
        out.input("mean_expression", [level[:, None].astype(np.float32)])
        out.target("changed", changed, kind="classification")
    direction = np.where(changed, rng.random(n) >= down, np.nan)
    pd.DataFrame({"gene_id": ids, "direction": direction}).to_csv(
        folder / "targets.tsv", sep="\t", index=False
    )
    motifs = write_motifs(folder / "motifs.meme", consensus)
    return Made(folder / "D.h5", folder / "targets.tsv", motifs)


def _random_motifs(n: int, seed: int = 1) -> dict[str, str]:
    rng = np.random.default_rng(seed)
    return {f"M{k}": "".join(rng.choice(list("ACGT"), 8)) for k in range(n)}


def _plant_in(share_changed: float, share_other: float) -> Plant:
    def plant(codes: npt.NDArray[np.uint8], changed: npt.NDArray[np.bool_], _: object) -> None:
        rng = np.random.default_rng(9)
        lucky = rng.random(len(codes)) < np.where(changed, share_changed, share_other)
        for row in np.flatnonzero(lucky):
            at = rng.integers(0, LENGTH - len(PLANTED))
            codes[row, at : at + len(PLANTED)] = encode(PLANTED)

    return plant


def _rows(table: pd.DataFrame, chosen: str, test: str) -> pd.DataFrame:
    rows = table[(table["set"] == chosen) & (table["test"] == test)]
    assert len(rows), (chosen, test)
    return rows.set_index("motif")


def test_a_planted_motif_comes_first_with_its_odds(tmp_path: Path) -> None:
    motifs = {"PLANTED": PLANTED, **_random_motifs(30)}
    made = make(tmp_path, motifs, plant=_plant_in(0.6, 0.2))
    # So strict that only the planted word itself counts: 113 places, two strands, 1 in 65,536.
    table, _ = made.enriched(tmp_path / "E", pvalue=1e-4)
    for test in ("presence", "counts"):
        rows = _rows(table, "changed", test)
        assert len(rows) == 31
        assert rows.loc["PLANTED", "rank"] == 1
        assert rows.loc["PLANTED", "padj"] < 1e-6
        assert (rows["padj"].drop("PLANTED") > 0.05).all()
    rows = _rows(table, "changed", "presence")
    assert rows.loc["PLANTED", "share_changed"] == pytest.approx(0.6, abs=0.08)
    assert rows.loc["PLANTED", "share_matched"] == pytest.approx(0.2, abs=0.08)
    assert rows.loc["PLANTED", "low"] < (0.6 / 0.4) / (0.2 / 0.8) < rows.loc["PLANTED", "high"]


def test_chance_is_not_taken_for_a_motif(tmp_path: Path) -> None:
    pvalues = []
    for seed in range(4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        made = make(folder, _random_motifs(50, seed), n=500, seed=seed)
        table, _ = made.enriched(folder / "E")
        pvalues.append(_rows(table, "changed", "counts")["pvalue"].to_numpy())
    found = np.concatenate(pvalues)
    # 200 tests: 10 below 0.05 expected; five standard deviations are 15 more.
    assert (found < 0.05).sum() <= 20
    assert 0.4 < found.mean() < 0.65
    quarters = np.histogram(found, np.linspace(0, 1, 5))[0]
    assert quarters.min() > 25


def test_controls_have_the_gc_and_the_expression_of_the_changed(tmp_path: Path) -> None:
    motifs = {"GC": "GCGCGGCC", "AT": "ATTATAAT"}
    made = make(tmp_path, motifs, n=2400, share=0.15, gc_of_changed=0.52, level_of_changed=2.4)
    table, balance = made.enriched(tmp_path / "E")
    assert balance["covariate"].tolist() == ["gc", "mean_expression"]
    assert (balance["before"] > 0.5).all()
    assert (balance["after"].abs() < 0.1).all()
    assert (_rows(table, "changed", "presence")["pvalue"] > 0.01).all()
    # Matched on expression alone, GC itself passes for a motif.
    loose, _ = made.enriched(tmp_path / "loose", match_on=["mean_expression"])
    assert _rows(loose, "changed", "presence").loc["GC", "pvalue"] < 1e-3


def test_directions_are_compared_with_unchanged_genes_only(tmp_path: Path) -> None:
    made = make(tmp_path, {"PLANTED": PLANTED, **_random_motifs(5)}, plant=_plant_in(0.6, 0.1))
    targets = pd.read_csv(made.targets, sep="\t")
    n_up, n_down = (int((targets["direction"] == value).sum()) for value in (1, 0))
    table, _ = made.enriched(tmp_path / "E", pvalue=1e-4)
    for chosen, n in (("up", n_up), ("down", n_down)):
        row = _rows(table, chosen, "presence").loc["PLANTED"]
        assert n - 15 < row["n_changed"] <= n
        # Controls of the other direction would carry the motif as often.
        assert row["share_matched"] < 0.25 < 0.45 < row["share_changed"]


def test_a_direction_without_enough_genes_is_left_out(tmp_path: Path) -> None:
    made = make(tmp_path, _random_motifs(3), down=0.01)
    table, _ = made.enriched(tmp_path / "E")
    assert set(table["set"]) == {"changed", "up"}


def test_changed_genes_that_nothing_is_like_are_refused(tmp_path: Path) -> None:
    made = make(tmp_path, _random_motifs(3), level_of_changed=40.0)
    with pytest.raises(InputError, match=r"motifs\.match_on"):
        made.enriched(tmp_path / "E")
    assert not (tmp_path / "E").exists()
