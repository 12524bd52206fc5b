"""Boosted trees on the features of networks that the loop has trained, one per member."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torch import nn

from exprimo.core.config import Config
from exprimo.core.progress import task as progress_task
from exprimo.models.baselines.baseline import Floats, Stream, weight_of
from exprimo.models.cnn_xgboost import HybridPredictor
from exprimo.models.network import NetworkPredictor
from exprimo.models.trees import Block, BoostedTrees, Grown, TreesConfig, quantise, tune
from exprimo.training.loop import Recipe, make_predictor


def fit_hybrid(
    recipe: Recipe,
    options: Config,
    members: Sequence[nn.Module],
    train: Callable[[int], Stream],
    val: Stream,
) -> tuple[HybridPredictor, dict[str, Any]]:
    """Fit trees on what each member's last layer reads, and tell what validation chose.

    Parameters
    ----------
    recipe
        What the members were trained by; its balance of classes is that of the trees, too. Under
        a focal loss the trees are fitted plainly, on the features of a focal network.
    options
        A `TreesConfig`: how trees are grown.
    members
        Trained networks.
    train
        Member -> stream of the training rows that it learned from.
    val
        Stream of the validation part; it alone decides depth, rate and number of trees, because
        a network's features of its own training examples look better than they are.
    """
    if not isinstance(options, TreesConfig):
        raise TypeError(f"options of another hybrid: {type(options).__name__}")
    trees: list[BoostedTrees] = []
    chosen: list[dict[str, Any]] = []
    with progress_task("Growing trees", len(members)) as bar:
        for number, member in enumerate(members):
            grown = _grow(recipe, options, make_predictor(recipe, [member]), train(number), val)
            trees.append(grown.trees)
            chosen.append(grown.facts())
            bar.advance(1)
    return HybridPredictor(make_predictor(recipe, list(members)), trees), {"trees": chosen}


def _grow(
    recipe: Recipe,
    options: TreesConfig,
    network: NetworkPredictor,
    train: Stream,
    val: Stream,
) -> Grown:
    fitting, choosing = recipe.balance.baseline_weights() or (None, None)
    matrices = quantise(
        lambda: _features(network, train, fitting), lambda: _features(network, val, choosing)
    )
    start = options.tree_settings()
    n_classes = len(recipe.shapes.classes)
    return tune(matrices, start, options.depths, options.rates, recipe.shapes.task, n_classes)


def _features(network: NetworkPredictor, stream: Stream, weights: Floats | None) -> Iterator[Block]:
    for batch, target in stream():
        weight = None if weights is None else weight_of(target, weights)
        yield network.features(batch)[0], target, weight
