"""What each kind of file holds, told in a few lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from exprimo.core.config import read_toml
from exprimo.core.dataset import Dataset
from exprimo.core.errors import FormatError
from exprimo.core.run import Run
from exprimo.core.sequence import N_CODE
from exprimo.data.annotation import read_annotation
from exprimo.data.check.association_kind import (
    ASSOCIATIONS,
    FUSION,
    GENETIC_FOLDERS,
    PGS,
    PREDICTDB,
    genetic_folder_facts,
    predictdb_facts,
    weights_facts,
)
from exprimo.data.check.findings import Findings
from exprimo.data.check.gene_hdf5_facts import gene_hdf5_facts
from exprimo.data.check.generated import (
    FIDELITY,
    GENERATOR,
    fidelity_facts,
    generator_facts,
    sample_facts,
)
from exprimo.data.check.genotypes import (
    expression_bed_facts,
    plink_facts,
    site_list_facts,
    vcf_facts,
)
from exprimo.data.check.people_kind import covariate_facts
from exprimo.data.check.scored_kind import ARRAY_FORMATS, array_facts, scored_facts
from exprimo.data.check.signal_facts import (
    csv_facts,
    gene_sequence_facts,
    npz_facts,
    stack_facts,
    track_facts,
    track_table_facts,
)
from exprimo.data.check.table_kind import Sampled
from exprimo.data.counts import check_quantified, read_counts
from exprimo.data.fasta import read_fasta
from exprimo.data.motifs import read_motifs
from exprimo.data.names import read_gene_names
from exprimo.data.samples import read_samples
from exprimo.data.sequence_table import read_sequence_table
from exprimo.data.targets import read_targets

_RUN_FILES = (
    "config.toml",
    "split.parquet",
    "metrics.json",
    "predictions.parquet",
    "ledger.parquet",
)
_SHOWN = 8


def _fasta(path: Path) -> Findings:
    lengths: dict[str, int] = {}
    bases = np.zeros(5, dtype=np.int64)
    for name, codes in read_fasta(path):
        lengths[name] = len(codes)
        bases += np.bincount(codes, minlength=5)
    known = int(bases.sum() - bases[N_CODE])
    facts = {
        "records": f"{len(lengths):,} ({_some(lengths)})",
        "bases": f"{int(bases.sum()):,}, longest record {max(lengths.values()):,}",
        "N": _share(int(bases[N_CODE]), int(bases.sum())),
        "GC": _share(int(bases[1] + bases[2]), known),
    }
    return Findings(facts, [] if known else [f"{path}: no base is known, all are N."])


def _annotation(path: Path) -> Findings:
    found = read_annotation(path)
    facts = {
        "genes": f"{len(found.genes):,}",
        "transcripts": f"{len(found.transcripts):,}",
        "exons": f"{len(found.exons):,}",
        "coding stretches": f"{len(found.cds):,}",
        "chromosomes": f"{len(found.chromosomes):,} ({_some(found.chromosomes)})",
    }
    return Findings(facts | _notes(found.notes), [])


def _counts(path: Path) -> Findings:
    counts = read_counts(path)
    sums = counts.matrix.sum()
    silent = int((counts.matrix.to_numpy().max(axis=1) == 0).sum())
    facts = {
        "format": str(counts.notes["format"]),
        "genes": f"{len(counts.matrix):,}, {silent:,} of them without any read",
        "samples": f"{len(counts.samples):,} ({_some(counts.samples)})",
        "reads per sample": f"{int(sums.min()):,} to {int(sums.max()):,}",
    }
    if counts.classes:
        facts["classes"] = _some(dict.fromkeys(counts.classes.values()))
    if counts.notes["trailer_rows"]:
        facts["trailer rows left out"] = str(counts.notes["trailer_rows"])
    empty = [str(name) for name in sums.index[sums == 0]]
    problems = [f"{path}, sample {name}: not a single read was counted." for name in empty]
    return Findings(facts, problems)


def _quantified(path: Path) -> Findings:
    found = check_quantified(path)
    reads = list(found.reads.values())
    facts = {
        "format": f"{found.program} quantifications",
        "samples": f"{len(reads):,} ({_some(found.reads)})",
        "transcripts": f"{found.transcripts:,}",
        "reads per sample": f"{min(reads):,.0f} to {max(reads):,.0f}",
    }
    empty = [name for name, sum_of in found.reads.items() if not sum_of]
    problems = [f"{path}, sample {name}: not a single read was assigned." for name in empty]
    return Findings(facts, problems)


def _samples(path: Path) -> Findings:
    samples = read_samples(path)
    facts = {"samples": f"{len(samples):,} ({_some(map(str, samples.index))})"}
    for name, column in samples.items():
        values = column.dropna()
        missing = len(column) - len(values)
        if column.dtype == np.float64:
            text = f"{values.min():g} to {values.max():g}"
        else:
            text = ", ".join(f"{v} × {n}" for v, n in values.value_counts()[:_SHOWN].items())
        facts[str(name)] = text + (f"; {missing:,} missing" if missing else "")
    return Findings(facts, [])


def _targets(path: Path) -> Findings:
    names = Sampled(path).numbers()
    targets = read_targets(path, names)
    facts = {"genes": f"{len(targets):,}"}
    many = len(names) > 2 * _SHOWN  # a column for each person or sample
    if many:
        facts["columns of numbers"] = f"{len(names):,}, the first of them:"
    for name in names[:_SHOWN] if many else names:
        column = targets[name].dropna()
        bounds = f", {column.min():g} to {column.max():g}" if len(column) else ""
        facts[name] = f"{len(column):,} values{bounds}; {len(targets) - len(column):,} missing"
    return Findings(facts, [])


def _sequence_table(path: Path) -> Findings:
    sampled = Sampled(path)
    sequence = sampled.sequences()[0]
    numbers = [name for name in sampled.numbers() if name != sequence]
    if not numbers:
        raise FormatError(
            "no column of numbers to learn",
            file=path,
            found=", ".join(sampled.header),
            expected=f"a target for each sequence of column {sequence!r}",
        )
    # Results stand behind coordinates and replicates in most tables, so the last one leads.
    table = read_sequence_table(
        path, sequence=sequence, target=numbers[-1], extra_targets=numbers[:-1]
    )
    facts = {
        "rows": f"{table.notes['rows']:,}",
        "sequences": f"column {sequence}, up to {table.codes.shape[1]:,} bases, "
        f"{table.notes['padded']:,} of them shorter",
    }
    for name in numbers:
        values = table.targets[name]
        facts[name] = f"{int(np.isfinite(values).sum()):,} values"
    facts["rows without " + numbers[-1]] = f"{table.notes['dropped_no_target']:,}"
    return Findings(facts, [])


def _gene_names(path: Path) -> Findings:
    names = read_gene_names(path)
    facts = {
        "pairs": f"{len(names.pairs):,}",
        "names with several counterparts": f"{len(names.ambiguous):,}",
        "rows left out": f"{names.repeated:,} repeated, {names.unnamed:,} with an empty cell",
    }
    return Findings(facts, [])


def _motifs(path: Path) -> Findings:
    motifs = read_motifs(path)
    widths = [motif.width for motif in motifs]
    bits = [motif.information for motif in motifs]
    background = zip("ACGT", motifs[0].background, strict=True)
    facts = {
        "motifs": f"{len(motifs):,} ({_some(motif.name for motif in motifs)})",
        "positions": f"{min(widths)} to {max(widths)}",
        "information": f"{min(bits):.1f} to {max(bits):.1f} bits",
        "background": ", ".join(f"{letter} {share:.3g}" for letter, share in background),
    }
    return Findings(facts, [])


def _dataset(path: Path) -> Findings:
    with Dataset.open(path) as data:
        facts = {"examples": f"{len(data):,}", "columns": ", ".join(data.columns)}
        for name, info in data.inputs.items():
            shape = " × ".join(map(str, info.shape))
            named = f" ({_some(info.labels)})" if info.labels else ""
            facts[f"input {name}"] = (
                f"{info.n_distinct:,} distinct rows of {shape} {info.dtype}{named}"
            )
        for name, target in data.targets.items():
            present = int(np.isfinite(data.target(name)).sum())
            facts[f"target {name}"] = f"{target.kind}, {present:,} values"
        facts["sha256"] = data.sha256
    return Findings(sample_facts(path) | facts, [])


def _run(path: Path) -> Findings:
    run = Run.open(path)
    absent = [name for name in _RUN_FILES if not (path / name).is_file()]
    facts = {"written by": f"Exprimo {run.provenance.get('exprimo', '?')}"}
    if "split.parquet" not in absent:
        parts, sizes = np.unique(run.split.part, return_counts=True)
        shares = [f"{part} {size:,}" for part, size in zip(parts, sizes, strict=True)]
        facts["split"] = ", ".join([run.split.strategy, *shares])
    if "ledger.parquet" not in absent:
        for fitted, units in run.ledger.learned.items():
            facts[f"{fitted} learned from"] = ", ".join(
                f"{len(keys):,} by {unit}" for unit, keys in units.items()
            )
    if "predictions.parquet" not in absent:
        facts["predictions"] = f"{len(run.predictions()):,}"
    return Findings(facts, [f"{path}: {name} is missing." for name in absent])


def _benchmark(path: Path) -> Findings:
    runs = sorted(folder.parent.name for folder in path.glob("runs/*/provenance.json"))
    return Findings({"runs": f"{len(runs):,} ({_some(runs)})"}, [])


def _study_file(path: Path) -> Findings:
    values = read_toml(path)
    return Findings({"kind": str(values.get("kind", "not said")), "keys": _some(values)}, [])


def _parquet(path: Path) -> Findings:
    try:
        meta = pq.read_metadata(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise FormatError("a damaged parquet file", file=path, found=error) from error
    facts = {"rows": f"{meta.num_rows:,}", "columns": ", ".join(meta.schema.names)}
    return Findings(facts, [])


def _own_folder(path: Path) -> Findings:
    """Tell what a folder that Exprimo wrote holds; its reader is the report."""
    files = sorted(file.name for file in path.iterdir() if not file.name.startswith("."))
    return Findings({"files": _some(files)}, [])


def _json(path: Path) -> Findings:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise FormatError("not valid JSON, or cut short", file=path, found=error) from error
    keys = _some(values) if isinstance(values, dict) else type(values).__name__
    return Findings({"keys": keys}, [])


def _fasta_index(path: Path) -> Findings:
    lines = path.read_text(encoding="utf-8").splitlines()
    return Findings({"records": f"{len(lines):,}", "of": path.with_suffix("").name}, [])


def _unknown(path: Path) -> Findings:
    raise FormatError(
        "not a kind of file that Exprimo reads",
        file=path,
        expected="FASTA, GTF, GFF3, BED, counts, quantified transcripts, samples, targets, a "
        "table of sequences, gene names, MEME motifs, tracks of signal (BigWig, bedGraph, BED, "
        "BAM) or a table of them, binned signal, sequences of genes, genes in HDF5, genotypes "
        "(VCF, BCF, PLINK), a list of variants, an expression BED, covariates, associations, "
        "weights of scores (PGS Catalog, PredictDB, FUSION), a dataset, or what a command of "
        "Exprimo wrote: a run, a study, an explanation, a generator and its check",
    )


FACTS: Mapping[str, Callable[[Path], Findings]] = {
    "FASTA": _fasta,
    "GTF": _annotation,
    "GFF3": _annotation,
    "BED": _annotation,
    "counts": _counts,
    "HTSeq file": _counts,
    "HTSeq folder": _counts,
    "HTSeq tar": _counts,
    "quantified transcripts": _quantified,
    "samples": _samples,
    "covariates": covariate_facts,
    "targets": _targets,
    "sequence table": _sequence_table,
    "gene names": _gene_names,
    "MEME motifs": _motifs,
    "BigWig track": track_facts,
    "bedGraph track": track_facts,
    "reads (BED)": track_facts,
    "reads (BAM)": track_facts,
    "binned signal (CSV)": csv_facts,
    "binned signal (NPZ by cell type)": npz_facts,
    "binned signal (NumPy stack)": stack_facts,
    "sequences of genes": gene_sequence_facts,
    "table of signal tracks": track_table_facts,
    "VCF": vcf_facts,
    "BCF": vcf_facts,
    "PLINK 1 (bed, bim, fam)": plink_facts,
    "PLINK 2 (pgen, pvar, psam)": plink_facts,
    "list of variants": site_list_facts,
    "expression BED": expression_bed_facts,
    "personal predictions": scored_facts,
    "variant scores": scored_facts,
    "mutagenesis": scored_facts,
    "mutagenesis (BED)": scored_facts,
    **dict.fromkeys(ARRAY_FORMATS.values(), array_facts),
    **dict.fromkeys((ASSOCIATIONS, PGS, FUSION), weights_facts),
    PREDICTDB: predictdb_facts,
    **dict.fromkeys(GENETIC_FOLDERS, genetic_folder_facts),
    "study file": _study_file,
    "JSON file": _json,
    "FASTA index": _fasta_index,
    "Exprimo study": _own_folder,
    "Exprimo DGE": _own_folder,
    "Exprimo interpretation": _own_folder,
    "Exprimo embeddings": _own_folder,
    "simulated world": _own_folder,
    "gene HDF5": gene_hdf5_facts,
    "Exprimo dataset": _dataset,
    "HDF5 file": _dataset,
    "Exprimo run": _run,
    "Exprimo benchmark": _benchmark,
    GENERATOR: generator_facts,
    FIDELITY: fidelity_facts,
    "parquet table": _parquet,
    "unknown": _unknown,
}


def _some(names: Iterable[object]) -> str:
    listed = [str(name) for name in names]
    return ", ".join(listed[:_SHOWN]) + (", ..." if len(listed) > _SHOWN else "")


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _notes(notes: Mapping[str, int]) -> dict[str, str]:
    return {name.replace("_", " "): f"{count:,}" for name, count in notes.items()}
