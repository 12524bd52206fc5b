"""Names that somebody made to break a page or a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exprimo.core.dataset import Dataset

pytestmark = pytest.mark.slow

HOSTILE = (
    "<script>alert(1)</script>",
    "x\"><img src=x onerror='alert(2)'>",
    "</script><svg/onload=alert(3)>",
    "{{ 7 * 7 }} ${7*7} {% raw %}",
    "\u202eRTL \u05e9\u05dc\u05d5\u05dd \u2028 \x01",
    "=cmd|' /C calc'!A0",
    "../../etc/passwd",
    "x" * 3000,
)


def test_hostile_text_in_names_shown_in_the_report(command: Any, tmp_path: Path) -> None:
    table, rng = tmp_path / "tiles.tsv", np.random.default_rng(5)
    lines = ["name\tseq\tchrom\tlog2 <b id=x>ratio"]
    for n in range(120):
        # Pairs that differ in one base: the report names those that the split tears apart.
        letters = np.random.default_rng(n // 2).choice(list("ACGT"), 200)
        letters[100] = "AC"[n % 2]
        bases = "".join(letters)
        name = f"{HOSTILE[n % len(HOSTILE)]} {n}"
        lines.append(f"{name}\t{bases}\tchr{n % 7}<i>\t{rng.normal():.3f}")
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    dataset, benchmark = tmp_path / "D.h5", tmp_path / "B"
    built = command(
        "dataset", "table", table, "--sequence", "seq", "--target", "log2 <b id=x>ratio",
        "--example-id", "name", "--chrom", "chrom", "-o", dataset,
    )  # fmt: skip
    assert (built.code, built.err) == (0, "")
    with Dataset.open(dataset) as data:
        ids = data.column("example_id").tolist()
    assert ids == [line.split("\t")[0] for line in lines[1:]]
    compared = command(
        "benchmark", dataset, "--models", "gc_content", "--splits", "random", "--threads", 1,
        "-o", benchmark,
    )  # fmt: skip
    assert (compared.code, compared.err) == (0, "")
    page = (benchmark / "report.html").read_text(encoding="utf-8")
    assert "&lt;/script&gt;&lt;svg/onload=alert(3)&gt;" in page
    for raw in ("<script>alert", "<img src=x", "<svg/onload", "<b id=x>", "chr1<i>", "\u202e"):
        assert raw not in page
    assert "49" not in page.partition("{{ 7")[2][:8]
    assert command("check", dataset).code == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("two\nlines", "tiles.csv, line 22"),
        ('a "quoted"\nname', "tiles.csv, line 22"),
        ("nul\x00byte", "zero byte"),
        ("end\x00", "zero byte"),
    ],
)
def test_names_that_no_table_can_hold(
    command: Any, out: Path, tmp_path: Path, name: str, said: str, untouched: Any
) -> None:
    table = tmp_path / "tiles.csv"
    rows = [f"g{n},{'ACGT' * 10}{base},{n}" for n, base in enumerate("ACGT" * 5)]
    quoted = name.replace('"', '""')
    table.write_text("\n".join(["id,seq,y", *rows, f'"{quoted}",{"ACGT" * 10}A,1', ""]))
    with untouched(out):
        refused = command(
            "dataset", "table", table, "--sequence", "seq", "--target", "y",
            "--example-id", "id", "-o", out / "D.h5",
        )  # fmt: skip
    refused.assert_says(said)


def test_hostile_gene_ids_go_from_annotation_to_report(
    command: Any, files: dict[str, Path], tmp_path: Path
) -> None:
    for name in ("genes.gtf", "expression.tsv"):
        text = files[name].read_text()
        files[name].write_text(text.replace("EXPG", "<script>alert(1)</script>'&amp;"))
    dataset = tmp_path / "D.h5"
    built = command(
        "dataset", "promoters", "--fasta", files["genome.fa"], "--genes", files["genes.gtf"],
        "--targets", files["expression.tsv"], "--target", "expression",
        "--upstream", 150, "--downstream", 50, "-o", dataset,
    )  # fmt: skip
    assert (built.code, built.err) == (0, "")
    with Dataset.open(dataset) as data:
        assert data.column("gene_id")[0].startswith("<script>alert(1)</script>'&amp;0")
    trained = command(
        "train", dataset, "--model", "gc_content", "--threads", 1, "--split", "random",
        "-o", tmp_path / "R",
    )  # fmt: skip
    compared = command(
        "benchmark", dataset, "--models", "gc_content", "--splits", "random", "--threads", 1,
        "-o", tmp_path / "B",
    )  # fmt: skip
    assert (trained.code, compared.code) == (0, 0)
    for folder in ("R", "B"):
        page = (tmp_path / folder / "report.html").read_text(encoding="utf-8")
        assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#39;&amp;amp;0" in page
