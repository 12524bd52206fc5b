"""Interpretation by several methods: settings, tables, truth, and what is not installed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.evaluate.results import Estimate
from exprimo.interpret.faithfulness.verdict import Verdict, judged, write_verdict
from exprimo.report.methods.reading import METHOD_COLUMNS
from exprimo.studies.interpretation import Interpretation, check_sources, motifs, run
from exprimo.studies.interpretation.tables import method_row, most_faithful, refused_row
from exprimo.studies.interpretation.truth import planted_table, write_acting_sites

WORDS = {"PROX": "GCATAGGAC", "MATE": "AGCAAGCAA", "IDLE": "TCCCAAACT"}


def matrix(word: str) -> str:
    rows = [" ".join("0.97" if base == b else "0.01" for b in "ACGT") for base in word]
    return "\n".join([f"letter-probability matrix: alength= 4 w= {len(word)}", *rows, ""])


def meme(path: Path, words: dict[str, str]) -> Path:
    head = "MEME version 4\n\nALPHABET= ACGT\n\n"
    path.write_text(head + "\n".join(f"MOTIF {name}\n{matrix(w)}" for name, w in words.items()))
    return path


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    folder = tmp_path / "truth"
    folder.mkdir()
    meme(folder / "motifs.meme", WORDS)
    (folder / "tfs.tsv").write_text(
        "tf\tconsensus\teffect\tpartner\n"
        "PROX\tGCATAGGAC\t2.4\tMATE\nMATE\tAGCAAGCAA\t0\t\nIDLE\tTCCCAAACT\t0\t\n"
    )
    (folder / "sites.tsv").write_text(
        "gene_id\tchrom\tstart\tend\teffect\n"
        "g1\t1\t10\t19\t0.5\ng2\t1\t10\t19\t0.5\ng1\t1\t40\t49\t0\ng2\t2\t5\t14\t-1\n"
    )
    return folder


def test_sites_that_act_are_written_once_as_bed(truth: Path, tmp_path: Path) -> None:
    path = write_acting_sites(truth, tmp_path / "sites.bed")
    assert path.read_text() == "1\t10\t19\n2\t5\t14\n"


def test_planted_motifs_are_found_on_either_strand_and_idle_ones_not_asked_for(
    truth: Path, tmp_path: Path
) -> None:
    reverse = "".join("ACGT"["TGCA".index(base)] for base in reversed(WORDS["PROX"]))
    found = meme(tmp_path / "found.meme", {"pos_1": reverse, "pos_2": "ATATATATA"})
    table = planted_table(truth, found).set_index("motif")
    assert list(table.index) == ["PROX", "MATE"]
    assert table.loc["PROX", ["pattern", "strand", "found"]].tolist() == ["pos_1", "-", "yes"]
    assert table.loc["PROX", "q"] < 1e-3 < 0.05 < table.loc["MATE", "q"]
    assert table.loc["MATE", "found"] == "no"
    nothing = planted_table(truth, None)
    assert nothing["found"].tolist() == ["no", "no"]
    assert nothing["q"].isna().all()


def test_a_row_tells_what_the_folder_of_a_method_says(tmp_path: Path) -> None:
    def told(name: str, value: float, baseline: float, at_most: float | None = None) -> object:
        found = Estimate(value, value - 0.02, value + 0.02, 40, 40, "gene")
        return judged(name, "sequence", found, baseline, "", f"{name} fails", at_most=at_most)

    checks = (
        told("deletion", 0.5, 0.0),
        told("randomised weights: all layers", 0.4, 0.0, 0.3),
        told("known sites", 0.9, 0.6),
    )
    write_verdict(tmp_path, Verdict(checks), {})  # type: ignore[arg-type]  # made of checks
    facts = {
        "n_examples": 40, "n_of": 90, "convergence": {"share": 0.02},
        "recovery": {"mean": {"value": 0.9, "low": 0.88, "high": 0.92}, "swapped": {"mean": 0.6}},
    }  # fmt: skip
    (tmp_path / "interpretation.json").write_text(json.dumps(facts))
    row = method_row("deeplift", tmp_path, 3.0)
    assert set(row) == set(METHOD_COLUMNS)
    assert (row["auroc"], row["auroc_swapped"], row["recovers"]) == (0.9, 0.6, "yes")
    assert (row["deletion"], row["randomised"], row["delta"]) == (0.5, 0.4, 0.02)
    assert (row["verdict"], row["failures"]) == ("fails", "randomised weights: all layers fails")
    assert row["title"] == "DeepLIFT"


def test_a_method_that_fails_is_shown_only_where_none_passes() -> None:
    rows = [refused_row("attention", "has no\n attention")]
    table = pd.DataFrame(rows, columns=list(METHOD_COLUMNS))
    assert table["refused"].tolist() == ["has no attention"]
    assert most_faithful(table) is None
    other = [{**rows[0], "refused": "", "method": "deeplift", "verdict": "fails", "deletion": 0.1}]
    table = pd.DataFrame(rows + other, columns=list(METHOD_COLUMNS))
    assert most_faithful(table) == "deeplift"
    better = {**other[0], "method": "saliency", "verdict": "passes", "deletion": np.nan}
    assert most_faithful(pd.DataFrame([*rows, *other, better])) == "saliency"


def test_what_is_not_installed_is_named_by_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(motifs, "find_spec", lambda name: None)
    assert motifs.missing_extras(Interpretation()) == ["interpret", "motifs"]
    own = Interpretation(motifs="known.meme")
    assert motifs.missing_extras(own) == ["interpret"]
    told = motifs.find_in(tmp_path / "E", tmp_path, own, "known.meme")
    assert told == "needs pip install 'exprimo[interpret]'"
    off = own.model_copy(update={"find_motifs": False})
    assert motifs.find_in(tmp_path / "E", tmp_path, off, "known.meme") == "not asked for"
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_inserted_where_there_is_no_motif(tmp_path: Path) -> None:
    told = motifs.insert_in(tmp_path, tmp_path, tmp_path, Interpretation(), None, 1)
    assert told["refused"] == "no motif to insert"
    none = motifs.insert_in(tmp_path, tmp_path, tmp_path, Interpretation(inserted=0), None, 1)
    assert none["refused"] == ""


def test_files_that_are_not_there_are_refused_at_once(truth: Path, tmp_path: Path) -> None:
    own = Interpretation(motifs="known.meme")
    with pytest.raises(InputError, match=r"known\.meme"):
        check_sources(own, tmp_path, truth)
    meme(tmp_path / "known.meme", WORDS)
    check_sources(own, tmp_path, truth)
    (truth / "tfs.tsv").unlink()
    with pytest.raises(InputError, match=r"tfs\.tsv"):
        check_sources(own, tmp_path, truth)
    check_sources(Interpretation(), tmp_path, None)


def test_settings_are_checked_and_kept(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="named twice"):
        Interpretation.checked({"methods": ["deeplift", "deeplift"]})
    with pytest.raises(ConfigError, match="deeplift"):
        Interpretation.checked({"methods": ["deeplft"]})
    assert (Interpretation().file, Interpretation(motifs="none").file) == (None, None)
    assert Interpretation(motifs="m.meme").file == "m.meme"
    run._keep_settings(Interpretation(), tmp_path)
    run._keep_settings(Interpretation(), tmp_path)
    with pytest.raises(MismatchError, match="other settings"):
        run._keep_settings(Interpretation(examples=20), tmp_path)
