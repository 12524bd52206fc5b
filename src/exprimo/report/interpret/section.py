"""The section of a Run's page that shows an explanation which was written into the Run."""

from __future__ import annotations

from pathlib import Path

from exprimo.interpret.importance import NEAR, strongest
from exprimo.report.document.page import Section
from exprimo.report.interpret.figures import interpretation_charts
from exprimo.report.interpret.profile import position_name
from exprimo.report.interpret.reading import (
    InterpretationFolder,
    is_interpretation,
    read_interpretation,
)
from exprimo.report.interpret.tables import feature_table
from exprimo.report.wording import counted, listed, percent, with_interval

FOLDER = "interpretation"


def interpretation_section(folder: Path, sharing: int = 1) -> Section | None:
    """Show RUN/interpretation on a Run's own page; None of other folders, and where none is.

    Examples
    --------
    >>> interpretation_section(Path("no run")) is None
    True
    """
    own = folder / FOLDER
    # Studies show theirs themselves, in the place that suits them.
    if not (folder / "metrics.json").is_file() or not is_interpretation(own):
        return None
    found = read_interpretation(own, f"{FOLDER}/")
    charts = interpretation_charts(found)
    keys = [chart.key for chart in charts]
    values = {
        "sentences": sentences(found),
        "wide": [key for key in keys if not key.startswith("map_")],
        "maps": [key for key in keys if key.startswith("map_")],
        "features": feature_table(own, found),
        "files": [
            found.file(name)
            for name in ("interpretation.json", "faithfulness.json")
            if (own / name).is_file()
        ],
    }
    title = "What the model looks at"
    return Section(FOLDER, title, title, "interpretation.html.j2", values, charts)


def sentences(found: InterpretationFolder) -> list[str]:
    """Say what was explained, where importance is greatest, and whether to believe it."""
    told, part = found.summary, found.summary.get("part") or "test"
    which = "examples" if part == "all" else f"{part} examples"
    of = told.get("n_of")
    many = f" of {of:,}" if of and of > told["n_examples"] else ""
    inputs = listed([str(name) for name in told.get("inputs") or ()])
    read = f" by {inputs}" if inputs else ""
    n = f"{told['n_examples']:,}{many} {which}"
    said = [f"{found.method} of {found.explained}{read}, {n}, per {found.summary['scale']}."]
    said += [words] if (words := learned_words(found)) else []
    if found.profile is not None and (peak := strongest(found.profile)) is not None:
        position, share = peak
        said.append(
            f"Most important is position {position_name(position)} relative to the TSS; "
            f"{percent(share)} of all importance lies within {NEAR} bases of it."
        )
    share_missed = (told.get("convergence") or {}).get("share")
    if share_missed is not None:
        said.append(
            f"Contributions miss the change of the output by {percent(float(share_missed))} "
            "(median)."
        )
    known = (told.get("recovery") or {}).get("mean")
    if known:
        auroc = with_interval(known["value"], known["low"], known["high"])
        said.append(f"AUROC against known sites, per example: {auroc}.")
    banner = found.verdict.banner()
    n_checks = sum(check.passed == "yes" for check in found.verdict.checks)
    said.append(f"{banner}." if banner else f"It passes {counted(n_checks, 'check')}.")
    return said


def learned_words(found: InterpretationFolder) -> str:
    """Say how many of the examples the model learned from; nothing where it is none."""
    if found.n_learned is None:
        part = found.summary.get("part")
        if part == "train":
            return "These examples were learned from: what is found holds for them."
        return "Which of them were learned from is not known." if part == "all" else ""
    return f"{found.learned_from}: what is found holds for these." if found.learned_from else ""
