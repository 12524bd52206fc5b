"""Scores as a VCF: one record per variant, sorted, packed and indexed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import pysam

from exprimo.core.files.atomic import atomic_file
from exprimo.core.files.provenance import exprimo_version
from exprimo.scoring.shards.tables import Tables, TableWriter
from exprimo.scoring.variants.scores import meaning

_ENTRY = ("gene_id", "track", "ref_pred", "alt_pred", "raw_score", "absolute_score", "quantile")
_RECORD = ["chrom", "pos", "ref", "alt"]
# What an entry of a list in INFO may not hold.
_ALLOWED = "!\"#$&'()*+-./:<>?@[\\]^_`{}~"


def vcf_writer(lengths: Mapping[str, int]) -> TableWriter:
    """Make the writer of a VCF on chromosomes of some lengths, which also give their order.

    All scores of one variant stand in ``INFO/EXPRIMO``: entries with commas between them, the
    fields of an entry with ``|``, as the header says. ``EXPRIMO_MAX`` is the score that is
    largest in size. ``REF_EXCHANGED`` and ``CONTAINS_UNKNOWN`` are flags. A space, comma,
    semicolon, equals sign or ``|`` in a name is written as ``%20`` and so on.

    The records are sorted, so the whole table is held in memory.
    """

    def write(out: Path, tables: Tables, origin: dict[str, Any]) -> int:
        table = pd.concat([one.to_pandas() for one in tables], ignore_index=True)
        entry = [name for name in _ENTRY if name in table]
        header = _header(lengths, entry, origin)
        with atomic_file(out) as partial:
            packed = partial.with_name(f".{partial.name}.bgz")
            try:
                _pack(packed, [*header, *_records(table, list(lengths), entry)])
                os.replace(packed, partial)
            finally:
                packed.unlink(missing_ok=True)
        index = out.with_name(f"{out.name}.tbi")
        with atomic_file(index) as partial:
            pysam.tabix_index(str(out), preset="vcf", index=str(partial), keep_original=True)
        return len(table)

    return write


def _pack(path: Path, lines: Iterable[str]) -> None:
    with pysam.BGZFile(str(path), "wb", None) as handle:
        for line in lines:
            handle.write(f"{line}\n".encode())


def _header(lengths: Mapping[str, int], entry: list[str], origin: dict[str, Any]) -> list[str]:
    identity = origin.get("identity", {})
    score = identity.get("score", "difference")
    return [
        "##fileformat=VCFv4.3",
        f"##source=exprimo {exprimo_version()}",
        f"##exprimo_model={json.dumps(origin.get('model', ''))}",
        f"##exprimo_model_sha256={identity.get('model_digest', '')}",
        f"##exprimo_score={score}: {meaning(score)}",
        f"##exprimo_center={identity.get('center', '')}",
        *(f"##contig=<ID={name},length={length}>" for name, length in lengths.items()),
        '##INFO=<ID=EXPRIMO,Number=.,Type=String,Description="Predicted effects. Format: '
        f'{"|".join(entry)}">',
        '##INFO=<ID=EXPRIMO_MAX,Number=1,Type=Float,Description="The raw_score largest in size">',
        '##INFO=<ID=REF_EXCHANGED,Number=0,Type=Flag,Description="REF and ALT were exchanged '
        'to fit the genome">',
        '##INFO=<ID=CONTAINS_UNKNOWN,Number=0,Type=Flag,Description="N stands in a window">',
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
    ]


def _records(table: pd.DataFrame, chromosomes: list[str], entry: list[str]) -> Iterator[str]:
    """Give one line per variant, in the order of the genome."""
    rank = table["chrom"].map({name: at for at, name in enumerate(chromosomes)})
    group = table.groupby(_RECORD, sort=False).ngroup().to_numpy()
    order = np.lexsort((group, table["pos"].to_numpy(), rank.to_numpy()))
    table, group = table.iloc[order], group[order]
    entries = _entries(table[entry])
    score = table["raw_score"].to_numpy()
    bounds = np.flatnonzero(np.diff(group, prepend=-1, append=-1))
    exchanged = ~table["ref_match"].to_numpy(np.bool_)
    unknown = table["contains_unknown"].to_numpy(np.bool_)
    named = table[["chrom", "pos", "variant_id", "ref", "alt"]].to_numpy()
    for low, high in pairwise(bounds.tolist()):
        chrom, pos, name, ref, alt = named[low]
        info = ["EXPRIMO=" + ",".join(entries[low:high])]
        known = score[low:high][~np.isnan(score[low:high])]
        if len(known):
            info.append(f"EXPRIMO_MAX={known[np.argmax(np.abs(known))]:.6g}")
        if exchanged[low]:
            info.append("REF_EXCHANGED")
        if unknown[low:high].any():
            info.append("CONTAINS_UNKNOWN")
        label = str(name).replace(";", "%3B").replace(" ", "_") or "."
        yield f"{chrom}\t{pos}\t{label}\t{ref}\t{alt}\t.\t.\t{';'.join(info)}"


def _entries(table: pd.DataFrame) -> list[str]:
    columns = [
        [quote(str(value), safe=_ALLOWED) for value in table[name]]
        if name in ("gene_id", "track")
        else ["." if np.isnan(value) else f"{value:.6g}" for value in table[name]]
        for name in table
    ]
    return ["|".join(fields) for fields in zip(*columns, strict=True)]
