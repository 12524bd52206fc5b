"""VCF and BCF, by region through their index or record by record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError, InputError
from exprimo.data.genotypes.alleles import Preparation
from exprimo.data.genotypes.alleles.kinds import NO_CHROMOSOME
from exprimo.data.genotypes.alleles.prepare import rows_of, settled
from exprimo.data.genotypes.base import GenotypeFile
from exprimo.data.genotypes.calls import Calls, strings
from exprimo.data.genotypes.intact import RegionCounter
from exprimo.data.genotypes.ploidy import AUTOSOME, sex_chromosome
from exprimo.data.genotypes.samples import choose_samples
from exprimo.data.genotypes.view import MISSING, NO_COPY, Block
from exprimo.data.textfile import is_gzip

_END_OF_BGZIP = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_NO_PHASE_SET = np.iinfo(np.int32).min

Value = TypeVar("Value", np.int16, np.int32, np.float32)


class VcfGenotypes(GenotypeFile):
    """Genotypes of a VCF or BCF; see `exprimo.data.genotypes.open_genotypes`.

    Half-missing genotypes keep what is known. A lone ``.`` on an autosome is two missing copies.
    The field DS gives dosages, PS phase sets.
    """

    def __init__(
        self,
        path: Path,
        kind: str,
        asked: Sequence[str] | Path | None,
        preparation: Preparation,
    ) -> None:
        self._file = _opened(path)
        known = list(self._file.samples)
        samples, _ = choose_samples(asked, known, path)
        index = index_of(path, kind)
        self._counter = None if index is None else RegionCounter(path, index, kind)
        names = self._counter.chromosomes if self._counter else list(self._file.seqnames)
        super().__init__(path, kind, samples, names, preparation)
        self._check_header()
        if asked is not None:
            self._file.set_samples(list(samples))
        place = {name: i for i, name in enumerate(self._file.samples)}
        self._order = np.array([place[name] for name in samples])
        # Picking rows costs more than reading them: what is in order is taken as it is.
        self._in_order = np.array_equal(self._order, np.arange(len(place)))

    def _check_header(self) -> None:
        if self._file.contains("PS") and _type_of(self._file, "PS") != "Integer":
            raise FormatError(
                "phase sets that are no numbers",
                file=self.path,
                record="header, FORMAT/PS",
                found=_type_of(self._file, "PS"),
                expected="Type=Integer",
                remedy="Leave them out with bcftools annotate -x FORMAT/PS",
            )

    def region(self, chrom: str, start: int, end: int) -> Block:
        """Give all variants whose REF allele overlaps ``[start, end)``."""
        if self._counter is None:
            raise no_index(self.path, self.kind)
        self.require_chromosome(chrom)
        first, last = max(start, 0), end + self._preparation.reach
        records = []
        for their, our in self._ours.items():
            if our == chrom and end > first:
                found = list(self._file(f"{their}:{first + 1}-{last}"))
                self._counter.check(their, first, last, len(found))
                # What an INFO/END says is not what REF spans.
                records += [r for r in found if r.start < last and r.start + len(r.REF) > first]
        if not records:
            return self._nothing()
        block = self._preparation.block(self._calls(records, 0))
        starts = block.variants["start"].to_numpy()
        ends = starts + block.variants["ref"].str.len().to_numpy()
        inside = (starts < end) & (ends > first)
        return block if inside.all() else rows_of(block, inside)

    def blocks(self, variants: int = 10_000) -> Iterator[Block]:
        """Give the whole file in its order, ``variants`` records at a time."""
        return settled(self._all(variants), self._preparation.reach)

    def _all(self, variants: int) -> Iterator[Block]:
        file = _opened(self.path, self.samples)
        done = 0
        try:
            records = self._known(file)
            while batch := list(islice(records, self._rows_at_once(variants))):
                yield self._preparation.block(self._calls(batch, done))
                done += len(batch)
        finally:
            file.close()

    def _known(self, file: Any) -> Iterator[Any]:
        place = "the first record"
        try:
            for record in file:
                place = f"the record behind {record.CHROM}:{record.POS}"
                # A file without a list of chromosomes in its header tells them as it goes.
                if record.CHROM not in self._ours:
                    found = self._preparation.chromosomes([*self._ours, record.CHROM])
                    self._ours = found | {record.CHROM: found.get(record.CHROM, "")}
                    self.chromosomes = tuple(dict.fromkeys(filter(None, self._ours.values())))
                if self._ours[record.CHROM]:
                    yield record
                else:
                    for alt in record.ALT:
                        self._preparation.leave_out(
                            NO_CHROMOSOME, record.CHROM, record.start, record.REF, alt
                        )
        except Exception as error:
            if not _is_htslibs(error):
                raise
            raise _broken(self.path, error, place) from error

    def _calls(self, records: list[Any], first: int) -> Calls:
        n = len(self.samples)
        codes = np.empty((len(records), n, 2), np.int16)
        flags = np.empty((len(records), n), bool)
        for row, record in enumerate(records):
            codes[row], flags[row] = self._genotypes(record)
        return Calls(
            strings([self._ours[record.CHROM] for record in records]),
            np.array([record.start for record in records], np.int64),
            strings([record.ID or "" for record in records]),
            strings([record.REF for record in records]),
            [tuple(record.ALT) for record in records],
            np.arange(first, first + len(records)),
            codes,
            flags,
            self._phase_sets(records),
            self._dosages(records),
        )

    def _genotypes(self, record: Any) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.bool_]]:
        if "GT" not in record.FORMAT:
            raise self._wrong(record, "there are no genotypes", ":".join(record.FORMAT), "GT")
        table = self._chosen(record.genotype.array())
        copies, flags = table[:, :-1], table[:, -1] == 1
        if copies.shape[1] > 2 and (copies[:, 2:] != NO_COPY).any():
            raise self._wrong(
                record,
                "more than two copies of a chromosome",
                f"{copies.shape[1]} alleles in a genotype",
                "1 or 2",
            )
        if copies.max() > len(record.ALT):
            raise self._wrong(
                record,
                "a genotype of an allele that the record does not have",
                f"allele {copies.max()}",
                f"0 to {len(record.ALT)}",
            )
        if copies.shape[1] == 1:
            copies = np.column_stack([copies, np.full(len(copies), NO_COPY)])
        elif sex_chromosome(record.CHROM) == AUTOSOME:
            lone = (copies[:, 0] == MISSING) & (copies[:, 1] == NO_COPY)
            copies[lone, 1] = MISSING
        return copies[:, :2], flags

    def _chosen(self, of_file: npt.NDArray[Value]) -> npt.NDArray[Value]:
        return of_file if self._in_order else of_file[self._order]

    def _phase_sets(self, records: list[Any]) -> npt.NDArray[np.int32] | None:
        named = [(row, r) for row, r in enumerate(records) if "PS" in r.FORMAT]
        if not named:
            return None
        sets = np.zeros((len(records), len(self.samples)), np.int32)
        for row, record in named:
            given = self._chosen(record.format("PS"))[:, 0]
            sets[row] = np.where(given == _NO_PHASE_SET, 0, given)
        return sets

    def _dosages(self, records: list[Any]) -> npt.NDArray[np.float32] | None:
        named = [(row, r) for row, r in enumerate(records) if "DS" in r.FORMAT]
        if not named:
            return None
        most = max(max(len(record.ALT), 1) for record in records)
        dosages = np.full((len(records), len(self.samples), most), np.nan, np.float32)
        for row, record in named:
            given = self._chosen(record.format("DS"))[:, :most]
            dosages[row, :, : given.shape[1]] = given
        return dosages

    def _wrong(self, record: Any, problem: str, found: str, expected: str) -> FormatError:
        return FormatError(
            problem,
            file=self.path,
            record=f"variant {record.CHROM}:{record.POS}",
            found=found,
            expected=expected,
        )

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        if self._counter is not None:
            self._counter.close()


def index_of(path: Path, kind: str) -> Path | None:
    """Give the index beside a compressed file, or None."""
    if not is_gzip(path):
        return None
    for suffix in (".csi",) if kind == "BCF" else (".tbi", ".csi"):
        beside = Path(f"{path}{suffix}")
        if beside.is_file():
            return beside
    return None


def no_index(path: Path, kind: str) -> InputError:
    """Say that regions need an index, and how to make it."""
    if kind == "BCF" and is_gzip(path):
        remedy = f"Make it with bcftools index {path}"
    elif kind == "VCF" and ends_as_bgzip(path):
        remedy = f"Make it with tabix -p vcf {path}"
    else:
        name = f"{path.with_suffix('') if path.suffix == '.gz' else path}"
        remedy = (
            f"Pack it with bcftools view -Oz -o {name}.bgz.vcf.gz {path} and make the index with "
            f"tabix -p vcf {name}.bgz.vcf.gz"
        )
    return InputError(
        "regions of this file can only be read through an index",
        file=path,
        found="none beside it",
        expected=f"{path.name}.csi" if kind == "BCF" else f"{path.name}.tbi or .csi",
        remedy=remedy,
    )


def ends_as_bgzip(path: Path) -> bool:
    """Tell whether the file ends with the empty block that ends bgzip files."""
    with open(path, "rb") as handle:
        handle.seek(0, 2)
        handle.seek(max(0, handle.tell() - len(_END_OF_BGZIP)))
        return handle.read() == _END_OF_BGZIP


def _opened(path: Path, samples: Sequence[str] | None = None) -> Any:
    import cyvcf2

    try:
        return cyvcf2.VCF(str(path), samples=None if samples is None else list(samples))
    except Exception as error:
        if not _is_htslibs(error):
            raise
        raise _broken(path, error) from error


def _type_of(file: Any, name: str) -> str:
    try:
        return str(file.get_header_type(name, order=[2])["Type"])
    except KeyError:
        return "Integer"  # not among the genotype fields


def _is_htslibs(error: Exception) -> bool:
    # cyvcf2 raises a bare Exception for a line that htslib cannot read.
    return isinstance(error, OSError | ValueError | RuntimeError) or type(error) is Exception


def _broken(path: Path, error: Exception, place: str | None = None) -> FormatError:
    return FormatError(
        "the file cannot be read as VCF or BCF",
        file=path,
        record=place,
        found=str(error),
        remedy="Check it with bcftools view, or fetch it again",
    )
