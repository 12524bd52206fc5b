"""Unequal classes: weights by hand, rows at parity, losses at their limits, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from exprimo.core.errors import ConfigError
from exprimo.models import get_spec
from exprimo.training.batches import epoch_generator
from exprimo.training.config import FitConfig
from exprimo.training.fitting import resolve_fit
from exprimo.training.objective import Balance, Objective, balance_of, check_imbalance
from exprimo.training.objective.imbalance import class_weights, epoch_rows

RNG = np.random.default_rng(4)
LOGITS = torch.from_numpy(RNG.normal(size=(50, 1)) * 3).float()
LABELS = torch.from_numpy((RNG.random(50) < 0.3).astype(np.float32))
RAW = torch.from_numpy(RNG.normal(size=(50, 3))).float()
CODES = torch.from_numpy(RNG.integers(0, 3, 50).astype(np.float32))


def _balance(way, target: np.ndarray, classes: int = 2) -> Balance:
    return balance_of(target.astype(np.float32), FitConfig(imbalance=way), "multiclass", classes)


def _rows(way, target: np.ndarray, epoch: int = 0, member: int = 0, classes: int = 2):
    balance = _balance(way, target, classes)
    generator = epoch_generator(0, member, epoch)
    return epoch_rows(balance, target.astype(np.float32), generator, 0, member)


def test_weights_by_hand() -> None:
    # n / (2 n_c): 100 / 180 and 100 / 20.
    np.testing.assert_allclose(class_weights((90, 10)), [0.5555555555555556, 5.0], rtol=1e-15)
    np.testing.assert_allclose(class_weights((6, 3, 1)), [10 / 18, 10 / 9, 10 / 3], rtol=1e-15)
    weights = class_weights((6, 3, 1))
    assert weights @ np.array([6, 3, 1]) == pytest.approx(10)  # all examples together weigh n


@settings(derandomize=True, max_examples=40)
@given(st.lists(st.integers(1, 12), min_size=2, max_size=4), st.integers(0, 3))
def test_every_way_shows_what_it_says(counts: list[int], epoch: int) -> None:
    target = np.repeat(np.arange(len(counts)), counts)
    for way, parity in (("oversample", max(counts)), ("downsample", min(counts))):
        rows = _rows(way, target, epoch, classes=len(counts))
        shown = np.bincount(target[rows], minlength=len(counts))
        assert shown.tolist() == [parity] * len(counts)
        assert len(rows) == _balance(way, target, len(counts)).shown(len(target))
    over = _rows("oversample", target, epoch, classes=len(counts))
    assert set(over.tolist()) == set(range(len(target)))  # none is lost
    down = _rows("downsample", target, epoch, classes=len(counts))
    assert len(set(down.tolist())) == len(down)  # none twice
    for way in ("none", "class_weights", "focal"):
        np.testing.assert_array_equal(
            _rows(way, target, epoch, classes=len(counts)), np.arange(len(target))
        )


def test_repeats_are_drawn_anew_each_epoch_and_the_smaller_set_is_drawn_once() -> None:
    target = np.repeat([0, 1], [60, 12])
    over = [np.sort(_rows("oversample", target, epoch)).tolist() for epoch in (0, 1, 0)]
    assert over[0] == over[2] != over[1]
    down = [_rows("downsample", target, epoch).tolist() for epoch in (0, 5)]
    assert down[0] == down[1]
    assert _rows("downsample", target, member=1).tolist() != down[0]


def test_nothing_is_drawn_where_nothing_is_asked() -> None:
    generator = epoch_generator(0, 0, 0)
    before = generator.bit_generator.state
    target = np.repeat([0.0, 1.0], [60, 12]).astype(np.float32)
    for way in ("none", "class_weights", "focal", "downsample"):
        epoch_rows(_balance(way, target), target, generator, 0, 0)
        assert generator.bit_generator.state == before


def test_cross_entropy_is_torchs() -> None:
    two = Objective("classification").loss(LOGITS, LABELS)
    assert two == nn.functional.binary_cross_entropy_with_logits(LOGITS[:, 0], LABELS)
    three = Objective("multiclass").loss(RAW, CODES)
    # Means of the same numbers, added up in another order.
    torch.testing.assert_close(three, nn.functional.cross_entropy(RAW, CODES.long()))


def test_focal_at_gamma_0_is_cross_entropy() -> None:
    for task, raw, wanted in (("classification", LOGITS, LABELS), ("multiclass", RAW, CODES)):
        plain, focal = Objective(task), Objective(task, gamma=0.0)
        assert focal.loss(raw, wanted) == plain.loss(raw, wanted)


@pytest.mark.parametrize("gamma", [0.5, 2.0, 5.0])
def test_focal_is_that_of_lin_et_al(gamma: float) -> None:
    p = torch.sigmoid(LOGITS[:, 0].double())
    of_truth = torch.where(LABELS == 1, p, 1 - p)
    expected = (-((1 - of_truth) ** gamma) * of_truth.log()).mean()
    found = Objective("classification", gamma=gamma).loss(LOGITS.double(), LABELS.double())
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    of_code = torch.softmax(RAW.double(), 1)[torch.arange(50), CODES.long()]
    several = (-((1 - of_code) ** gamma) * of_code.log()).mean()
    found = Objective("multiclass", gamma=gamma).loss(RAW.double(), CODES)
    assert found.item() == pytest.approx(several.item(), rel=1e-6)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_focal_has_a_finite_slope_where_it_is_certain(gamma: float) -> None:
    raw = torch.tensor([[60.0], [-60.0], [0.0]], requires_grad=True)
    Objective("classification", gamma=gamma).loss(raw, torch.tensor([1.0, 0.0, 1.0])).backward()
    assert torch.isfinite(raw.grad).all()


def test_weighted_loss_by_hand() -> None:
    weights = class_weights((3, 1))
    raw = torch.tensor([[0.0], [0.0], [0.0], [2.0]])
    wanted = torch.tensor([0.0, 0.0, 0.0, 1.0])
    expected = (3 * weights[0] * np.log(2) + weights[1] * np.log1p(np.exp(-2))) / 4
    found = Objective("classification", weights=weights).loss(raw, wanted)
    assert found.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("gamma", [None, 2.0])
@pytest.mark.parametrize("weights", [None, np.array([0.5, 2.0, 1.0])])
def test_validation_loss_is_the_training_loss_of_the_same_outputs(gamma, weights) -> None:
    several = Objective("multiclass", weights=weights, validation_weights=weights, gamma=gamma)
    found = several.validation_loss(CODES.numpy(), torch.softmax(RAW, 1).numpy())
    assert found == pytest.approx(several.loss(RAW, CODES).item(), rel=1e-5)
    short = None if weights is None else weights[:2]
    two = Objective("classification", weights=short, validation_weights=short, gamma=gamma)
    found = two.validation_loss(LABELS.numpy(), torch.sigmoid(LOGITS).numpy())
    assert found == pytest.approx(two.loss(LOGITS, LABELS).item(), rel=1e-4)


def test_numbers_have_the_losses_that_they_had() -> None:
    wanted = LABELS * 4
    for huber, measure in ((False, nn.functional.mse_loss), (True, nn.functional.huber_loss)):
        objective = Objective("regression", huber, center=1.0, scale=2.0)
        assert objective.loss(LOGITS, wanted) == measure(LOGITS[:, 0], (wanted - 1) / 2)
        units = (LOGITS * 2 + 1).numpy()
        assert objective.validation_loss(wanted.numpy(), units) == pytest.approx(
            objective.loss(LOGITS, wanted).item(), rel=1e-5
        )


@pytest.mark.parametrize("way", ["class_weights", "focal", "oversample", "downsample"])
def test_a_regression_has_nothing_to_balance(way) -> None:
    with pytest.raises(ConfigError, match="a regression has no classes to balance"):
        check_imbalance(way, get_spec("cnn"), "regression")
    check_imbalance("none", get_spec("cnn"), "regression")


@pytest.mark.parametrize(
    ("model", "heeds"),
    [
        ("majority", ()),
        ("kmer_linear", ("class_weights", "oversample", "downsample")),
        ("gc_content", ("class_weights", "oversample", "downsample")),
        ("onehot_xgboost", ("class_weights", "oversample", "downsample")),
        ("cnn", ("class_weights", "focal", "oversample", "downsample")),
        ("cnn_xgboost", ("class_weights", "focal", "oversample", "downsample")),
    ],
)
def test_a_model_that_has_no_use_for_a_way_refuses_it(model: str, heeds: tuple[str, ...]) -> None:
    for way in ("class_weights", "focal", "oversample", "downsample"):
        if way in heeds:
            check_imbalance(way, get_spec(model), "classification")
        else:
            with pytest.raises(ConfigError, match=f"{model} has no use for this.*none"):
                check_imbalance(way, get_spec(model), "classification")


def test_gamma_alone_would_do_nothing_and_is_refused() -> None:
    with pytest.raises(ConfigError, match="does nothing unless imbalance is focal"):
        FitConfig.checked({"focal_gamma": 1.0})
    assert FitConfig.checked({"focal_gamma": 1.0, "imbalance": "focal"}).focal_gamma == 1.0


def test_batches_and_epochs_follow_what_is_shown() -> None:
    # 3,000 examples, of which 200 are of the smaller class.
    target = np.repeat([0, 1], [2800, 200])
    down, over = _balance("downsample", target), _balance("oversample", target)
    assert (down.learned(3000), down.shown(3000)) == (400, 400)
    assert (over.learned(3000), over.shown(3000)) == (3000, 5600)
    fit = resolve_fit(FitConfig(), 3000, 600, over.shown(3000))
    assert fit.batch_size == 112
    assert resolve_fit(FitConfig(batch_size=500), 400, 600, 400).batch_size == 400
