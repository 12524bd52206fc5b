"""Motifs in what the most faithful method shows, and what the network says of them alone."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from exprimo.core.errors import ExprimoError
from exprimo.core.files.atomic import atomic_file
from exprimo.data.motifs import read_motifs
from exprimo.interpret.attributions.store import Attributions
from exprimo.interpret.motifs.files import MEME_FILE
from exprimo.interpret.motifs.libraries import JASPAR
from exprimo.report.methods.reading import INSERTION, MOTIFS, PLANTED
from exprimo.studies.interpretation.config import Interpretation
from exprimo.studies.interpretation.truth import planted_table
from exprimo.studies.motifs import motifs_find, motifs_insert

# TF-MoDISco-lite looks at no more seqlets of a sign than this: time goes with their square.
_MOST_SEQLETS = 600
_PACKAGES = (("modiscolite", "interpret"), ("pyjaspar", "motifs"))


def missing_extras(wanted: Interpretation) -> list[str]:
    """Name the extras of Exprimo that the discovery of motifs would need and that are absent."""
    named = wanted.motifs == JASPAR
    return [
        extra
        for package, extra in _PACKAGES
        if (package != "pyjaspar" or named) and find_spec(package) is None
    ]


def find_in(explained: Path, out: Path, wanted: Interpretation, library: str | Path) -> str:
    """Find motifs in an explanation; give what stands in their way, or nothing.

    Parameters
    ----------
    library
        ``wanted.motifs``, with the path of a file as seen from here.
    """
    if (out / MOTIFS).exists():
        return ""
    if not wanted.find_motifs:
        return "not asked for"
    missing = missing_extras(wanted)
    if missing:
        return f"needs pip install 'exprimo[{','.join(missing)}]'"
    with Attributions.open(explained) as found:
        if not found.has_hypothetical():
            return "this method does not say what each base would contribute"
    try:
        motifs_find(
            explained,
            out / MOTIFS,
            jaspar=library,
            tax_group=wanted.tax_group,
            most_seqlets=_MOST_SEQLETS,
        )
    except ExprimoError as error:
        return " ".join(str(error).split())
    return ""


def found_motifs(out: Path) -> tuple[Path | None, list[str]]:
    """Give the MEME file of motifs found, and their ids, those with the most seqlets first."""
    folder = out / MOTIFS
    if not folder.is_dir():
        return None, []
    table = pd.read_csv(folder / "motifs.tsv", sep="\t", dtype={"pattern": str})
    order = table.sort_values("seqlets", ascending=False, kind="stable")["pattern"]
    names = [str(name) for name in order]
    return (folder / MEME_FILE if names else None), names


def compare_with_planted(truth: Path, out: Path) -> dict[str, Any]:
    """Write which planted motifs were found; give how many of how many."""
    meme, names = found_motifs(out)
    table = planted_table(truth, meme)
    with atomic_file(out / PLANTED) as partial:
        table.to_csv(partial, sep="\t", index=False, float_format="%.7g", lineterminator="\n")
    found = int((table["found"] == "yes").sum())
    return {"n": len(table), "found": found, "patterns": len(names)}


def insert_in(
    run: Path,
    dataset: Path,
    out: Path,
    wanted: Interpretation,
    library: Path | None,
    threads: int | None,
) -> dict[str, Any]:
    """Insert the motifs found, or those of a file; give which, or what stands in the way.

    Parameters
    ----------
    library
        The MEME file that is named; None where there is none.
    """
    meme, names = found_motifs(out)
    whose = "found" if meme is not None else "known"
    meme = meme or library
    if not wanted.inserted or meme is None:
        return {"of": "", "refused": "" if not wanted.inserted else "no motif to insert"}
    if not (out / INSERTION).exists():
        try:
            motifs_insert(
                run,
                dataset,
                meme,
                out / INSERTION,
                device="cpu",
                threads=threads,
                only=tuple(names[: wanted.inserted] or _first(meme, wanted.inserted)),
                backgrounds=wanted.backgrounds,
            )
        except ExprimoError as error:
            return {"of": whose, "refused": " ".join(str(error).split())}
    return {"of": whose, "refused": ""}


def _first(meme: Path, most: int) -> list[str]:
    return [motif.name for motif in read_motifs(meme)[:most]]
