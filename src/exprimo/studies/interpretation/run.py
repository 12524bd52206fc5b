"""Explain the network of a study by several methods, and say which of them can be believed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pandas as pd

from exprimo.core.errors import ExprimoError, InputError, MismatchError
from exprimo.core.files.atomic import atomic_file
from exprimo.core.files.provenance import describe_origin
from exprimo.core.run import Run, write_json
from exprimo.interpret.attributions.method import MethodConfig, MethodName
from exprimo.interpret.explain import explain_as
from exprimo.interpret.faithfulness.agreement import agreement
from exprimo.interpret.faithfulness.config import CheckConfig
from exprimo.interpret.work import Asked
from exprimo.report.files import read_json
from exprimo.report.methods.reading import (
    AGREEMENT,
    METHOD_COLUMNS,
    METHODS,
    METHODS_FORMAT,
    SUMMARY,
)
from exprimo.studies.interpretation.config import Interpretation
from exprimo.studies.interpretation.motifs import compare_with_planted, find_in, insert_in
from exprimo.studies.interpretation.tables import method_row, most_faithful, refused_row
from exprimo.studies.interpretation.truth import TRUTH_FILES, write_acting_sites

SETTINGS, SITES = "interpretation.toml", "acting_sites.bed"


def interpret_study(
    run: str | Path,
    dataset: str | Path,
    out: str | Path,
    wanted: Interpretation,
    *,
    home: Path,
    split: str,
    truth: Path | None = None,
    threads: int | None = None,
) -> dict[str, Any]:
    """Explain a Run by several methods, look for motifs, and insert them.

    What stands in the folder from a stopped call is kept.

    Parameters
    ----------
    run
        A network that reads sequence.
    out
        The folder to write: one folder a method, ``methods.tsv``, ``agreement.json``,
        ``motifs/``, ``insertion/``, ``summary.json``; with a truth ``planted.tsv``.
    home
        The folder that a file of motifs is named from.
    split
        What the Run was judged under.
    truth
        The truth folder of a simulated world.

    Returns
    -------
    dict
        ``summary.json``.
    """
    run, dataset, folder = Path(run), Path(dataset), Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    _keep_settings(wanted, folder)
    sites = write_acting_sites(truth, folder / SITES) if truth is not None else None
    methods = _explained(run, dataset, folder, wanted, sites, threads)
    made = [str(name) for name in methods.loc[methods["refused"] == "", "method"]]
    if len(made) > 1 and not (folder / AGREEMENT).exists():
        agreement([folder / name for name in made], folder / AGREEMENT)
    best = most_faithful(methods)
    file = home / wanted.file if wanted.file else None
    library = file or wanted.motifs
    told = "nothing was explained"
    if best is not None:
        told = find_in(folder / best, folder, wanted, library)
    planted = compare_with_planted(truth, folder) if truth is not None and not told else None
    done = Run.open(run)
    summary = {
        "format_version": METHODS_FORMAT,
        "run": run.name,
        "row": _row_of(run, str(done.metrics["model"])),
        "target": done.metrics["target"],
        "split": split,
        "part": "test",
        "best": best,
        "simulated": truth is not None,
        "motifs": {"in_the_way": told, "library": str(wanted.motifs), "planted": planted},
        "insertion": insert_in(run, dataset, folder, wanted, file, threads),
        "settings": wanted.model_dump(mode="json"),
        "provenance": describe_origin([run / "model.safetensors"]),
    }
    write_json(folder / SUMMARY, summary)
    return summary


def check_sources(wanted: Interpretation, home: Path, truth: Path | None) -> None:
    """Refuse files that are not there, before anything is trained."""
    known = [truth / name for name in TRUTH_FILES] if truth is not None else []
    named = [home / wanted.file] if wanted.file else []
    for path in (*named, *known):
        if not path.is_file():
            raise InputError(
                "no such file",
                file=path,
                remedy="Name the truth folder of a simulated world under truth, and a MEME file, "
                "auto or none under interpretation.motifs",
            )


def _row_of(run: Path, model: str) -> str:
    """Give the name that a benchmark's table has for a Run; the model's own of another Run."""
    path = run.parent.parent / "benchmark.json"
    listed = read_json(path)["runs"] if path.is_file() else []
    own = (str(one["model"]) for one in listed if Path(one["folder"]).name == run.name)
    return next(own, model)


def _keep_settings(wanted: Interpretation, folder: Path) -> None:
    """Store what is asked, or refuse to go on with what other settings made."""
    path = folder / SETTINGS
    if path.exists() and Interpretation.load(path) != wanted:
        raise MismatchError(
            "this interpretation was begun with other settings",
            file=path,
            remedy=f"Restore them, or move {folder.name}/ away",
        )
    wanted.save(path)


def _explained(
    run: Path,
    dataset: Path,
    folder: Path,
    wanted: Interpretation,
    sites: Path | None,
    threads: int | None,
) -> pd.DataFrame:
    """Explain by each method, and write ``methods.tsv`` after each."""
    known: dict[str, float] = {}
    if (folder / METHODS).exists():
        before = pd.read_csv(folder / METHODS, sep="\t")
        known = dict(zip(before["method"], before["seconds"], strict=True))
    rows: list[dict[str, Any]] = []
    for method in wanted.methods:
        rows.append(_one(method, run, dataset, folder, wanted, sites, threads, known))
        table = pd.DataFrame(rows, columns=list(METHOD_COLUMNS))
        with atomic_file(folder / METHODS) as partial:
            table.to_csv(partial, sep="\t", index=False, float_format="%.7g", lineterminator="\n")
    return table


def _one(
    method: MethodName,
    run: Path,
    dataset: Path,
    folder: Path,
    wanted: Interpretation,
    sites: Path | None,
    threads: int | None,
    known: dict[str, float],
) -> dict[str, Any]:
    own, seconds = folder / method, known.get(method, float("nan"))
    if not own.exists():
        started = time.perf_counter()
        config = MethodConfig(
            method=method,
            inputs=("sequence",),
            references=wanted.references,
            centred=method == "gradient_x_input",
        )
        check = CheckConfig(examples=wanted.examples, randomised=wanted.randomised)
        # The map of a layer depends on no method, so that one serves all.
        others = (folder / name for name in wanted.methods if (folder / name).is_dir())
        asked = Asked(sites=sites, check=check, map_of=next(others, None))
        try:
            explain_as(
                run, dataset, own, config, asked,
                on="test", most=wanted.examples, resume=True, device="cpu", threads=threads,
            )  # fmt: skip
        except ExprimoError as error:
            # Another method may do: which one cannot, and why, stands in the table.
            return refused_row(method, str(error))
        seconds = time.perf_counter() - started
    return method_row(method, own, seconds)
