"""Who is held out changes nothing that is learned; a command that is killed leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

PEOPLE = [f"p{at:02}" for at in range(36)]
FOLD = np.arange(36) % 3
HELD_OUT = 1
VCF = (
    "##fileformat=VCFv4.2\n##contig=<ID=1>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
)
COMMANDS: dict[str, list[object]] = {
    "eqtl map": ["--permutations", 20, "--threads", 1],
    "eqtl finemap": [],
    "prs fit": ["--maf", 0],
    "stack": [
        "--features", "f.tsv", "--members", "ridge,elastic_net,forest", "--set",
        "forest_trees=5", "--set", "inner_folds=3", "--threads", 1,
    ],
}  # fmt: skip

# Dies when the first rows of a table are written.
DYING = """
import os, signal
import pyarrow.parquet as pq
from exprimo.cli.main import main
def die(*arguments, **options):
    os.kill(os.getpid(), signal.SIGKILL)
pq.ParquetWriter.write_table = die
main()
"""
LIMITED = """
import resource
from exprimo.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
main()
"""


def _write(folder: Path, values: np.ndarray, age: np.ndarray, calls: np.ndarray) -> None:
    folder.mkdir()
    rows = [
        f"1\t{1000 + 100 * at}\tv{at}\tA\tG\t.\t.\t.\tGT\t"
        + "\t".join("./." if a < 0 else f"{a}/{b}" for a, b in row.tolist())
        for at, row in enumerate(calls)
    ]
    (folder / "g.vcf").write_text(VCF + "\t".join(PEOPLE) + "\n" + "\n".join(rows) + "\n")
    genes = pd.DataFrame(
        {"#chr": "1", "start": [1300, 1700], "end": [1301, 1701], "gene_id": ["g1", "g2"]}
    )
    people = pd.DataFrame(values, columns=PEOPLE)
    genes.join(people).to_csv(folder / "e.bed", sep="\t", index=False)
    own = {"sample": PEOPLE, "age": age}
    pd.DataFrame(own).to_csv(folder / "c.tsv", sep="\t", index=False)
    pd.DataFrame({"sample": PEOPLE, "fold": FOLD}).to_csv(
        folder / "folds.tsv", sep="\t", index=False
    )
    x = np.random.default_rng(8).normal(size=len(PEOPLE)) + values[0] * (FOLD != HELD_OUT)
    features = pd.DataFrame({"individual": PEOPLE, "x": x, "y": x**2})
    features.to_csv(folder / "f.tsv", sep="\t", index=False)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two folders that differ in the expression and covariates of held-out people alone."""
    home = tmp_path_factory.mktemp("worlds")
    rng = np.random.default_rng(6)
    calls = rng.integers(0, 2, (8, len(PEOPLE), 2))
    calls[rng.random(calls.shape[:2]) < 0.05] = -1
    # One variant that only held-out people carry: it does not vary among those who train.
    calls[7] = (FOLD == HELD_OUT)[:, None]
    values = np.maximum(calls[[2, 5]].sum(axis=2), 0) + 0.5 * rng.normal(size=(2, len(PEOPLE)))
    age = rng.normal(size=len(PEOPLE))
    _write(home / "before", values, age, calls)
    held = np.flatnonzero(FOLD == HELD_OUT)
    order = rng.permutation(held)
    values[:, held], age[held] = 40 + 9 * values[:, order], -5 * age[order]
    _write(home / "after", values, age, calls)
    # Features are the same in both: they are given, not learned.
    (home / "after" / "f.tsv").write_text((home / "before" / "f.tsv").read_text())
    return home / "before", home / "after"


def _line(kind: str, out: object) -> list[object]:
    genotypes = [] if kind == "stack" else ["--genotypes", "g.vcf"]
    return [
        *kind.split(), *genotypes, "--expression", "e.bed", "--covariates", "c.tsv",
        "--folds-file", "folds.tsv", *COMMANDS[kind], "-o", out,
    ]  # fmt: skip


def _tables(folder: Path) -> dict[str, pd.DataFrame]:
    return {
        str(path.relative_to(folder)): pd.read_parquet(path)
        for path in sorted(folder.rglob("*.parquet"))
    }


def _of_fold(folder: Path) -> dict[str, pd.DataFrame]:
    """Give what was learned without the held-out people, and said of them; not their truth."""
    found = {}
    for name, whole in _tables(folder).items():
        table = whole.drop(columns="observed", errors="ignore")
        if name.startswith(f"fold{HELD_OUT}"):
            found[name] = table
        elif column := {"fold", "part"} & set(table.columns):
            found[name] = table[table[column.pop()] == HELD_OUT].reset_index(drop=True)
    return found


@pytest.mark.parametrize("kind", COMMANDS)
def test_held_out_people_touch_nothing_that_is_learned(
    command: Any, worlds: tuple[Path, Path], tmp_path: Path, monkeypatch: Any, kind: str
) -> None:
    learned = []
    for folder in worlds:
        monkeypatch.chdir(folder)
        out = tmp_path / folder.name
        done = command(*_line(kind, out))
        assert (done.code, done.err) == (0, "")
        learned.append(_of_fold(out))
    before, after = learned
    assert before.keys() == after.keys()
    assert sum(len(table) for table in before.values()) > 10
    for name, table in before.items():
        pd.testing.assert_frame_equal(table, after[name], check_exact=True, obj=name)
    # The other folds did learn from them.
    one, other = (_tables(tmp_path / folder.name) for folder in worlds)
    assert any(not table.equals(other[name]) for name, table in one.items())


def test_scores_of_other_folds_are_no_features(
    command: Any, worlds: tuple[Path, Path], tmp_path: Path, monkeypatch: Any
) -> None:
    """A training person's held-out score was learned from the people who are judged."""
    monkeypatch.chdir(worlds[0])
    assert command(*_line("prs fit", tmp_path / "S")).code == 0
    line = [word for word in _line("stack", tmp_path / "R") if word != "f.tsv"]
    line.insert(line.index("--features") + 1, tmp_path / "S" / "predictions.parquet")
    command(*line).assert_says("leak", "--cis-feature", "--allow-leak")
    allowed = command(*line, "--allow-leak")
    assert allowed.code == 0
    assert "LEAK ALLOWED" in allowed.out
    summary = json.loads((tmp_path / "R" / "summary.json").read_text())
    assert len(summary["leaks"]) == len(set(FOLD.tolist()))


def _run(script: str, folder: Path, *line: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, line)],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["eqtl map", "prs fit", "stack"])
def test_a_killed_command_leaves_nothing_in_the_way(
    command: Any, worlds: tuple[Path, Path], tmp_path: Path, monkeypatch: Any, kind: str
) -> None:
    died = _run(DYING, worlds[0], *_line(kind, tmp_path / "R"))
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert not (tmp_path / "R").exists()
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == []
    monkeypatch.chdir(worlds[0])
    done = command(*_line(kind, tmp_path / "R"))
    assert (done.code, done.err) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["R"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["eqtl map", "prs fit", "stack"])
def test_a_full_disk(worlds: tuple[Path, Path], out: Path, untouched: Any, kind: str) -> None:
    with untouched(out):
        ended = _run(LIMITED, worlds[0], *_line(kind, out / "R"))
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert f"exprimo: {out / 'R'}: the disk is full" in ended.stderr
    assert "Traceback" not in ended.stderr
