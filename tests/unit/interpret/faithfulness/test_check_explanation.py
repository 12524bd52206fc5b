"""Explanations of a network whose rule is known: true ones pass, others are told apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from exprimo.interpret.attributions.method import Attributed, MethodConfig, Subject, make_method
from exprimo.interpret.attributions.store import Attributions, Block, Described, write_attributions
from exprimo.interpret.faithfulness import subject as subject_module
from exprimo.interpret.faithfulness.check import check_explanation
from exprimo.interpret.faithfulness.config import CheckConfig
from exprimo.interpret.faithfulness.means import Units
from exprimo.interpret.faithfulness.randomised import STAGES, randomised
from exprimo.interpret.faithfulness.subject import ToCheck, explained_output
from exprimo.interpret.faithfulness.verdict import Verdict, read_verdict
from exprimo.models.network import NetworkPredictor
from exprimo.models.zoo import Shapes

N, LENGTH = 24, 60
SETTINGS = CheckConfig(examples=N, randomised=12, references=2, shares=(0.05, 0.1, 0.25))
METHOD = MethodConfig(method="gradient_x_input")


class Motifs(nn.Module):
    """Finds words in the sequence, and adds up features."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.scan, self.mix = nn.Conv1d(4, 6, 5, padding=2), nn.Conv1d(6, 6, 1)
        self.features, self.out = nn.Linear(8, 1), nn.Linear(6, 1)
        with torch.no_grad():
            self.scan.weight[0] = torch.eye(4)[[0, 1, 2, 3, 0]].T * 2
            self.scan.bias[0] = -6

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        x = torch.relu(self.mix(torch.relu(self.scan(inputs["sequence"]))))
        found: Tensor = self.out(x.mean(2) * 20) + self.features(inputs["halflife"])
        return found


class Rows:
    """As much of a dataset as the checks read."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.arrays = {
            "sequence": rng.integers(0, 4, (N, LENGTH)).astype(np.uint8),
            "halflife": rng.normal(size=(N, 8)).astype(np.float32),
        }
        self.inputs = {k: SimpleNamespace(shape=v.shape[1:]) for k, v in self.arrays.items()}

    def batch(self, names: tuple[str, ...], rows: np.ndarray) -> dict[str, np.ndarray]:
        return {name: self.arrays[name][rows] for name in names}


def network_of(*seeds: int) -> NetworkPredictor:
    shapes = Shapes({"sequence": (LENGTH,), "halflife": (8,)}, "regression")
    return NetworkPredictor([Motifs(seed) for seed in seeds], shapes)


def subject_of(network: NetworkPredictor) -> Subject:
    level = {"halflife": np.zeros(8, np.float32)}
    return Subject(network, network, ("sequence", "halflife"), 0, "regression", lambda b: b, level)


def checked(
    folder: Path,
    network: NetworkPredictor,
    contributions: NetworkPredictor | dict[str, np.ndarray],
) -> Verdict:
    """Check contributions, by default those of a network, as an explanation of `network`."""
    rows = Rows()
    batch = rows.batch(("sequence", "halflife"), np.arange(N))
    if isinstance(contributions, NetworkPredictor):
        contributions = dict(make_method(subject_of(contributions), METHOD).explain(batch).values)
    arrays: dict[str, Any] = {f"inputs/{k}/values": v for k, v in contributions.items()}
    arrays |= {"prediction": np.zeros(N, np.float32), "inputs/sequence/codes": batch["sequence"]}
    ids = np.array([f"g{i}" for i in range(N)])
    write_attributions(folder / "attributions.h5", [Block(arrays)], Described(ids, {}, {}))
    with Attributions.open(folder) as found:
        explained = ToCheck(
            subject_of(network), METHOD, rows, np.arange(N), found, Units(ids, "gene")  # type: ignore[arg-type]  # as much of a dataset as is read
        )  # fmt: skip
        return check_explanation(folder, explained, SETTINGS)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def passed(verdict: Verdict, input: str) -> dict[str, str]:
    return {c.check: c.passed for c in verdict.checks if c.input == input}


def test_a_networks_own_gradients_pass(tmp_path: Path) -> None:
    verdict = checked(tmp_path, network_of(1), network_of(1))
    found = passed(verdict, "sequence")
    assert found["deletion"] == found["insertion"] == "yes"
    assert found["deletion beside an untrained network"] == "yes"
    assert passed(verdict, "halflife")["deletion"] == "yes"
    assert read_verdict(tmp_path).word == verdict.word
    curves = pd.read_csv(tmp_path / "faithfulness_curves.tsv", sep="\t")
    ends = curves[(curves["input"] == "sequence") & (curves["share"] == 0)]
    start = explained_output(subject_of(network_of(1)))(Rows().arrays)
    deletion = ends[ends["curve"] == "deletion"]["mean"]
    np.testing.assert_allclose(deletion, start.mean(), rtol=1e-5)


def test_random_contributions_fail_and_their_pictures_say_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    noise = {
        "sequence": rng.normal(size=(N, LENGTH)).astype(np.float32),
        "halflife": rng.normal(size=(N, 8)).astype(np.float32),
    }
    verdict = checked(tmp_path, network_of(1), noise)
    assert passed(verdict, "sequence")["deletion"] == "no"
    assert verdict.word == "fails"
    assert "deletes no better than random order" in verdict.banner("sequence")


def test_contributions_of_a_randomised_network_are_told_apart(tmp_path: Path) -> None:
    network = network_of(1)
    verdict = checked(tmp_path, network, randomised(network, "all layers", 9))
    assert "no" in passed(verdict, "sequence").values()
    assert "ranks positions no better than an untrained network" in verdict.failures("sequence")


def test_what_does_not_depend_on_weights_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def composition(batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        codes = batch["sequence"].astype(np.float32)
        return {"sequence": codes + np.roll(codes, 1, axis=1) / 8}

    method = SimpleNamespace(
        explain=lambda batch: Attributed(np.zeros(len(batch["sequence"])), composition(batch), {})
    )
    monkeypatch.setattr(subject_module, "make_method", lambda *_: method)
    verdict = checked(tmp_path, network_of(1), composition(Rows().arrays))
    all_layers = next(c for c in verdict.checks if c.check == "randomised weights: all layers")
    assert all_layers.value == pytest.approx(1)
    assert all_layers.passed == "no"
    assert "looks much the same of an untrained network" in verdict.banner("sequence")


def test_members_are_compared_with_one_another(tmp_path: Path) -> None:
    same = passed(checked(tmp_path, network_of(1, 1), network_of(1, 1)), "sequence")
    assert same["agreement of members"] == "yes"
    alone = passed(checked(tmp_path, network_of(1), network_of(1)), "sequence")
    assert "agreement of members" not in alone


def test_weights_are_lost_from_the_last_layer_down() -> None:
    network = network_of(1)
    lost = {}
    for stage in STAGES:
        after = dict(randomised(network, stage, 3).members[0].named_parameters())
        before = dict(network.members[0].named_parameters())
        lost[stage] = {
            name for name, value in before.items()
            if value.numel() > 1 and not torch.equal(value, after[name])
        }  # fmt: skip
        for name, value in before.items():
            torch.testing.assert_close(value.flatten().sort()[0], after[name].flatten().sort()[0])
    assert lost["last layer"] == {"out.weight"}
    assert lost["upper half"] == {"out.weight", "features.weight"}
    assert lost["all layers"] > lost["upper half"]
