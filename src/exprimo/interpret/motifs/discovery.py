"""Patterns that recur where a model looks: TF-MoDISco-lite, by its package.

Shrikumar et al. 2018 (arXiv 1811.00416); Schreiber's TF-MoDISco-lite does the same in less time
and memory.
"""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stdout
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import ConfigError, InputError
from exprimo.core.predictor import Floats
from exprimo.core.sequence import N_CODE, Codes
from exprimo.interpret.motifs.config import FindConfig
from exprimo.interpret.motifs.patterns import Pattern, trimmed

# The package wants more seqlets of a sign than this, or looks for no pattern of it.
_FEWEST_SEQLETS = 100
_WIDEST = 30
# Bytes per base that the package and what is handed to it hold at once: three arrays of four
# floats, and the smoothed contributions.
_BYTES = 3 * 16 + 3 * 8


class Discovered(NamedTuple):
    """Patterns, and what they were learned from.

    Attributes
    ----------
    patterns
        Those that raise the output first, each kind by falling number of seqlets.
    core, flank
        Bases of a seqlet's core and of one flank.
    package
        The package and its version.
    """

    patterns: tuple[Pattern, ...]
    core: int
    flank: int
    package: str


def examples_within(config: FindConfig, n: int, length: int) -> int:
    """Count the examples that patterns can be learned from within the memory.

    Examples
    --------
    >>> examples_within(FindConfig(memory=64), 10_000, 2000)
    461
    """
    room = config.memory * 2**20 // (_BYTES * (length + 2 * config.sizes(length)[1]))
    return max(1, min(n, config.most, room))


def discover(codes: Codes, hypothetical: Floats, config: FindConfig) -> Discovered:
    """Cluster what contributes most into patterns.

    The package clusters the first seqlets that it meets, up to a number; examples are therefore
    put in the order of their strongest window. Windows are widened by a flank of bases that
    contribute nothing, or sites near the ends would be lost.

    Parameters
    ----------
    codes
        Sequences, (n, length).
    hypothetical
        What each base would contribute, (n, 4, length).

    Returns
    -------
    Discovered
        Examples of sites are numbers of rows; starts and ends count from the window's first base.
    """
    modisco = _import_modisco()
    core, flank = config.sizes(codes.shape[1])
    if codes.shape[1] < core + 2:
        raise ConfigError(
            "the window is too short for seqlets of this size",
            found=f"{codes.shape[1]} bases",
            expected=f"more than {core + 1}",
            remedy="Choose a smaller seqlet, or a wider region",
        )
    order = strongest_first(codes, hypothetical, core)
    bases, scores = _widened(codes[order], hypothetical[order], flank)
    if not np.isfinite(scores).all() or not (bases * scores).any():
        raise InputError(
            "these contributions hold nothing to learn motifs from",
            found="none above 0" if np.isfinite(scores).all() else "values that are no numbers",
        )
    found = _run(modisco, bases, scores, config, core, flank)
    patterns: list[Pattern] = []
    for sign, name, clusters in zip((1, -1), ("pos", "neg"), found, strict=True):
        cut = [trimmed(_pattern(cluster, "", sign, order, flank), config.trim)
               for cluster in clusters or ()]  # fmt: skip
        kept = [_inside(one, codes.shape[1]) for one in sorted(cut, key=lambda one: -one.n)]
        kept = [one for one in kept if one.n]
        patterns += [one._replace(name=f"{name}_{rank}") for rank, one in enumerate(kept, 1)]
    return Discovered(tuple(patterns), core, flank, f"modisco {version('modisco')}")


def strongest_first(codes: Codes, hypothetical: Floats, core: int) -> npt.NDArray[np.int64]:
    """Order examples by the greatest |contribution| of any ``core`` neighbouring bases.

    Examples
    --------
    >>> scores = np.zeros((3, 4, 6), np.float32)
    >>> scores[1, 0, 2], scores[2, 0, 4] = 1.0, -2.0
    >>> strongest_first(np.zeros((3, 6), np.uint8), scores, 2).tolist()
    [2, 1, 0]
    """
    known = np.minimum(codes, N_CODE - 1).astype(np.int64)
    there = np.take_along_axis(hypothetical, known[:, None], axis=1)[:, 0]
    sums = np.where(codes == N_CODE, 0, there).cumsum(axis=1, dtype=np.float64)
    edges = np.pad(sums, ((0, 0), (1, 0)))
    strongest = abs(edges[:, core:] - edges[:, :-core]).max(axis=1)
    return np.argsort(-strongest, kind="stable")


def _widened(codes: Codes, hypothetical: Floats, flank: int) -> tuple[Floats, Floats]:
    """Give one-hot bases and contributions, (n, length, 4), with flanks of nothing.

    A base that is not known is a quarter of each, so that no share is divided by 0.
    """
    edges = ((0, 0), (flank, flank))
    wide = np.pad(codes, edges, constant_values=N_CODE)
    table = np.vstack([np.eye(4), np.full(4, 0.25)]).astype(np.float32)
    scores = np.pad(hypothetical.transpose(0, 2, 1), (*edges, (0, 0))).astype(np.float32)
    scores[wide == N_CODE] = 0
    return table[wide], scores


def _run(
    modisco: Any, bases: Floats, scores: Floats, config: FindConfig, core: int, flank: int
) -> tuple[Any, Any]:
    said = io.StringIO()
    with warnings.catch_warnings(), redirect_stdout(said):
        warnings.simplefilter("ignore")
        try:
            found: tuple[Any, Any] = modisco.TFMoDISco(
                bases,
                scores,
                sliding_window_size=core,
                flank_size=flank,
                min_metacluster_size=_FEWEST_SEQLETS,
                max_seqlets_per_metacluster=config.most_seqlets,
                target_seqlet_fdr=config.fdr,
                min_passing_windows_frac=config.least_passing(bases.shape[1] - 2 * flank),
                n_leiden_runs=2,
                trim_to_window_size=min(_WIDEST, core + 2 * flank),
                initial_flank_to_add=flank,
                final_min_cluster_size=config.least,
            )
        except (IndexError, ValueError, ZeroDivisionError) as error:
            raise InputError(
                "TF-MoDISco cannot find seqlets in these contributions",
                found=f"{len(bases):,} examples; the package says: {error}",
                expected="hundreds of examples in which some bases contribute more than others",
                remedy="Explain more examples, or choose a wider --region",
            ) from error
    return found


def _pattern(
    cluster: Any, name: str, sign: int, order: npt.NDArray[np.int64], flank: int
) -> Pattern:
    sites = np.array(
        [
            (order[s.example_idx], s.start - flank, s.end - flank, -1 if s.is_revcomp else 1)
            for s in cluster.seqlets
        ],
        dtype=np.int64,
    )
    shares = np.asarray(cluster.sequence, dtype=np.float64)
    return Pattern(
        name,
        sign,
        shares / shares.sum(axis=1, keepdims=True),
        np.asarray(cluster.contrib_scores, dtype=np.float64),
        np.asarray(cluster.hypothetical_contribs, dtype=np.float64),
        sites,
    )


def _inside(pattern: Pattern, length: int) -> Pattern:
    """Leave out sites that reach beyond the window."""
    inside = (pattern.sites[:, 1] >= 0) & (pattern.sites[:, 2] <= length)
    return pattern._replace(sites=pattern.sites[inside])


def _import_modisco() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from modiscolite import tfmodisco
    except ImportError:
        raise ConfigError(
            "TF-MoDISco-lite is not installed",
            remedy="Install it with: pip install 'exprimo[interpret]'",
        ) from None
    return tfmodisco
