"""Signals of a trait in a region: from a table of associations one, of fine-mapping each set."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq
from scipy.special import logsumexp

from exprimo.core.errors import FormatError, InputError
from exprimo.genetics.associations import Region, bare_chrom
from exprimo.genetics.coloc.traits import Floats, Trait, factors_of_trait
from exprimo.genetics.finemap.signals import SIGNALS_FILE
from exprimo.genetics.finemap.tables import NO_FOLD

WHOLE = 0
"""Number of the signal of a table: whatever is associated, as one. Credible sets count from 1."""

# Share of a signal's posterior that must lie on variants of the other trait: of a signal whose
# likely variants are not there nothing can be said (the rule of Wallace 2021).
LEAST_COVERED = 0.5
_VARIANT = ["variant_id", "chrom", "pos", "ref", "alt"]


class Signals(NamedTuple):
    """Signals of one trait in one region.

    Attributes
    ----------
    rows
        (variants,): ``variant_id, chrom, pos, ref, alt``; of a table of associations also
        ``beta, se, p, ...``.
    numbers
        (signals,): which credible set; `WHOLE` of a table.
    log_bf
        (signals, variants); None of a table, whose factors are made when variants are matched.
    direction
        (signals, variants): sign of the effect of ALT.
    """

    rows: pd.DataFrame
    numbers: tuple[int, ...]
    log_bf: Floats | None
    direction: Floats

    def of(self, chosen: npt.NDArray[np.intp]) -> Signals:
        """Keep some variants, in this order."""
        return Signals(
            self.rows.iloc[chosen].reset_index(drop=True),
            self.numbers,
            None if self.log_bf is None else self.log_bf[:, chosen],
            self.direction[:, chosen],
        )

    def covered(self, chosen: npt.NDArray[np.intp]) -> Floats:
        """Give the share of each signal's posterior that lies on some variants, (signals,)."""
        if self.log_bf is None:
            return np.ones(len(self.numbers))
        part = logsumexp(self.log_bf[:, chosen], axis=1)
        return np.asarray(np.exp(part - logsumexp(self.log_bf, axis=1)), dtype=np.float64)

    def factors(self, trait: Trait, file: str | Path) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Give log Bayes factors, (signals, variants), and which variants have one."""
        if self.log_bf is not None:
            return self.log_bf, np.ones(len(self.rows), dtype=np.bool_)
        made, known = factors_of_trait(self.rows, trait, file)
        return made[None, :], known


def whole_signal(rows: pd.DataFrame) -> Signals:
    """Take all associations of a region for one signal."""
    sign = np.sign(rows["beta"].to_numpy(np.float64))
    return Signals(rows.reset_index(drop=True), (WHOLE,), None, sign[None, :])


def signals_file(path: str | Path) -> Path | None:
    """Give the file of signals where this is a folder of fine-mapping; else None."""
    folder = Path(path)
    if not folder.is_dir() or not (folder / "credible_sets.parquet").is_file():
        return None
    file = folder / SIGNALS_FILE
    if not file.is_file():
        raise InputError(
            "fine-mapping without the Bayes factors of its signals",
            file=folder,
            found=", ".join(sorted(one.name for one in folder.iterdir())[:6]),
            expected=SIGNALS_FILE,
            remedy="Run exprimo eqtl finemap again: earlier versions did not write them",
        )
    return file


def read_signals(
    file: Path, genes: Collection[str] = (), region: Region | None = None
) -> Iterator[tuple[str, Signals]]:
    """Give the signals of each gene that has any, of all people (not of folds).

    Parameters
    ----------
    file
        ``signals.parquet`` of `exprimo eqtl finemap`.
    genes, region
        These genes only; variants of this stretch only.
    """
    n_given, there = 0, set[str]()
    try:
        table = pq.ParquetFile(file)
        for number in range(table.num_row_groups):
            rows = table.read_row_group(number).to_pandas()
            there.update(rows["phenotype_id"].unique())
            for gene, part in rows.groupby("phenotype_id", sort=False):
                of_all = part[part["fold"] == NO_FOLD]
                if (genes and gene not in genes) or of_all.empty:
                    continue
                found = _within(_signals(of_all), region)
                if len(found.rows):
                    n_given += 1
                    yield str(gene), found
    except (OSError, KeyError, ValueError) as error:
        raise FormatError("not a table of signals", file=file, found=error) from error
    if not n_given:
        raise InputError(
            "no signal is left",
            file=file,
            found=f"{table.metadata.num_rows:,} rows, of {', '.join(sorted(there)[:5])}",
            expected=f"credible sets of {', '.join(sorted(genes)[:5]) or 'a gene'}, mapped in all "
            "people (without folds)",
        )


def _signals(part: pd.DataFrame) -> Signals:
    """Turn rows of a gene, signal after signal over the same variants, into a matrix."""
    numbers = part["cs_id"].unique()
    shape = (len(numbers), len(part) // len(numbers))
    rows = part.iloc[: shape[1]][_VARIANT].reset_index(drop=True)
    names = {name: bare_chrom(str(name)) for name in rows["chrom"].unique()}
    return Signals(
        rows.assign(chrom=rows["chrom"].map(names)),
        tuple(int(number) for number in numbers),
        part["log_bf"].to_numpy(np.float64).reshape(shape),
        part["direction"].to_numpy(np.float64).reshape(shape),
    )


def _within(signals: Signals, region: Region | None) -> Signals:
    if region is None:
        return signals
    rows = signals.rows
    here = (rows["chrom"] == bare_chrom(region.chrom)) & rows["pos"].between(
        region.start + 1, region.end
    )
    return signals.of(np.flatnonzero(here.to_numpy()))
