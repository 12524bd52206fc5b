"""The one place where each column, input and target kind of a Dataset is registered."""

from __future__ import annotations

from typing import Literal, NamedTuple

from exprimo.core.errors import InputError

TargetKind = Literal["regression", "classification", "multiclass"]
# Below this many, labels 0 and 1 say the same, and have a threshold.
FEWEST_CLASSES = 3


class ColumnSpec(NamedTuple):
    """A column of the table of examples; ``missing`` stands where a value is not known."""

    dtype: Literal["string", "int64", "bool"]
    missing: str | int | bool
    meaning: str


class InputSpec(NamedTuple):
    """A named input: one array of distinct rows, each of shape ``axes[1:]``."""

    dtype: str
    axes: tuple[str, ...]
    units: str
    meaning: str


COLUMNS: dict[str, ColumnSpec] = {
    "example_id": ColumnSpec("string", "", "unique name of the example"),
    "gene_id": ColumnSpec("string", "", "gene, without version suffix"),
    "chrom": ColumnSpec("string", "", "chromosome, as named in the FASTA"),
    "start": ColumnSpec("int64", -1, "first base of the window, 0-based"),
    "end": ColumnSpec("int64", -1, "one past the last base of the window, 0-based"),
    "strand": ColumnSpec("string", "", "'+' or '-'; inputs are in this orientation"),
    "tss": ColumnSpec("int64", -1, "0-based position of the transcription start base"),
    "cell_type": ColumnSpec("string", "", "cell type"),
    "individual": ColumnSpec("string", "", "person or strain"),
    "group": ColumnSpec("string", "", "anything that a split may keep together"),
    "clipped": ColumnSpec("bool", False, "the window left the chromosome and was padded with N"),
}

SEQUENCES = ("sequence", "sequence_2")
"""Inputs of bases: the window, and the same window of the person's other haplotype."""

INPUTS: dict[str, InputSpec] = {
    "sequence": InputSpec(
        "uint8", ("row", "position"), "base code ACGTN = 0..4", "DNA in gene orientation"
    ),
    "sequence_2": InputSpec(
        "uint8",
        ("row", "position"),
        "base code ACGTN = 0..4",
        "the same window of the person's other haplotype, in gene orientation",
    ),
    "mean_expression": InputSpec(
        "float32", ("row", "value"), "log10(count + 1)", "mean normalised count over the samples"
    ),
    "kmers": InputSpec("float32", ("row", "kmer"), "count", "k-mer counts of the whole window"),
    "kmer_bins": InputSpec(
        "uint8", ("row", "kmer", "bin"), "count", "k-mer counts per bin, gene orientation"
    ),
    "signal": InputSpec(
        "float32",
        ("row", "mark", "bin"),
        "see the dataset's provenance",
        "histone marks in bins around the TSS, gene orientation",
    ),
    "cell_context": InputSpec(
        "float32",
        ("row", "statistic", "bin"),
        "as the signal",
        "mean and standard deviation of the signal over the genes of the example's cell type",
    ),
    "gene": InputSpec(
        "int64",
        ("row", "value"),
        "64-bit hash",
        "the gene as a key made from its id; derived, never stored",
    ),
    "halflife": InputSpec(
        "float32",
        ("row", "feature"),
        "one per feature, see its label",
        "what goes with the half-life of the mRNA; NaN where a feature is not defined",
    ),
}


def input_spec(name: str) -> InputSpec:
    """Look a registered input up.

    Examples
    --------
    >>> input_spec("sequence").dtype
    'uint8'
    """
    if name not in INPUTS:
        raise InputError("unknown input", record=name, expected=", ".join(INPUTS))
    return INPUTS[name]


def column_spec(name: str) -> ColumnSpec:
    """Give the registered type of a column; a column of the user's own is a string."""
    return COLUMNS.get(name, ColumnSpec("string", "", "a column of the user's table"))
