"""The section of a report in which the reader types a gene."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ExprimoError
from exprimo.report.dge.reading import is_dge_folder, read_dge
from exprimo.report.document.page import Section
from exprimo.report.files import read_json
from exprimo.report.genes.examples import Shown, embedded_examples, shown_examples
from exprimo.report.genes.importance import find_explanation, read_importance
from exprimo.report.genes.inputs import embedded_features, embedded_signal
from exprimo.report.genes.packing import unpacked
from exprimo.report.genes.places import GENE_MODELS, embedded_models, embedded_places
from exprimo.report.genes.tables import (
    GeneTable,
    dge_tables,
    embedded_table,
    individual_places,
    individual_tables,
)
from exprimo.report.individual.reading import is_individual_study, read_individual_study
from exprimo.report.runs.material import Material
from exprimo.report.runs.reading import read_material
from exprimo.report.wording import counted

MOST_NUMBERS = 1_200_000
"""Contributions of bases, and as many numbers of chromatin profiles, that a file holds."""

SCRIPTS = ("gene_parts.js", "gene_logo.js", "gene_plots.js", "gene.js")
STYLE = "gene.css"


class _Found(NamedTuple):
    """What a folder knows of genes."""

    material: Material | None
    tables: list[GeneTable]
    places: pd.DataFrame | None


def gene_section(folder: Path, sharing: int = 1) -> Section | None:
    """Make the section of a folder's report; None where it knows nothing of single genes.

    Parameters
    ----------
    folder
        Of a study, a benchmark, a Run or a test for differential expression.
    sharing
        How many such sections the file holds.
    """
    found = _find(folder)
    if found.material is None and not found.tables:
        return None
    most = MOST_NUMBERS // max(sharing, 1)
    with _dataset(folder, found.material) as data:
        shown = shown_examples(found.material, data) if found.material is not None else None
        genes = _genes(shown, found.tables)
        if not len(genes):
            return None
        embedded, notes, sources = _embedded(folder, found, shown, genes, data, most)
    values = {
        "n_genes": counted(len(genes), "gene"),
        "notes": notes,
        "sources": sources,
        "method": (embedded["sequence"] or {}).get("method", ""),
        "banner": (embedded["sequence"] or {}).get("banner", ""),
    }
    return Section(
        "gene",
        "A gene",
        "A gene",
        "gene.html.j2",
        values,
        data=embedded,
        scripts=SCRIPTS,
        styles=(STYLE,),
    )


def _find(folder: Path) -> _Found:
    if is_individual_study(folder):
        study = read_individual_study(folder)
        return _Found(None, individual_tables(study, folder), individual_places(study, folder))
    if is_dge_folder(folder):
        return _Found(None, dge_tables(read_dge(folder)), None)
    if not (folder / "study.json").is_file():
        return _Found(read_material(folder), [], None)
    parts = read_json(folder / "study.json").get("parts") or {}
    place, tested = (parts.get(name) for name in ("benchmark", "dge"))
    here = place is not None and (folder / str(place)).is_dir()
    material = read_material(folder / str(place), f"{place}/") if here else None
    known = tested is not None and is_dge_folder(folder / str(tested))
    tables = dge_tables(read_dge(folder / str(tested), f"{tested}/")) if known else []
    return _Found(material, tables, None)


@contextlib.contextmanager
def _dataset(folder: Path, material: Material | None) -> Iterator[Dataset | None]:
    """Open the dataset that the predictions are of, if it is still there and the same."""
    if material is None:
        yield None
        return
    told = str(material.dataset.get("path") or "")
    for path in (folder / "dataset.h5", folder.parent / "dataset.h5", Path(told)):
        if not path.is_file():
            continue
        try:
            data = Dataset.open(path)
        except ExprimoError:
            # A page must not fail for a file that it does without; the section says so.
            continue
        with data:
            if data.sha256 == material.dataset.get("sha256"):
                yield data
                return
    yield None


def _genes(shown: Shown | None, tables: Sequence[GeneTable]) -> pd.Index[str]:
    """Give every gene once: those with predictions first."""
    own = [] if shown is None else list(pd.unique(shown.table["gene_id"]))
    if shown is None:
        own = [gene for table in tables for gene in pd.unique(table.frame["gene_id"])]
    return pd.Index(dict.fromkeys(map(str, own)), dtype=object)


def _embedded(
    folder: Path,
    found: _Found,
    shown: Shown | None,
    genes: pd.Index[str],
    data: Dataset | None,
    most: int,
) -> tuple[dict[str, Any], list[str], list[str]]:
    notes: list[str] = []
    sources: list[str] = []
    made: dict[str, Any] = {"version": 1, "id": list(genes), "name": None, "first": 0}
    made |= dict.fromkeys(("examples", "places", "models", "sequence", "features", "signal"))
    places = found.places
    if shown is not None and found.material is not None:
        made["examples"] = embedded_examples(shown, found.material, genes)
        names = shown.table.drop_duplicates("gene_id").set_index("gene_id")["name"]
        made["name"] = names.reindex(genes).fillna("").tolist() if names.any() else None
        notes += shown.notes
        sources += [p.sources[0] for p in shown.predictions]
        places = shown.table
        if data is None:
            notes.append("The dataset was not found, so that nothing of its inputs is shown.")
        else:
            made["features"] = embedded_features(shown, data)
            made["signal"], left = embedded_signal(shown, data, most)
            notes += left
            # From the page's folder a dataset may lie anywhere, so only its name is told.
            sources.append(data.path.name)
    made["tables"] = [embedded_table(table, genes) for table in found.tables]
    sources += [source for table in found.tables for source in table.sources]
    made["places"] = None if places is None else embedded_places(places, genes)
    explanation = find_explanation(folder)
    explained: list[str] = []
    if explanation is not None and shown is not None:
        ids = pd.Index(shown.table["example_id"])
        told = read_importance(explanation, ids, most)
        if told is not None:
            made["sequence"] = told.data
            notes += told.notes
            sources.append(told.source)
            explained = told.example_id
    holder = explanation if explanation is not None else folder
    holder = holder if (holder / GENE_MODELS).is_file() else folder
    place = "" if holder == folder else f"{holder.name}/"
    made["models"] = embedded_models(holder, place, genes)
    if made["models"] is not None:
        sources.append(made["models"]["source"])
        made["first"] = int(unpacked(made["models"]["locus"])[0])
    if shown is not None:
        made["first"] = _first(shown, explained, genes)
    return made, notes, list(dict.fromkeys(sources))


def _first(shown: Shown, explained: Sequence[str], genes: pd.Index[str]) -> int:
    """Choose the gene that the page opens with: a test gene, of explained ones the highest."""
    mine = shown.table["example_id"].isin(explained).to_numpy()
    if not mine.any():
        mine = (shown.table["part"] == "test").to_numpy()
    if not mine.any() or not shown.predictions:
        return 0
    value = np.where(mine, np.nan_to_num(shown.predictions[0].mean, nan=-1e30), -np.inf)
    best = str(shown.table["gene_id"].iloc[int(value.argmax())])
    return int(genes.get_indexer(pd.Index([best]))[0])
