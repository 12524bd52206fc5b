"""Study files: the template, what is refused, and where paths lead."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

import exprimo
from exprimo.core.errors import ConfigError, InputError
from exprimo.studies.sequence import SequenceStudy
from exprimo.studies.templates import sequence_template


def test_the_template_is_a_valid_study_with_a_reason_for_each_key() -> None:
    text = sequence_template()
    study = SequenceStudy.checked(tomllib.loads(text))
    assert study.table is not None
    assert study.promoters is None
    lines = text.splitlines()
    keys = [n for n, line in enumerate(lines) if line.partition(" =")[0].isidentifier()]
    assert len(keys) > 20
    for at in keys:
        assert lines[at - 1].startswith("#"), lines[at]


def test_the_other_source_of_the_template_is_valid_too() -> None:
    text = sequence_template()
    start, end = text.index("# [promoters]"), text.index("\n[benchmark]")
    lines = [line.removeprefix("# ") for line in text[start:end].splitlines()]
    # A comment of the commented part keeps its sign; an unset key stays out.
    kept = [line for line in lines if not line.startswith("#") and line.partition(" =")[2].strip()]
    study = SequenceStudy.checked(tomllib.loads("[promoters]\n" + "\n".join(kept)))
    assert study.promoters is not None
    assert study.promoters.upstream == 500


@pytest.mark.parametrize(
    ("given", "said"),
    [({}, "none is given"), ({"dataset": "D.h5", "table": {}}, "table"), (None, "dataset")],
)
def test_exactly_one_source(given: dict[str, object] | None, said: str) -> None:
    both = {"dataset": "D.h5", "table": {"table": "t", "sequence": "s", "target": "y"}}
    with pytest.raises(ConfigError, match=said):
        SequenceStudy.checked(both if given is None else given)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('kind = "sequnce"', "Did you mean sequence"),
        (
            "",
            "Expected: sequence, differential-promoter, promoter-halflife, chromatin, individual, "
            "benchmark, train",
        ),
        ("kind = ", "not valid TOML"),
        ('kind = "benchmark"\ndataset = "D.h5"', "say where to write this benchmark"),
        ('kind = "train"\ndataset = "D.h5"', "say where to write this train"),
    ],
)
def test_studies_that_cannot_be_run(tmp_path: Path, text: str, said: str) -> None:
    study = tmp_path / "study.toml"
    study.write_text(text)
    with pytest.raises((ConfigError, InputError), match=said):
        exprimo.run(study)
    assert [path.name for path in tmp_path.iterdir()] == ["study.toml"]


def test_a_missing_study_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="exprimo init"):
        exprimo.run(tmp_path / "study.toml")


def test_paths_are_relative_to_the_study_not_to_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    rng = np.random.default_rng(2)
    rows = [f"{''.join(rng.choice(list('ACGT'), 50))}\t{rng.normal():.3f}" for _ in range(90)]
    (home / "tiles.tsv").write_text("\n".join(["seq\ty", *rows, ""]))
    (home / "study.toml").write_text(
        'kind = "sequence"\nout = "made"\n[table]\ntable = "tiles.tsv"\nsequence = "seq"\n'
        'target = "y"\n[benchmark]\nmodels = ["gc_content"]\nsplits = ["random"]\n'
        "[benchmark.machine]\nthreads = 1\n"
    )
    monkeypatch.chdir(elsewhere)
    done = exprimo.run(home / "study.toml")
    assert isinstance(done.report, Path)
    assert done.report == home / "made" / "report.html"
    assert done.report.exists()
    assert list(elsewhere.iterdir()) == []
    assert {"mean", "gc_content", "kmer_linear"} == set(done.scores["model"])


def test_the_zoo_is_listed_with_options() -> None:
    entries = {entry["name"]: entry for entry in exprimo.models()}
    assert {"mean", "majority", "gc_content", "kmer_linear", "cnn"} <= entries.keys()
    assert entries["cnn"]["n_parameters"] > 10_000
    assert entries["mean"]["n_parameters"] is None
    for entry in entries.values():
        assert entry["summary"]
        assert entry["citation"] or entry["name"] in ("mean", "majority")
        assert all(option["meaning"] for option in entry["options"].values())
    assert [entry["name"] for entry in exprimo.models("cnn")] == ["cnn"]
    with pytest.raises(ConfigError, match="cnn"):
        exprimo.models("cnnn")
