"""From contributions to named motifs and their sites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import ConfigError, InputError
from exprimo.core.progress import track
from exprimo.features.motifs import base_frequencies
from exprimo.interpret.attributions.store import Attributions
from exprimo.interpret.motifs.config import FindConfig
from exprimo.interpret.motifs.discovery import Discovered, discover, examples_within
from exprimo.interpret.motifs.hits import Limits, hit_table, own_limits, sites_in
from exprimo.interpret.motifs.libraries import JASPAR, open_library
from exprimo.interpret.motifs.matching import MATCH_COLUMNS, match_table, motif_table
from exprimo.interpret.motifs.patterns import Pattern

# Bytes that a scan holds per base of a block, of one pattern on one strand.
_SCAN_BYTES = 48
_FEWEST = 50


class Found(NamedTuple):
    """Motifs, their names and their sites.

    Attributes
    ----------
    patterns
        As matrices; sites count examples of the file from 0.
    motifs, matches, hits
        ``motifs.tsv``, ``matches.tsv``, ``hits.tsv.gz``.
    background
        Frequencies of A, C, G, T in the sequences, (4,).
    facts
        ``motifs.json`` without provenance.
    """

    patterns: tuple[Pattern, ...]
    motifs: pd.DataFrame
    matches: pd.DataFrame
    hits: pd.DataFrame
    background: npt.NDArray[np.float64]
    facts: dict[str, Any]


def find(explained: str | Path, jaspar: str | Path, config: FindConfig) -> Found:
    """Find motifs in what was explained.

    Parameters
    ----------
    explained
        The folder of an explanation, or its ``attributions.h5``.
    jaspar
        ``auto``: JASPAR; ``none``; or a MEME file of known motifs.
    """
    # What is not installed, or cannot be read, is said before the long part.
    library = open_library(jaspar, config.tax_group, config.release)
    with Attributions.open(explained) as file:
        _check(file, config)
        region = _region(file, config)
        rows = _drawn(file.n, examples_within(config, file.n, region.stop - region.start), config)
        codes, scores = file.codes(rows), file.hypothetical(rows)[:, :, region]
        background = base_frequencies(codes)
        made = discover(np.ascontiguousarray(codes[:, region]), scores, config)
        patterns = tuple(_in_file(pattern, region.start) for pattern in made.patterns)
        values = file.values(rows)
        limits = [own_limits(p, codes, values, config.site_share) for p in patterns]
        patterns = tuple(_of_rows(pattern, rows) for pattern in patterns)
        empty = pd.DataFrame(columns=list(MATCH_COLUMNS))
        matches = empty if library is None else match_table(patterns, library)
        motifs = motif_table(patterns, matches, config.q)
        tss = file.attrs.get("tss_index")
        names = dict(zip(motifs["pattern"], motifs["name"], strict=True))
        sites = list(_all_sites(file, patterns, limits, config.memory))
        hits = hit_table(
            sites, patterns, names, file.example_id, file.places, None if tss is None else int(tss)
        )
        facts = _facts(file, config, made, len(rows), limits, patterns)
    counts = hits["pattern"].value_counts()
    motifs.insert(3, "sites", [int(counts.get(name, 0)) for name in motifs["pattern"]])
    facts["library"] = None if library is None else {
        "name": library.name, "motifs": len(library.motifs), **library.origin,
    }  # fmt: skip
    facts["jaspar"] = str(jaspar) if str(jaspar) != JASPAR else JASPAR
    return Found(patterns, motifs, matches, hits, background, facts)


def _check(file: Attributions, config: FindConfig) -> None:
    if "sequence" not in file.inputs or not file.has_hypothetical():
        raise InputError(
            "motifs need to know what each base would contribute",
            file=file.path,
            found=f"method {file.attrs.get('method')}, inputs {', '.join(file.inputs)}",
            remedy="Explain the sequence by another method: exprimo explain MODEL D.h5 "
            "--method integrated_gradients -o DIR",
        )
    if file.n < _FEWEST:
        raise InputError(
            "too few examples to find motifs in",
            file=file.path,
            found=file.n,
            expected=f"at least {_FEWEST}, better thousands",
        )


def _region(file: Attributions, config: FindConfig) -> slice:
    if config.region is None:
        return slice(0, file.length)
    tss = file.attrs.get("tss_index")
    if tss is None:
        raise ConfigError(
            "a region is given relative to the TSS, and this explanation does not know it",
            file=file.path,
        )
    first, end = (int(tss) + edge for edge in config.region)
    if not 0 <= first < end <= file.length:
        raise ConfigError(
            "the region lies outside of the window",
            found=f"{config.region[0]} to {config.region[1]}",
            expected=f"within {-int(tss)} to {file.length - int(tss)}",
        )
    return slice(first, end)


def _drawn(n: int, most: int, config: FindConfig) -> npt.NDArray[np.int64]:
    drawn = np.random.default_rng([config.seed, 1]).permutation(n)[:most]
    return np.sort(drawn).astype(np.int64)


def _in_file(pattern: Pattern, first: int) -> Pattern:
    """Count a pattern's sites from the window's first base, not the region's."""
    sites = pattern.sites.copy()
    sites[:, 1:3] += first
    return pattern._replace(sites=sites)


def _of_rows(pattern: Pattern, rows: npt.NDArray[np.int64]) -> Pattern:
    sites = pattern.sites.copy()
    sites[:, 0] = rows[sites[:, 0]]
    return pattern._replace(sites=sites)


def _all_sites(
    file: Attributions, patterns: Sequence[Pattern], limits: Sequence[Limits], memory: int
) -> Iterator[tuple[Any, ...]]:
    own: dict[int, list[tuple[int, int, int, int]]] = {}
    for number, pattern in enumerate(patterns):
        for example, start, end, strand in pattern.sites.tolist():
            own.setdefault(example, []).append((number, start, end, strand))
    step = max(1, memory * 2**20 // (_SCAN_BYTES * file.length))
    for begin in track(range(0, file.n if patterns else 0, step), "Looking for sites"):
        part = slice(begin, min(begin + step, file.n))
        here = {k - begin: v for k, v in own.items() if part.start <= k < part.stop}
        for row, *site in sites_in(file.codes(part), file.values(part), patterns, limits, here):
            yield (row + begin, *site)


def _facts(
    file: Attributions,
    config: FindConfig,
    made: Discovered,
    n_learned: int,
    limits: Sequence[Limits],
    patterns: Sequence[Pattern],
) -> dict[str, Any]:
    about = ("method", "output", "scale", "tss_index", "dataset_sha256", "model")
    return {
        "explained": {
            "file": str(file.path),
            "n": file.n,
            "length": file.length,
            **{name: file.attrs[name] for name in about if name in file.attrs},
        },
        "settings": {
            **config.model_dump(mode="json"),
            "seqlet": made.core,
            "flank": made.flank,
        },
        "package": made.package,
        "n_learned": n_learned,
        "n_patterns": len(patterns),
        "limits": {p.name: one._asdict() for p, one in zip(patterns, limits, strict=True)},
    }
