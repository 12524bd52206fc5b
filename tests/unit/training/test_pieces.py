"""The pieces of training: order, augmentation, schedule, choices by size, thinning."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from exprimo.core.errors import ConfigError
from exprimo.core.split import Split
from exprimo.training.batches import epoch_batches, epoch_generator, shift
from exprimo.training.config import FitConfig
from exprimo.training.fitting import resolve_fit
from exprimo.training.loop import learning_rate
from exprimo.training.machine import choose_devices, choose_precision, use_threads
from exprimo.training.material import thin


@settings(derandomize=True, max_examples=30)
@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 5))
def test_an_epoch_shows_each_row_at_most_once(n: int, size: int, epoch: int) -> None:
    batches = list(epoch_batches(np.arange(n), size, epoch_generator(1, 0, epoch)))
    shown = np.concatenate(batches) if batches else np.array([])
    assert len(shown) == n // size * size
    assert len(set(shown.tolist())) == len(shown)


def test_epochs_differ_and_repeat_exactly() -> None:
    def order(seed: int, member: int, epoch: int) -> list[int]:
        generator = epoch_generator(seed, member, epoch)
        return np.concatenate(list(epoch_batches(np.arange(64), 8, generator))).tolist()

    assert order(0, 0, 3) == order(0, 0, 3)
    assert len({tuple(order(*key)) for key in [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0)]}) == 4


def test_shift_moves_right_and_fills_with_n() -> None:
    codes = np.array([[0, 1, 2, 3]] * 3, np.uint8)
    moved = shift(codes, np.array([1, 0, -2]))
    assert moved.tolist() == [[4, 0, 1, 2], [0, 1, 2, 3], [2, 3, 4, 4]]
    assert moved.dtype == np.uint8


def test_one_cycle_rises_then_falls() -> None:
    fit = FitConfig(learning_rate=0.01)
    rates = [learning_rate(step, 100, fit) for step in range(100)]
    assert np.argmax(rates) == 20
    assert max(rates) == pytest.approx(0.01)
    assert rates[0] == pytest.approx(0.01 / 25)
    assert rates[-1] < 1e-4
    assert np.all(np.diff(rates[:21]) > 0)
    assert np.all(np.diff(rates[20:]) < 0)


def test_cosine_only_falls() -> None:
    fit = FitConfig(learning_rate=0.01, schedule="cosine")
    rates = [learning_rate(step, 50, fit) for step in range(50)]
    assert rates[0] == pytest.approx(0.01)
    assert np.all(np.diff(rates) < 0)


@pytest.mark.parametrize(
    ("n", "epochs", "batch"), [(100, 20, 32), (3000, 20, 60), (20_000, 20, 256), (10**6, 8, 256)]
)
def test_choices_by_size(n: int, epochs: int, batch: int) -> None:
    fit = resolve_fit(FitConfig(), n)
    assert (fit.epochs, fit.batch_size) == (epochs, batch)


def test_what_was_chosen_by_hand_stays() -> None:
    fit = resolve_fit(FitConfig(epochs=3, batch_size=16), 3000)
    assert (fit.epochs, fit.batch_size) == (3, 16)


def test_smaller_shares_are_nested_and_keep_groups_whole() -> None:
    groups = np.repeat([f"family{i}" for i in range(50)], 4)
    split = Split(
        np.array([f"e{i}" for i in range(200)]),
        np.full(200, "train"),
        "homology",
        0,
        "",
        (),
        group=groups,
    )
    rows = np.arange(200)
    half, quarter = (set(thin(rows, split, f, 0).tolist()) for f in (0.5, 0.25))
    assert (len(half), len(quarter)) == (100, 50)
    assert quarter < half
    kept = groups[sorted(half)]
    assert (np.unique(kept, return_counts=True)[1] == 4).all()


def test_unknown_devices_are_refused() -> None:
    with pytest.raises(ConfigError, match="unknown device"):
        choose_devices("gpu7")
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="no such CUDA device"):
            choose_devices("cuda:0")


def test_precision_and_threads_as_asked() -> None:
    assert choose_precision("fp32", torch.device("cpu")) == "fp32"
    assert choose_precision("bf16", torch.device("cpu")) == "bf16"
    assert use_threads(1) == 1
    assert torch.get_num_threads() == 1
    blas = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert blas
    assert set(blas) == {1}


def test_few_examples_are_regularised_more() -> None:
    few, many = resolve_fit(FitConfig(), 3000, 600), resolve_fit(FitConfig(), 30_000, 600)
    assert (few.learning_rate, few.shift) == (0.006, 8)
    assert (many.learning_rate, many.shift) == (0.003, 0)
    assert resolve_fit(FitConfig(), 3000, 120).shift == 0
    by_hand = resolve_fit(FitConfig(shift=0, learning_rate=0.1), 3000, 600)
    assert (by_hand.learning_rate, by_hand.shift) == (0.1, 0)


def test_of_epochs_that_rank_alike_the_one_of_least_loss_is_kept() -> None:
    from exprimo.training.loop import _better
    from exprimo.training.state import Progress

    history = [{"val_loss": 0.7}, {"val_loss": 0.5}]
    standing = Progress(epoch=3, best_score=0.8, best_epoch=2, history=history)
    assert _better(0.8, 0.4, standing)
    assert not _better(0.8, 0.6, standing)
    assert _better(0.81, 0.9, standing)
    assert not _better(0.79, 0.1, standing)
    assert not _better(float("nan"), 0.1, standing)
