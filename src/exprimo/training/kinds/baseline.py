"""Baselines: fitted in one call from a stream of the training part."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from exprimo.core.predictor import Batch
from exprimo.models.baselines.baseline import Floats, Stream
from exprimo.models.zoo import build_baseline
from exprimo.training.batches import Rows, epoch_generator
from exprimo.training.material import Fitted, Material
from exprimo.training.objective.imbalance import epoch_rows
from exprimo.training.predicting import batch_rows


def fit_baseline(material: Material, seed: int) -> Fitted:
    """Fit a baseline; ``seed`` draws its rows where classes are resampled."""
    spec = material.spec
    baseline = build_baseline(spec, material.options, material.task, material.classes)
    weights = material.balance.baseline_weights()
    # Those that heed no imbalance (see gather) are not asked to know of weights.
    given = () if weights is None else (weights,)
    train = stream_of(material, shown_rows(material, seed, 0))
    baseline.fit(train, stream_of(material, material.parts["val"]), *given)
    numbers = sum(values.size for values in baseline.state().values())
    chosen = baseline.chosen() if hasattr(baseline, "chosen") else {}
    return Fitted(baseline, [], getattr(baseline, "n_parameters", numbers), chosen)


def shown_rows(material: Material, seed: int, member: int) -> Rows:
    """Give the training rows that what is fitted in one call sees, balanced where asked for."""
    rows = material.learned
    target = material.values[rows]
    generator = epoch_generator(seed, member, 0)
    return rows[np.sort(epoch_rows(material.balance, target, generator, seed, member))]


def stream_of(material: Material, rows: Rows) -> Stream:
    """Make what gives these rows batch by batch, anew at each call."""
    names = material.inputs or tuple(material.dataset.inputs)[:1]
    size = batch_rows(material.dataset, names)

    def batches() -> Iterator[tuple[Batch, Floats]]:
        for start in range(0, len(rows), size):
            chosen = rows[start : start + size]
            yield material.dataset.batch(names, chosen), material.values[chosen].astype(float)

    return batches
