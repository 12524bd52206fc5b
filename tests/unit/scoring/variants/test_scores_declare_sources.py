"""Tables of scores say what their columns were made from, and an overlap believes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from exprimo.core.errors import LeakError
from exprimo.core.files.origin import column_sources, read_origin, with_column_sources, write_table
from exprimo.genetics.overlap import overlap
from exprimo.scoring.variants import variants


@pytest.fixture
def scores(world: Any, linear: Any, tmp_path: Path) -> dict[str, Path]:
    b = world.bases
    lines = ["##fileformat=VCFv4.2", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
    for at in range(80, 120, 4):
        alt = "ACGT"[("ACGT".index(b[at]) + 1) % 4]
        lines.append(f"chr1\t{at + 1}\ts{at}\t{b[at]}\t{alt}\t.\t.\t.")
    (tmp_path / "V.vcf").write_text("\n".join(lines) + "\n")
    made = {}
    for suffix in ("parquet", "tsv", "tsv.gz"):
        made[suffix] = tmp_path / f"S.{suffix}"
        variants(
            "linear", made[suffix], variants=tmp_path / "V.vcf", fasta=world.fasta,
            genes=world.genes, gene=["plus"],
        )  # fmt: skip
    return made


@pytest.fixture
def eqtl(scores: dict[str, Path], tmp_path: Path) -> Path:
    table = pd.read_parquet(scores["parquet"])[
        ["variant_id", "chrom", "pos", "ref", "alt"]
    ].drop_duplicates()
    p = [(at + 1) / (len(table) + 1) for at in range(len(table))]
    table.assign(phenotype_id="plus", pval_nominal=p, slope=0.1).to_parquet(tmp_path / "E.parquet")
    return tmp_path / "E.parquet"


def test_our_scores_are_of_the_model_alone(scores: dict[str, Path], eqtl: Path) -> None:
    for path in scores.values():
        assert column_sources(path)["raw_score"] == ["model"]
        found = overlap(path, eqtl, ["raw_score", "ref_pred"], top=2, track="a")
        assert found.columns["raw_score"].n == 9
        assert not [note for note in found.notes if "made from" in note]


def test_scores_that_say_nothing_are_remarked(scores: dict[str, Path], eqtl: Path) -> None:
    foreign = eqtl.with_name("foreign.parquet")
    pd.read_parquet(scores["parquet"]).to_parquet(foreign)
    notes = overlap(foreign, eqtl, "raw_score", top=2, track="a").notes
    assert any("does not say what raw_score was made from" in note for note in notes)


def test_a_column_that_was_made_with_p_is_refused(scores: dict[str, Path], eqtl: Path) -> None:
    table = pd.read_parquet(scores["parquet"])
    p = table["pos"].map(pd.read_parquet(eqtl).set_index("pos")["pval_nominal"])
    mixed = eqtl.with_name("mixed.parquet")
    origin = with_column_sources(
        read_origin(scores["parquet"]), {"combined": ["raw_score", "p_value"]}
    )
    write_table(mixed, table.assign(combined=table["raw_score"].abs() - p), origin)
    assert overlap(mixed, eqtl, "raw_score", top=2, track="a").columns
    with pytest.raises(LeakError, match=r"column 'combined'.*made from: raw_score, p_value"):
        overlap(mixed, eqtl, "combined", top=2, track="a")
