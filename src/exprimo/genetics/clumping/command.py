"""Clump a table of associations by the linkage of a panel, as PLINK 1.9's ``--clump``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from exprimo.core.errors import FormatError, InputError
from exprimo.core.files.atomic import atomic_file, refuse_existing
from exprimo.core.files.origin import P_VALUE, provenance_path, with_column_sources, write_table
from exprimo.core.files.provenance import describe_origin
from exprimo.core.run import write_json
from exprimo.data.genotypes import open_genotypes
from exprimo.genetics.alleles import allele_key, nothing_matched
from exprimo.genetics.associations import bare_chrom, of_one_trait, read_associations
from exprimo.genetics.clumping.greedy import ClumpConfig, Clumps, LinkageMeasure
from exprimo.genetics.clumping.table import Chosen, Floats, choose_variants, clump_chosen

CLUMP_FORMAT = 1
COLUMNS = (
    "CHR", "F", "SNP", "BP", "P", "TOTAL", "NSIG", "S05", "S01", "S001", "S0001", "SP2",
    "REF", "ALT",
)  # fmt: skip
"""Of the table of clumps: PLINK 1.9's, and the alleles."""

# Members by p: below the last, ..., not below the first.
_LEVELS = (0.05, 0.01, 0.001, 0.0001)
_SUFFIXES = (".clumped", ".tsv", ".parquet")


class Clumped(NamedTuple):
    """What was clumped.

    Attributes
    ----------
    path
        The table; None where nothing was written.
    table
        A row an index variant, the most significant first; see `clump_associations`.
    n_clumps, n_variants
        Index variants; associations whose variant the panel has.
    n_taken
        Variants that are in the clump of another.
    counts
        What became of the associations -> rows.
    """

    path: Path | None
    table: pd.DataFrame
    n_clumps: int
    n_variants: int
    n_taken: int
    counts: dict[str, int]


def clump_associations(
    associations: str | Path,
    genotypes: str | Path,
    out: str | Path | None = None,
    *,
    p1: float = 1e-4,
    p2: float = 0.01,
    r2: float = 0.5,
    kb: float = 250.0,
    measure: LinkageMeasure = "haplotype",
    gene: str | None = None,
    samples: Sequence[str] | Path | None = None,
    columns: Mapping[str, str] | None = None,
) -> Clumped:
    """Clump associations: the most significant variant takes those that are linked with it.

    The defaults and comparisons are those of PLINK 1.9's ``--clump``: p up to ``p1``, nearer than
    ``kb``, r² above ``r2``. Variants are found by chromosome, position and alleles, whichever
    way round and of either strand; what is left by id.

    Parameters
    ----------
    associations
        A table of a GWAS or of eQTLs: parquet, TSV or CSV.
    genotypes
        VCF, BCF, PLINK 1 or PLINK 2: of the people in whom linkage is measured.
    out
        A new ``.clumped`` or ``.tsv`` (with tabs), or ``.parquet``.
    p1, p2
        Largest p-value of an index variant, and of a member that is listed. A member that is not
        listed is taken all the same.
    r2, kb
        Linkage above which, and thousands of bases within which, a variant is taken.
    measure
        Which r²: ``"haplotype"`` is PLINK 1.9's, ``"counts"`` that of copies of alleles.
    gene
        Of a table of several genes, this one.
    samples
        These people only.
    columns
        Meaning -> column of the table, where the guess would fail.

    Returns
    -------
    Clumped
        Columns of its table: ``CHR, SNP, BP`` and ``P`` of the index variant, ``F`` (1: the only
        file), ``TOTAL`` other variants in the clump, of which ``NSIG`` have p of 0.05 or more,
        ``S05, S01, S001`` less than 0.05, 0.01, 0.001 and ``S0001`` less than 0.0001; ``SP2``
        those with p up to p2, as ``ID(1)`` with commas, or NONE; ``REF, ALT`` of the panel.

    Examples
    --------
    >>> import exprimo
    >>> exprimo.clump("gwas.tsv.gz", "1000G.vcf.gz", "GWAS.clumped", r2=0.1)  # doctest: +SKIP
    """
    if out is not None:
        _check_out(out)
    config = ClumpConfig.checked(
        {"p1": p1, "p2": p2, "r2": r2, "window": round(kb * 1000), "measure": measure}
    )
    read = read_associations(associations, columns=columns, genes=None if gene is None else [gene])
    rows = of_one_trait(read.rows, associations)
    known = _Known(rows[rows["p"].notna()].reset_index(drop=True), associations)
    with open_genotypes(genotypes, samples=samples) as panel:
        chosen = choose_variants(panel, known.p_of)
        if chosen is None:
            head = next(iter(panel.blocks())).variants.head(2)
            panel_head = head.assign(pos=head["start"] + 1)
            raise nothing_matched(panel_head, known.rows, (str(genotypes), str(associations)))
    found = clump_chosen(chosen, config)
    table = _plink_table(chosen, found, config)
    n_used = len(chosen.p)
    counts = {
        **read.dropped,
        "found by id": known.n_by_id,
        "without a variant in the panel": len(known.rows) - n_used,
        "in no clump": int((found.taken_by < 0).sum()),
    }
    counts = {reason: n for reason, n in counts.items() if n}
    done = Clumped(
        None if out is None else Path(out), table, len(table), n_used,
        int(table["TOTAL"].sum()), counts,
    )  # fmt: skip
    if done.path is not None:
        _write(done.path, done, config, [associations, genotypes])
    return done


