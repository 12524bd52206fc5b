"""Tell by content what a file is; its name is asked only where content says nothing."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

import h5py

from exprimo.core.errors import FormatError, InputError
from exprimo.data.check.association_kind import (
    PREDICTDB,
    genetic_folder_kind,
    is_predictdb,
    weights_kind,
)
from exprimo.data.check.generated import generated_folder_kind
from exprimo.data.check.genotypes import (
    binary_genotype_kind,
    is_expression_bed,
    lists_variants,
    trio_kind,
)
from exprimo.data.check.scored_kind import ARRAY_FORMATS, parquet_kind, scored_kind
from exprimo.data.check.signal_kind import binary_signal_kind, text_signal_kind
from exprimo.data.check.table_kind import is_name_pairs, table_kind
from exprimo.data.counts import holds_quantifications
from exprimo.data.counts.reader import looks_like_htseq, looks_like_tar
from exprimo.data.foreign import looks_like_gene_hdf5
from exprimo.data.motifs import is_version_line
from exprimo.data.tabular import refuse_binary
from exprimo.data.textfile import open_text, require_file

_SAMPLED_LINES = 60
_GTF_ATTRIBUTE = re.compile(r'[^\s;="]+ +("[^"]*"|[^\s;="]+) *(;|$)')
_NOT_DATA = ("#", "track", "browser")
# What Exprimo writes as a folder, by a file that only such a folder holds.
_OWN_FOLDERS = {
    "study.json": "Exprimo study",
    "labels.tsv": "Exprimo DGE",
    "interpretation.json": "Exprimo interpretation",
    "manifest.json": "Exprimo embeddings",
    "truth/world.json": "simulated world",
}
_STRANDS = frozenset("+-.?")


def detect(path: Path) -> str:
    """Give the kind of a file or folder, a key of `FACTS`.

    Raises
    ------
    InputError
        Nothing is there, or it is cut short or packed so that its beginning cannot be read.
    """
    if not path.exists():
        if trio := trio_kind(path):
            return trio
        raise InputError("no such file or folder", file=path, remedy="Check the path")
    if path.is_dir():
        return _folder_kind(path)
    require_file(path, "a file with something in it")
    with open(path, "rb") as handle:
        magic = handle.read(4)
    if magic == b"PAR1":
        return parquet_kind(path)
    if magic == b"\x89HDF":
        return _hdf5_kind(path)
    if magic == b"SQLi":
        return PREDICTDB if is_predictdb(path) else "unknown"
    if path.suffix == ".toml":
        return "study file"
    if path.suffix == ".json":
        return "JSON file"
    if path.suffix == ".fai" and path.with_suffix("").exists():
        return "FASTA index"
    if genotypes := binary_genotype_kind(path):
        return genotypes
    if signal := binary_signal_kind(path, magic):
        return signal
    if looks_like_tar(path):
        return "HTSeq tar"
    refuse_binary(path)
    return _text_kind(path)


def _hdf5_kind(path: Path) -> str:
    try:
        with h5py.File(path, "r") as file:
            if kind := ARRAY_FORMATS.get(str(file.attrs.get("format"))):
                return kind
            if "format_version" in file.attrs:
                return "Exprimo dataset"
        return "gene HDF5" if looks_like_gene_hdf5(path) else "HDF5 file"
    except OSError:
        # Cut short, or being written: what is wrong with it is the reader's to say.
        return "Exprimo dataset"


def _folder_kind(path: Path) -> str:
    if (path / "benchmark.json").is_file():
        return "Exprimo benchmark"
    for name, kind in _OWN_FOLDERS.items():
        if (path / name).is_file():
            return kind
    if genetic := genetic_folder_kind(path):
        return genetic
    if generated := generated_folder_kind(path):
        return generated
    if (path / "provenance.json").is_file() or (path / "model.safetensors").is_file():
        return "Exprimo run"
    if holds_quantifications(path):
        return "quantified transcripts"
    files = [file for file in sorted(path.iterdir()) if file.is_file() and file.name[0] != "."]
    # One that looks right is enough: what is wrong with the others is the reader's to say.
    return "HTSeq folder" if any(_holds_htseq(file) for file in files) else "unknown"


def _holds_htseq(file: Path) -> bool:
    try:
        refuse_binary(file)
        return looks_like_htseq(file)
    except FormatError:
        return False


def _text_kind(path: Path) -> str:
    with open_text(path, "a text file") as text:
        lines = [line.rstrip("\r\n") for line in islice(text, _SAMPLED_LINES) if line.strip()]
    if not lines:
        raise FormatError("the file is empty", file=path)
    if scored := scored_kind(lines[0].split("\t")):
        return scored
    if weights := weights_kind(lines):
        return weights
    if lines[0].startswith(">"):
        return "FASTA"
    if holds_quantifications(path):
        return "quantified transcripts"
    if any(is_version_line(line) for line in lines):
        return "MEME motifs"
    if lines[0].startswith("##gff-version"):
        return "GFF3" if "3" in lines[0] else "GTF"
    if is_expression_bed(lines):
        return "expression BED"
    data = [line for line in lines if not line.startswith(_NOT_DATA)]
    if data:
        nine = _nine_column_kind(data[0])
        if nine:
            return nine
        if signal := text_signal_kind(path, data):
            return signal
        if all(_is_bed(line) for line in data):
            return "BED"
        if looks_like_htseq(path):
            return "HTSeq file"
        if is_name_pairs(data):
            return "gene names"
    return "list of variants" if lists_variants(path) else table_kind(path)


def _nine_column_kind(line: str) -> str:
    fields = line.split("\t")
    if len(fields) != 9 or fields[6] not in _STRANDS:
        return ""
    if not (fields[3].isdecimal() and fields[4].isdecimal()):
        return ""
    return "GTF" if _GTF_ATTRIBUTE.match(fields[8].lstrip()) else "GFF3"


def _is_bed(line: str) -> bool:
    words = line.split("\t") if "\t" in line else line.split()
    if len(words) < 3 or not (words[1].isdecimal() and words[2].isdecimal()):
        return False
    # Counts of two samples without a header look alike, but do not rise in every row.
    return int(words[1]) < int(words[2]) and (len(words) < 6 or words[5] in _STRANDS)
