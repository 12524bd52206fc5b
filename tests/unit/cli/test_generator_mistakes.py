"""Generators on the command line with bad input: one message that says what to do, and exit 2."""

from __future__ import annotations

import gzip
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.cli.generators.generating import _alike
from exprimo.cli.main import main
from exprimo.core.dataset import write_dataset
from exprimo.core.errors import ConfigError
from exprimo.core.sequence import N_CODE, Codes, decode
from exprimo.generate import generate_fit, generate_sample

LENGTH = 30
SMALL = {
    "split": "random",
    "machine": {"threads": 1, "precision": "fp32"},
    "fit": {"steps": 5, "every": 5, "batch_size": 8},
}
CHECK_FASTA = ("check", "S.fa", "D.h5", "--generator", "GEN", "-o", "CHECK")
FIT = ("--steps", "5", "--split", "random", "--threads", "1", "--set", "options.channels=8")


def _dataset(path: Path, codes: Codes, positive: int) -> Path:
    """Write sequences; the first ``positive`` have class 1 of ``high``; ``y`` goes from 0 to 1."""
    n = len(codes)
    with write_dataset(path, {"made": "for tests"}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{i}" for i in range(n)]}))
        out.input("sequence", [codes])
        out.target("high", (np.arange(n) < positive).astype(float), kind="classification")
        out.target("y", np.linspace(0, 1, n), kind="regression")
    return path


def _codes(n: int = 600, length: int = LENGTH) -> Codes:
    return np.random.default_rng(5).integers(0, 4, (n, length)).astype(np.uint8)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with D.h5, two generators of it, and what one of them drew."""
    folder = tmp_path_factory.mktemp("generators")
    data = _dataset(folder / "D.h5", _codes(), 100)
    generate_fit(data, folder / "GEN", condition="y", options={"channels": 8, "blocks": 1}, **SMALL)
    generate_fit(
        data, folder / "CLASS", condition="high", options={"channels": 8, "blocks": 1}, **SMALL
    )
    generate_fit(
        data, folder / "GAN", generator="gan", options={"channels": 8, "blocks": 1}, **SMALL
    )
    for name in ("S.h5", "S.fa", "S.fa.gz"):
        generate_sample(folder / "GEN", folder / name, n=60, threads=1)
    (folder / "HALF").mkdir()
    (folder / "HALF" / "config.toml").write_text('kind = "generate"\n')
    (folder / ".KILLED.partial").mkdir()
    return folder


@pytest.fixture
def refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Run a command in the folder that must be refused and leave nothing; give its message."""

    def run(*words: object) -> str:
        monkeypatch.chdir(home)
        before = set(home.iterdir())
        monkeypatch.setattr(sys, "argv", ["exprimo", "generate", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 2
        assert set(home.iterdir()) == before
        told = capsys.readouterr()
        assert told.out == ""
        assert "Traceback" not in told.err
        return " ".join(told.err.replace("│", " ").split())

    return run


def _padded(codes: Codes) -> Codes:
    """Make one in five sequences ten bases shorter, as a dataset holds them."""
    codes[::5, :5] = codes[::5, -5:] = N_CODE
    return codes


def _with_n(codes: Codes) -> Codes:
    codes[::5, 7::4] = N_CODE
    return codes


@pytest.mark.parametrize(
    ("make", "words", "told"),
    [
        (
            lambda: (_codes(), 50),
            ("--label", "1"),
            ("distinct sequences of class 1", "at least 100", "Bring"),
        ),
        (
            lambda: (_codes(), 20),
            ("--condition", "high"),
            ("too few sequences of a class", "high 1", "at least 30", "Bring"),
        ),
        (
            lambda: (_padded(_codes()), 300),
            (),
            ("mixed lengths", "have 20 bases between N", "30 bases in each"),
        ),
        (
            lambda: (_with_n(_codes()), 300),
            (),
            ("too many sequences with unknown bases", "at most 10%"),
        ),
        (lambda: (_codes(), 300), ("-g", "difusion"), ("no such generator", "Did you mean diff")),
        (lambda: (_codes(), 300), ("--condition", "yy"), ("yy",)),
        (lambda: (_codes(), 300), ("--label", "2", "--target", "high"), ("no such class", "0, 1")),
        (
            lambda: (_codes(), 300),
            ("-g", "gan", "--set", "fit.watch=0.1"),
            ("cannot tell how well it fits", "Leave it out"),
        ),
    ],
)
def test_what_nothing_can_be_learned_from(
    make: Callable[[], tuple[Codes, int]], words: tuple[str, ...], told: tuple[str, ...],
    refused: Callable[..., str], tmp_path: Path,
) -> None:  # fmt: skip
    data = _dataset(tmp_path / "X.h5", *make())
    if words[:1] == ("--label",) and "--target" not in words:
        words = (*words, "--target", "high")
    message = refused("fit", data, "-o", "NEW", *FIT, *words)
    assert all(part in message for part in told), message
    assert "X.h5" in message or "-g" in words


@pytest.mark.parametrize(
    ("generator", "words", "told"),
    [
        ("CLASS", ("--target", "2"), ("no such class of high", "Found: 2", "Expected: 0, 1")),
        ("GEN", ("--target", "much"), ("not a value of y", "a number", "training examples have")),
        ("GEN", ("--target", "1e300"), ("not a value of y", "training examples have")),
        ("GEN", ("--target", "-1e12"), ("not a value of y", "training examples have")),
        ("GEN", ("--target", "inf"), ("not a value of y", "training examples have")),
        ("GEN", ("--guidance", "nan"), ("--guidance", "greater than or equal to 0")),
        ("GEN", ("--guidance", "inf"), ("guidance", "not a weight", "a number from 0 up")),
        ("GAN", ("--target", "1"), ("without a condition", "--condition")),
        ("GEN", ("-n", "0"), ("--number", "greater than or equal to 1")),
        ("GEN", ("--keep-best", "0"), ("not a share", "above 0, up to 1")),
        ("GAN", ("--keep-best", "1.5"), ("not a share", "above 0, up to 1")),
        ("GEN", ("--keep-best", "0.5"), ("does not rank", "Leave it out")),
        ("GAN", ("--steps", "10"), ("one pass", "Leave the steps out")),
        ("GAN", ("--guidance", "2"), ("cannot weigh",)),
        ("GEN", ("-o", "S.h5"), ("S.h5", "already exists")),
        ("GEN", ("-o", "S.fa"), ("S.fa", "already exists")),
        ("GEN", ("-o", "T.txt"), ("unknown kind of output", ".h5, .fa")),
        ("KILLED", (), ("not fitted to its end", "--resume")),
        ("HALF", (), ("not a generator", "exprimo generate fit")),
        ("D.h5", (), ("a file, not a generator",)),
        ("NOWHERE", (), ("no such generator", "exprimo generate fit")),
    ],
)
def test_what_cannot_be_drawn(
    generator: str, words: tuple[str, ...], told: tuple[str, ...], refused: Callable[..., str]
) -> None:
    given = {"-n": "5", "-o": "T.h5"} | dict(zip(words[::2], words[1::2], strict=True))
    message = refused("sample", generator, *(part for pair in given.items() for part in pair))
    assert all(part in message for part in told), message


def test_weights_cut_short_are_named(home: Path, refused: Callable[..., str]) -> None:
    weights = home / "GAN" / "model.safetensors"
    whole = weights.read_bytes()
    try:
        for kept in (0, 100, len(whole) - 10):
            weights.write_bytes(whole[:kept])
            assert "model.safetensors" in refused("sample", "GAN", "-n", "5", "-o", "T.h5")
        weights.unlink()
        assert "model.safetensors" in refused("sample", "GAN", "-n", "5", "-o", "T.h5")
    finally:
        weights.write_bytes(whole)


def test_a_ledger_that_is_missing_is_told_as_such(home: Path, refused: Callable[..., str]) -> None:
    ledger = home / "GEN" / "ledger.parquet"
    whole = ledger.read_bytes()
    ledger.unlink()
    try:
        for words in (("sample", "GEN", "-n", "5", "-o", "T.h5"), CHECK_FASTA):
            message = refused(*words)
            assert "ledger.parquet" in message
            assert "is missing" in message
    finally:
        ledger.write_bytes(whole)


def test_two_ways_of_asking_are_refused_in_one_sentence(refused: Callable[..., str]) -> None:
    words = ("--label", "1", "--target", "high", "--condition", "y")
    message = refused("fit", "D.h5", "-o", "NEW", *FIT, *words)
    assert "learn one class (label), or be asked by a target (condition)" in message
    assert "alue error" not in message
    # All settings are no answer.
    assert "batch_size" not in message
    assert "'dataset'" not in message


@pytest.mark.parametrize("settings", [{"guidance": float("nan")}, {"guidance": -1.0}, {"seed": -1}])
def test_numbers_from_python_are_checked_too(
    settings: dict[str, Any], home: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        generate_sample(home / "GEN", tmp_path / "T.h5", n=5, threads=1, **settings)
    assert not list(tmp_path.iterdir())


def test_a_fit_says_that_too_few_are_held_out_for_a_check(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(home)
    label = ["--label", "1", "--target", "high"]
    data = _dataset(tmp_path / "D.h5", _codes(), 200)
    out = str(tmp_path / "GEN")
    lines = _ran(["fit", str(data), "-o", out, *FIT, *label], monkeypatch, capsys)
    assert any("of class 1 are held out" in line and "split.fractions=" in line for line in lines)


def _fasta(sequences: list[str]) -> bytes:
    return "".join(f">s{i}\n{one}\n" for i, one in enumerate(sequences)).encode()


def _letters(n: int = 60, length: int = LENGTH) -> list[str]:
    return [decode(row) for row in _codes(n, length)]


def _spoilt(letter: str) -> bytes:
    sequences = _letters()
    sequences[3] = letter + sequences[3][1:]
    return _fasta(sequences)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (_spoilt("L"), ("not a DNA letter", "s3", "'L'")),
        (_spoilt("R"), ("unknown bases", "sequence 4", "A, C, G and T")),
        (_spoilt("N"), ("unknown bases", "sequence 4", "A, C, G and T")),
        (_fasta(_letters(length=31)), ("another length", "31 bases", "30 bases")),
        (_fasta([*_letters(), "ACGT"]), ("mixed lengths", "s60", "4 bases")),
        (_fasta(_letters(40)), ("50",)),
        (b"", ("empty",)),
        (b"no FASTA at all\n", ("FASTA",)),
    ],
)
@pytest.mark.parametrize("name", ["T.fa", "T.fa.gz"])
def test_fasta_that_cannot_be_checked(
    content: bytes, told: tuple[str, ...], name: str, refused: Callable[..., str], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    message = refused("check", path, "D.h5", "--generator", "GEN", "-o", "CHECK")
    assert name in message
    assert all(part in message for part in told), message


@pytest.mark.parametrize("name", ["S.fa.gz", "S.h5"])
@pytest.mark.parametrize("damage", ["cut", "changed", "emptied", "absent"])
def test_damaged_samples(
    name: str, damage: str, home: Path, refused: Callable[..., str], tmp_path: Path
) -> None:
    content, path = bytearray((home / name).read_bytes()), tmp_path / name
    if damage == "changed" and name == "S.h5":
        content[:8] = b"12345678"
    elif damage == "changed":
        content[len(content) // 2] ^= 255
    if damage != "absent":
        path.write_bytes(content[: {"cut": len(content) // 2, "emptied": 0}.get(damage)])
    message = refused("check", path, "D.h5", "--generator", "GEN", "-o", "CHECK")
    assert name in message


def test_datasets_that_do_not_belong_together(
    home: Path, refused: Callable[..., str], tmp_path: Path
) -> None:
    other = _dataset(tmp_path / "E.h5", _codes(length=40), 300)
    assert "E.h5" in refused("check", "S.h5", other, "-o", "CHECK")
    message = refused("check", "D.h5", "D.h5", "--generator", "GEN", "-o", "CHECK")
    assert "not generated" in message
    message = refused("check", "S.fa", "D.h5", "-o", "CHECK")
    assert all(way in message for way in ("--generator", "--like", "--split"))
    assert "already exists" in refused("check", "S.h5", "D.h5", "-o", "GEN")


def _ran(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    monkeypatch.setattr(sys, "argv", ["exprimo", "generate", *words])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    return capsys.readouterr().out.splitlines()


def test_small_measures_are_told_with_more_decimals() -> None:
    assert _alike([0.00012, 0.009]) == ["0.00012", "0.00900"]
    assert _alike([0.00012, 0.5]) == ["0.000", "0.500"]
    assert _alike([0.0, 0.0]) == ["0.000", "0.000"]


@pytest.mark.parametrize(
    ("out", "more"),
    [("T.h5", ""), ("T.fa.gz", " --generator GEN")],
)
def test_sample_ends_with_the_command_that_checks_it(
    out: str, more: str, home: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(home)
    asked: list[Any] = ["--target", "1e6", "--steps", "1000", "--threads", "1"]
    lines = _ran(["sample", "GEN", "-n", "60", "-o", out, *asked], monkeypatch, capsys)
    try:
        assert any("beyond the training examples, which have" in line for line in lines)
        assert any("more than 30 change nothing" in line for line in lines)
        assert lines[-1].strip() == f"exprimo generate check {out} D.h5{more} -o T-check"
        # The command works as it stands.
        told = _ran([*lines[-1].split()[2:], "--draws", "1"], monkeypatch, capsys)
        assert told[0].startswith("Memorisation gate:")
        assert any(
            re.search(r"below \d+\.\d% would not be seen with 60 seq", line) for line in told
        )
        assert any("are unique, of held-out ones" in line for line in told)
        assert (home / "T-check" / "check.json").is_file()
    finally:
        shutil.rmtree(home / "T-check", ignore_errors=True)
        for file in home.glob("T*.*"):
            file.unlink()