def _check_out(out: str | Path) -> None:
    if Path(out).suffix not in _SUFFIXES:
        raise InputError("unknown kind of output", file=out, expected=", ".join(_SUFFIXES))
    refuse_existing(out)


class _Known:
    """P-values by place and alleles, and by id."""

    def __init__(self, rows: pd.DataFrame, source: str | Path) -> None:
        self.rows = rows
        self.n_by_id = 0
        self._p: Floats = rows["p"].to_numpy(np.float64)
        self._used = np.zeros(len(rows), dtype=np.bool_)
        self._places: dict[tuple[str, int, str, str], int] = {}
        self._ids: dict[str, int] = {}
        self._alleles = list(zip(rows["ref"].tolist(), rows["alt"].tolist(), strict=True))
        columns = (rows["variant_id"].tolist(), rows["chrom"].tolist(), rows["pos"].tolist())
        for row, (name, chrom, pos) in enumerate(zip(*columns, strict=True)):
            ref, alt = self._alleles[row]
            placed = bool(chrom) and pos > 0 and bool(ref) and bool(alt)
            key = (chrom, pos, *allele_key(ref, alt))
            if (placed and key in self._places) or (not placed and name in self._ids):
                raise FormatError(
                    "the same variant has more than one association",
                    file=source,
                    record=f"row {row + 1}",
                    found=name or f"{chrom}:{pos}:{ref}:{alt}",
                    expected="one row for a variant",
                    remedy="Keep one row of each",
                )
            if placed:
                self._places[key] = row
            if name:
                self._ids.setdefault(name, row)

    def p_of(self, variants: pd.DataFrame) -> Floats:
        """Give p of variants as `Block.variants` has them; each association is taken once."""
        found = np.full(len(variants), np.nan)
        columns = ("variant_id", "chrom", "start", "ref", "alt")
        values = zip(*(variants[name].tolist() for name in columns), strict=True)
        for at, (name, chrom, start, ref, alt) in enumerate(values):
            alleles = allele_key(ref, alt)
            row = self._places.get((bare_chrom(chrom), start + 1, *alleles))
            by_id = row is None
            if row is None:
                row = self._ids.get(name)
                if row is None or not self._fits(row, alleles):
                    continue
            if not self._used[row]:
                self._used[row] = True
                self.n_by_id += by_id
                found[at] = self._p[row]
        return found

    def _fits(self, row: int, alleles: tuple[str, str]) -> bool:
        """Tell whether an association's alleles, where it tells both, are these."""
        ref, alt = self._alleles[row]
        return not (ref and alt) or allele_key(ref, alt) == alleles


def _plink_table(chosen: Chosen, clumps: Clumps, config: ClumpConfig) -> pd.DataFrame:
    """Name columns as PLINK 1.9 does; members stand in the order of the genotypes."""
    index = clumps.index_rows
    place = np.full(len(chosen.p), -1)
    place[index] = np.arange(len(index))
    taken = np.flatnonzero((clumps.taken_by >= 0) & (place < 0))
    clump = place[clumps.taken_by[taken]]
    level = np.searchsorted(-np.array(_LEVELS), -chosen.p[taken], side="left")
    by_level = np.zeros((len(index), len(_LEVELS) + 1), dtype=np.int64)
    np.add.at(by_level, (clump, level), 1)
    members: list[list[str]] = [[] for _ in index]
    ids = chosen.variants["variant_id"].tolist()
    for row, at in zip(taken.tolist(), clump.tolist(), strict=True):
        if chosen.p[row] <= config.p2:
            members[at].append(f"{ids[row]}(1)")
    of = chosen.variants.iloc[index]
    values: dict[str, Any] = {
        "CHR": of["chrom"].to_numpy(object),
        "F": np.ones(len(index), dtype=np.int64),
        "SNP": of["variant_id"].to_numpy(object),
        "BP": of["start"].to_numpy(np.int64) + 1,
        "P": chosen.p[index],
        "TOTAL": by_level.sum(axis=1),
        **{name: by_level[:, at] for at, name in enumerate(COLUMNS[6:11])},
        "SP2": [",".join(names) or "NONE" for names in members],
        "REF": of["ref"].to_numpy(object),
        "ALT": of["alt"].to_numpy(object),
    }
    return pd.DataFrame(values, columns=list(COLUMNS))


def _write(path: Path, done: Clumped, config: ClumpConfig, sources: Sequence[str | Path]) -> None:
    origin = describe_origin(
        [one for one in sources if Path(one).is_file()],
        kind="clumps",
        format_version=CLUMP_FORMAT,
        settings=config.model_dump(mode="json"),
        counts=done.counts,
    )
    origin = with_column_sources(origin, {name: [P_VALUE] for name in COLUMNS[4:12]})
    if path.suffix == ".parquet":
        write_table(path, done.table, origin)
        return
    with atomic_file(path) as partial:
        done.table.to_csv(partial, sep="\t", index=False)
    write_json(provenance_path(path), origin)
