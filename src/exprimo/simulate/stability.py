"""Half-life of the mRNA, from its untranslated regions and its coding sequence."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.sequence import Codes
from exprimo.simulate.config import StabilityConfig
from exprimo.simulate.genome.transcripts import Gene, clip_spans, positions

FEATURES = (
    "utr5_length",
    "utr5_gc",
    "cds_length",
    "cds_gc",
    "utr3_length",
    "utr3_gc",
    "junction_density",
)


def _gc(codes: Codes) -> float:
    return float(np.isin(codes, (1, 2)).mean())


def stability_features(gene: Gene) -> tuple[float, ...]:
    """Measure one coding gene's canonical mRNA: lengths in bases, GC fractions, junctions per kb.

    The stop codon counts as coding sequence. All values are NaN for a non-coding gene.
    """
    transcript = gene.canonical
    if transcript.cds is None:
        return (np.nan,) * len(FEATURES)
    start, stop = transcript.cds
    spans = ((transcript.tss, start), (start, stop), (stop, transcript.end))
    parts = [positions(clip_spans(transcript.exons, span)) for span in spans]
    measured: list[float] = []
    for part in parts:
        measured += [float(part.size), _gc(gene.codes[part])]
    junctions = len(transcript.exons) - 1
    return (*measured, 1000.0 * junctions / parts[1].size)


def feature_table(genes: list[Gene]) -> pd.DataFrame:
    """Measure all genes: one row each, columns `FEATURES`."""
    return pd.DataFrame([stability_features(gene) for gene in genes], columns=list(FEATURES))


def log2_halflife(features: pd.DataFrame, config: StabilityConfig) -> npt.NDArray[np.float64]:
    """Add up the weighted, standardised features: log2 hours, shape (genes,).

    Lengths and junction density enter as logarithms. Genes without a coding sequence get the
    average half-life.
    """
    total = np.full(len(features), np.log2(config.hours))
    for name in FEATURES:
        values = features[name].to_numpy(dtype=np.float64)
        if name.endswith("length"):
            values = np.log(values)
        elif name == "junction_density":
            values = np.log1p(values)
        standard = (values - np.nanmean(values)) / np.nanstd(values)
        total += float(getattr(config, name)) * np.nan_to_num(standard, nan=0.0)
    return total


def measure_halflife(
    rng: np.random.Generator, truth: npt.NDArray[np.float64], config: StabilityConfig
) -> npt.NDArray[np.float64]:
    """Measure half-lives in hours, with error, and some not at all (NaN)."""
    measured = np.exp2(truth + rng.normal(0.0, config.measurement_sd, truth.size))
    measured[rng.random(truth.size) < config.missing_share] = np.nan
    return measured
