"""The files of people: VCF, PLINK 1, expression by gene and person, covariates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pysam

from exprimo.simulate.files import write_lines
from exprimo.simulate.individuals.ancestry import Carriers
from exprimo.simulate.individuals.variants import Variants

_BED_MAGIC = bytes([0x6C, 0x1B, 0x01])
# Copies of the alternate allele (A1) to PLINK's two bits: none 11, one 10, two 00.
_BED_BITS = np.array([3, 2, 0], dtype=np.uint8)


class VcfWriter:
    """A bgzip-compressed VCF of phased genotypes, written chromosome by chromosome."""

    def __init__(self, path: Path, lengths: Mapping[str, int], samples: Sequence[str]) -> None:
        self._path = path
        self._file = pysam.BGZFile(str(path), "wb", None)
        lines = ["##fileformat=VCFv4.2", '##FILTER=<ID=PASS,Description="All filters passed">']
        lines += [f"##contig=<ID={name},length={length}>" for name, length in lengths.items()]
        lines += [
            '##INFO=<ID=AC,Number=A,Type=Integer,Description="Alternate allele count">',
            '##INFO=<ID=AN,Number=1,Type=Integer,Description="Number of alleles">',
            '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
            "\t".join(
                ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]
            ),
        ]
        self._file.write(("\n".join(lines) + "\n").encode())

    def write(self, variants: Variants) -> None:
        """Write the variants of one chromosome."""
        count, total = variants.carriers.sum(axis=1, dtype=np.int64), variants.carriers.shape[1]
        genotypes = np.empty((len(variants.alleles), total // 2, 4), dtype=np.uint8)
        genotypes[:, :, 0], genotypes[:, :, 2] = ord("\t"), ord("|")
        genotypes[:, :, 1] = ord("0") + variants.carriers[:, 0::2]
        genotypes[:, :, 3] = ord("0") + variants.carriers[:, 1::2]
        rows = zip(variants.alleles, variants.names, count.tolist(), genotypes, strict=True)
        for one, name, carried, row in rows:
            fields = f"{variants.chrom}\t{one.start + 1}\t{name}\t{one.ref}\t{one.alt}\t.\tPASS\t"
            head = f"{fields}AC={carried};AN={total}\tGT"
            self._file.write(head.encode() + row.tobytes() + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        if kind is None:
            pysam.tabix_index(str(self._path), preset="vcf", force=True)


def write_expression_bed(
    path: Path, places: pd.DataFrame, samples: Sequence[str], values: npt.NDArray[np.float64]
) -> None:
    """Write expression as FastQTL and tensorQTL read it, compressed and indexed.

    Parameters
    ----------
    places
        chrom, tss (0-based), gene_id of each row of ``values``; chromosomes together.
    """
    order = [
        row
        for _, rows in places.groupby("chrom", sort=False)
        for row in rows.sort_values("tss", kind="stable").index
    ]
    form = "\t%.4f" * len(samples) + "\n"
    chroms, tss, names = (places[name].tolist() for name in ("chrom", "tss", "gene_id"))
    with pysam.BGZFile(str(path), "wb", None) as file:
        file.write(("\t".join(["#chr", "start", "end", "gene_id", *samples]) + "\n").encode())
        for row in order:
            head = f"{chroms[row]}\t{tss[row]}\t{tss[row] + 1}\t{names[row]}"
            file.write((head + form % tuple(values[row].tolist())).encode())
    pysam.tabix_index(str(path), preset="bed", force=True)


def write_gene_matrix(
    path: Path, gene_ids: Sequence[str], samples: Sequence[str], values: npt.NDArray[np.float64]
) -> None:
    """Write a compressed TSV: gene_id, then one column per person."""
    form = "\t%.4f" * len(samples) + "\n"
    with pysam.BGZFile(str(path), "wb", None) as file:
        file.write(("\t".join(["gene_id", *samples]) + "\n").encode())
        for gene_id, row in zip(gene_ids, values.tolist(), strict=True):
            file.write((gene_id + form % tuple(row)).encode())


def write_covariates(path: Path, samples: Sequence[str], values: pd.DataFrame) -> None:
    """Write covariates as FastQTL reads them: one row each, one column per person."""
    lines = ["\t".join(["id", *samples])]
    for name in values.columns:
        lines.append("\t".join([name, *(f"{value:.4g}" for value in values[name].tolist())]))
    write_lines(path, lines)


class PlinkWriter:
    """A PLINK 1 trio, written chromosome by chromosome; A1 is the alternate allele."""

    def __init__(self, prefix: Path, people: pd.DataFrame) -> None:
        self._bim: list[str] = []
        self._prefix = prefix
        sexes = {"male": 1, "female": 2}
        rows = zip(people["sample"], people["sex"], strict=True)
        write_lines(
            prefix.with_suffix(".fam"),
            (f"{sample}\t{sample}\t0\t0\t{sexes[sex]}\t-9" for sample, sex in rows),
        )
        self._bed = prefix.with_suffix(".bed").open("wb")
        self._bed.write(_BED_MAGIC)

    def write(self, variants: Variants) -> None:
        """Write the variants of one chromosome."""
        self._bed.write(packed_genotypes(variants.carriers))
        self._bim += [
            f"{variants.chrom}\t{name}\t0\t{one.start + 1}\t{one.alt}\t{one.ref}"
            for one, name in zip(variants.alleles, variants.names, strict=True)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bed.close()
        if kind is None:
            write_lines(self._prefix.with_suffix(".bim"), self._bim)


def packed_genotypes(carriers: Carriers) -> bytes:
    """Pack genotypes as PLINK 1 does: four people to a byte, the first in the lowest bits.

    Examples
    --------
    >>> packed_genotypes(np.array([[0, 0, 0, 1, 1, 1]], dtype=np.uint8)).hex()
    '0b'
    """
    copies = carriers[:, 0::2] + carriers[:, 1::2]
    bits = np.zeros((len(copies), -(-copies.shape[1] // 4) * 4), dtype=np.uint8)
    bits[:, : copies.shape[1]] = _BED_BITS[copies]
    by_byte = bits.reshape(len(bits), -1, 4) << np.array([0, 2, 4, 6], dtype=np.uint8)
    packed: npt.NDArray[np.uint8] = by_byte.sum(axis=2, dtype=np.uint8)
    return packed.tobytes()
