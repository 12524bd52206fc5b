"""What files of chromatin signal hold: tracks, binned signal, sequences of genes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from exprimo.core.errors import ExprimoError
from exprimo.core.sequence import N_CODE
from exprimo.data.check.findings import Findings
from exprimo.data.signals import BinnedCell, SignalFile, open_signal, read_binned
from exprimo.data.signals.binned_cell import Numbers, numbered_marks
from exprimo.data.signals.deepchrome_csv import DEEPCHROME_MARKS
from exprimo.data.signals.gene_sequences import read_gene_sequences
from exprimo.data.signals.numpy_stacks import ArrayHead, read_heads
from exprimo.data.signals.track_table import (
    read_track_table,
    refuse_repeated,
    require_track,
)
from exprimo.data.tabular import is_number
from exprimo.data.textfile import open_text

_SHOWN = 8
# Cell types are gone through one by one, up to about this many bytes in all.
_MOST_BYTES = 1 << 30


def track_facts(path: Path) -> Findings:
    """Go through a track once: every value or read must be one that a command can use."""
    with open_signal(path) as track:
        chromosomes, total = track.chromosomes, track.total()
        lengths = [length for length in chromosomes.values() if length is not None]
        facts = {"chromosomes": f"{len(chromosomes):,} ({_some(chromosomes)})"}
        if lengths:
            facts["bases"] = f"{sum(lengths):,}"
        facts["size"] = f"{path.stat().st_size:,} bytes"
        if track.kind in ("bed", "bam"):
            facts["total"] = f"{total:,.0f} reads that count"
            empty = "not a single read counts"
        else:
            facts["total"] = f"{total:.6g}, the signal summed over all bases"
            if lengths:
                facts["mean"] = f"{total / sum(lengths):.4g} a base"
            empty = "the signal is 0 everywhere"
        if track.kind == "bigwig":
            _read_all(track)
    return Findings(facts, [] if total else [f"{path}: {empty}."])


def _read_all(track: SignalFile) -> None:
    """Read every block of a BigWig, whose index alone tells neither damage nor NaN."""
    for name, length in track.chromosomes.items():
        track.bins(name, np.zeros(1, dtype=np.int64), 1, max(length or 0, 1))


def csv_facts(path: Path) -> Findings:
    """Tell what a DeepChrome table holds; unnamed marks are numbered where they are not five."""
    with open_text(path, "binned signal") as text:
        fields = text.readline().split(",")
    n_marks = len(fields) - 3
    unnamed = is_number(fields[1].strip()) and n_marks != len(DEEPCHROME_MARKS)
    marks = numbered_marks(n_marks) if unnamed and n_marks > 0 else None
    looked = _Looked()
    looked.add(next(read_binned(path, marks=marks)))
    facts = looked.facts()
    if marks:
        facts["marks"] = f"{n_marks:,}, without names: give them with --marks"
    return Findings(facts, [])


def stack_facts(path: Path) -> Findings:
    """Tell what a stack of one cell type holds."""
    looked = _Looked()
    looked.add(next(read_binned(path)))
    return Findings(looked.facts(), [])


def npz_facts(path: Path) -> Findings:
    """Tell what an NPZ holds: the shapes of all arrays, then one cell type after another."""
    heads = read_heads(path)
    looked, problems = _Looked(), list[str]()
    chosen = _affordable(heads)
    for cell in heads:
        try:
            found = read_binned(path, cell=cell)
            if cell in chosen:
                looked.add(next(found))
        except ExprimoError as error:
            problems.append(str(error))
    facts = looked.facts() | {"cell types": f"{len(heads):,} ({_some(heads)})"}
    if len(chosen) < len(heads):
        facts["values looked at"] = f"those of {len(chosen):,} cell types ({_some(chosen)})"
    return Findings(facts, _first(problems, path))


def _affordable(heads: dict[str, ArrayHead]) -> list[str]:
    """Choose the first cell type, and those behind it as long as they are small in all."""
    sizes = [math.prod(head.shape) * head.dtype.itemsize for head in heads.values()]
    cells = zip(heads, np.cumsum(sizes).tolist(), strict=True)
    return [cell for at, (cell, size) in enumerate(cells) if not at or size <= _MOST_BYTES]


class _Looked:
    """What was seen of cell types, without their signal."""

    def __init__(self) -> None:
        self._cells: list[str] = []
        self._marks: dict[tuple[str, ...], None] = {}
        self._notes: dict[str, None] = {}
        self._bins: list[int] = []
        self._genes: list[int] = []
        self._values: list[float] = []
        self._expression: list[Numbers | None] = []
        self._label: list[Numbers | None] = []

    def add(self, found: BinnedCell) -> None:
        """Take note of one cell type."""
        self._cells.append(found.cell)
        self._marks[found.marks] = None
        if found.note:
            self._notes[found.note] = None
        self._bins.append(found.values.shape[2])
        self._genes.append(len(found.genes))
        self._values += [float(found.values.min()), float(found.values.max())]
        self._expression.append(found.expression)
        self._label.append(found.label)

    def facts(self) -> dict[str, str]:
        """Give the facts in words; none where no cell type could be read."""
        if not self._cells:
            return {}
        marks = " or ".join(_some(names) for names in self._marks)
        note = "".join(f"; {note}" for note in self._notes)
        return {
            "cell types": f"{len(self._cells):,} ({_some(self._cells)})",
            "marks": f"{len(next(iter(self._marks))):,} ({marks}{note})",
            "bins": _range(self._bins),
            "genes": _range(self._genes),
            "signal": f"{min(self._values):g} to {max(self._values):g}",
            "expression": _told(self._expression),
            "label": _told(self._label, classes=True),
        }


def _told(targets: list[Numbers | None], *, classes: bool = False) -> str:
    there = [values for values in targets if values is not None]
    if not there:
        return "none"
    numbers = np.concatenate(there)
    present = numbers[~np.isnan(numbers)]
    where = (
        f" in {len(there):,} of {len(targets):,} cell types" if len(there) < len(targets) else ""
    )
    missing = f"; {len(numbers) - len(present):,} missing" if len(present) < len(numbers) else ""
    if not len(present):
        return f"no value{where}{missing}"
    if classes:
        return f"{int(present.sum()):,} of {len(present):,} are 1{where}{missing}"
    return f"{len(present):,} values{where}, {present.min():.4g} to {present.max():.4g}{missing}"


def gene_sequence_facts(path: Path) -> Findings:
    """Tell what lines of gene id and sequence hold."""
    genes, codes = read_gene_sequences(path)
    bases = np.zeros(5, dtype=np.int64)
    for row in codes:
        bases += np.bincount(row, minlength=5)
    known = int(bases.sum() - bases[N_CODE])
    facts = {
        "genes": f"{len(genes):,} ({_some(genes)})",
        "bases": f"{codes.shape[1]:,} each",
        "N": f"{bases[N_CODE] / bases.sum():.1%}",
        "GC": f"{(bases[1] + bases[2]) / known:.1%}" if known else "-",
    }
    return Findings(facts, [] if known else [f"{path}: no base is known, all are N."])


def track_table_facts(path: Path) -> Findings:
    """Tell which tracks a table names, which pair is missing, and which file is not there."""
    tracks, problems = read_track_table(path), list[str]()
    cells = tuple(dict.fromkeys(track.cell for track in tracks))
    marks = tuple(dict.fromkeys(track.mark for track in tracks))
    files: dict[tuple[str, str], Path] = {}

    def attempt(refuse: Callable[[], object]) -> None:
        try:
            refuse()
        except ExprimoError as error:
            problems.append(str(error))

    for track in tracks:
        attempt(partial(refuse_repeated, track, files))
        files.setdefault((track.cell, track.mark), track.path)
    # Missing pairs first: that no file at all is there must not hide them.
    for cell, mark in sorted(product(cells, marks), key=files.__contains__):
        attempt(partial(require_track, cell, mark, files.get((cell, mark))))
    facts = {
        "cell types": f"{len(cells):,} ({_some(cells)})",
        "marks": f"{len(marks):,} ({_some(marks)})",
        "tracks": f"{len(tracks):,}",
    }
    return Findings(facts, _first(problems, path))


def _first(problems: list[str], path: Path) -> list[str]:
    """Keep the first problems of a long list, and say how many more there are."""
    more = len(problems) - _SHOWN
    return problems[:_SHOWN] + ([f"{path}: {more:,} more of the kind."] if more > 0 else [])


def _range(numbers: list[int]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_SHOWN]) + (", ..." if len(listed) > _SHOWN else "")
