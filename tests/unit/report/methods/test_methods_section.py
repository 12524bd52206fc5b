"""The section about what a network looks at, by several methods, against its files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from exprimo.evaluate.results import Estimate
from exprimo.interpret.faithfulness.verdict import Verdict, judged, write_verdict
from exprimo.interpret.files import About, Interpretation, with_planted, write_interpretation
from exprimo.interpret.importance import importance_profile
from exprimo.interpret.recovery import motif_recovery
from exprimo.report.document.html import draw_all, render
from exprimo.report.document.page import Section
from exprimo.report.interpret.reading import read_interpretation
from exprimo.report.methods.reading import METHOD_COLUMNS, METHOD_NUMBERS
from exprimo.report.methods.section import methods_section
from exprimo.report.page import make_page

N, LENGTH, TSS = 40, 60, 40


def explanation(folder: Path, deletion: float) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(N, LENGTH))
    planted = np.zeros((N, LENGTH), dtype=bool)
    planted[:, 10:16] = True
    values[planted] *= 9
    profile = with_planted(importance_profile(values, TSS), planted, TSS)
    about = About("regression", "expression", "target SD", N)
    recovery = ([f"g{i}" for i in range(N)], motif_recovery(values, planted))
    write_interpretation(folder, Interpretation(about, profile, recovery=recovery))
    found = Estimate(deletion, deletion - 0.1, deletion + 0.1, N, N, "gene")
    words = "deletes no better than random order"
    write_verdict(folder, Verdict((judged("deletion", "sequence", found, 0.0, "", words),)), {})


def row(method: str, title: str, **known: object) -> dict[str, object]:
    empty = {name: np.nan if name in METHOD_NUMBERS else "" for name in METHOD_COLUMNS}
    return {**empty, "method": method, "title": title, "n": N, "n_of": 90, **known}


def study(home: Path, *, deletion: float = 0.5, in_the_way: str = "") -> Path:
    folder = home / "interpretation"
    folder.mkdir(parents=True)
    explanation(folder / "deeplift", deletion)
    auroc = {"auroc": 0.97, "auroc_low": 0.96, "auroc_high": 0.98, "auroc_swapped": 0.6}
    bad = {"verdict": "fails", "failures": "looks much the same of an untrained network"}
    rows = [
        row("deeplift", "DeepLIFT", **auroc, recovers="yes", verdict="passes", deletion=0.5),
        row("saliency", "gradient", **{**auroc, "auroc": 0.61}, recovers="no", **bad),
        row("attention", "attention", n=np.nan, refused="no attention <here>"),
    ]
    table = pd.DataFrame(rows, columns=list(METHOD_COLUMNS))
    table.to_csv(folder / "methods.tsv", sep="\t", index=False)
    planted = {"n": 3, "found": 2, "patterns": 2}
    summary = {
        "format_version": 1, "row": "cnn", "split": "homology", "part": "test", "target": "level",
        "best": "deeplift", "simulated": True,
        "motifs": {"in_the_way": in_the_way, "planted": None if in_the_way else planted},
        "insertion": {"of": "known", "refused": ""},
    }  # fmt: skip
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def effects(folder: Path) -> None:
    (folder / "insertion").mkdir()
    lines = ["motif\tname\tstrand\tposition\teffect\tlow\thigh\tn"]
    lines += [f"PROX\tPROX\t{s}\t{p}\t{p / 9}\t0\t1\t30" for s in "+-" for p in (-9, 0, 9)]
    (folder / "insertion" / "effect.tsv").write_text("\n".join([*lines, ""]))


def said(section: Section | None) -> str:
    assert section is not None
    return " ".join(section.values["sentences"])


def test_a_folder_without_methods_has_no_such_section(tmp_path: Path) -> None:
    assert methods_section(tmp_path) is None
    explanation(tmp_path / "interpretation", 0.5)
    assert methods_section(tmp_path) is None


def test_recovery_and_failures_are_said_for_each_method(tmp_path: Path) -> None:
    study(tmp_path)
    found = methods_section(tmp_path)
    words = said(found).replace("\u00a0", " ")
    assert "recovered by DeepLIFT 0.970 [0.960, 0.980]" in words
    assert "not shown to be by gradient 0.610" in words
    assert "Another example's contributions reach 0.60" in words
    assert "A check fails: gradient (looks much the same of an untrained network)" in words
    assert "attention cannot explain this network: no attention <here>" in words
    assert found is not None
    assert "Found: 2 of 3 planted motifs" in found.values["motif_words"]
    cells = [[cell.text for cell in line] for line in found.values["methods"].rows]
    assert [line[3] for line in cells] == ["yes", "no", "–"]
    assert [line[7] for line in cells] == ["passes", "fails", "cannot explain it"]


def test_a_picture_that_fails_its_check_says_so(tmp_path: Path) -> None:
    for name, deletion in (("good", 0.5), ("bad", -0.5)):
        study(tmp_path / name, deletion=deletion)
    good, bad = (methods_section(tmp_path / name) for name in ("good", "bad"))
    assert good is not None
    assert bad is not None
    assert good.charts[0].key == bad.charts[0].key == "importance"
    assert good.charts[0].banner == ""
    assert bad.charts[0].banner == "Fails its check: deletes no better than random order"
    assert read_interpretation(tmp_path / "bad" / "interpretation" / "deeplift").planted is not None


def test_the_section_stands_on_the_page_of_a_benchmark_beside_it(
    tmp_path: Path, regression: Path
) -> None:
    shutil.copytree(regression, tmp_path / "benchmark")
    folder = study(tmp_path, in_the_way="needs pip install 'exprimo[interpret]'")
    effects(folder)
    section = methods_section(tmp_path / "benchmark")
    assert section is not None
    assert [chart.key for chart in section.charts] == ["importance", "effect"]
    assert section.charts[1].sources == ("interpretation/insertion/effect.tsv",)
    page = make_page(tmp_path / "benchmark")
    text = render(page, draw_all(section.charts), [section])
    assert "No motifs were looked for: needs pip install" in text
    assert "not found here" in text
    assert 'id="figure-importance"' in text
    assert 'id="table-methods"' in text
    assert "no attention &lt;here&gt;" in text
