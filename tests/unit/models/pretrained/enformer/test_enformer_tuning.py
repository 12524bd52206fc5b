"""Fine-tuning of Enformer: what is trained, what stands still, and through the ordinary loop."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import ConfigError, MismatchError
from exprimo.core.files.provenance import sha256_file
from exprimo.models import Shapes, get_spec
from exprimo.models.network import one_hot_table, to_tensors
from exprimo.models.pretrained.enformer import TOY, random_enformer, save_enformer
from exprimo.models.pretrained.enformer.inference import Inference
from exprimo.models.pretrained.enformer.tuning import (
    SPEC,
    EnformerTuning,
    TunedEnformer,
    to_codes,
)
from exprimo.models.stored import load_model
from exprimo.training.config import TrainConfig
from exprimo.training.run import train_run

SMALL = TOY.model_copy(update={"window": 512, "bins": 8, "depth": 1})
RNG = np.random.default_rng(4)
CODES = RNG.integers(0, 5, (3, SMALL.window)).astype(np.uint8)
OTHER = RNG.integers(0, 5, (3, SMALL.window)).astype(np.uint8)
SHAPES = Shapes({"sequence": (SMALL.window,)}, "regression")
TABLE = one_hot_table(torch.device("cpu"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_enformer(random_enformer(SMALL, 2), tmp_path_factory.mktemp("w") / "small.st")


def tuned(weights: Path, shapes: Shapes = SHAPES, **options: Any) -> TunedEnformer:
    torch.manual_seed(0)
    config = EnformerTuning.checked({"weights": f"enformer:{weights}", "dropout": 0.0, **options})
    return TunedEnformer(config, shapes)


def batch(*names: str) -> dict[str, torch.Tensor]:
    both = {"sequence": CODES, "sequence_2": OTHER}
    return to_tensors({name: both[name] for name in names or ("sequence",)}, TABLE)


def steps(module: TunedEnformer, count: int = 3) -> None:
    learning = [p for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(learning, lr=0.1)
    for _ in range(count):
        optimizer.zero_grad()
        module(batch()).square().sum().backward()
        optimizer.step()


@pytest.mark.parametrize(("tune", "own"), [("head", 2), ("lora", 2 + 8), ("all", None)])
def test_only_what_is_tuned_is_a_parameter_and_has_a_gradient(
    weights: Path, tune: str, own: int | None
):
    module = tuned(weights, tune=tune)
    module(batch()).sum().backward()
    named = dict(module.named_parameters())
    if own is not None:
        assert len(named) == own
        assert all(p.grad is None for p in module.trunk.network.parameters())
        assert not any(name.startswith("network.") for name in module.state_dict())
    else:
        heads = {name for name in named if "_heads." in name}
        assert {name for name, p in named.items() if p.grad is None} == heads
    for name, parameter in named.items():
        # ``down`` is multiplied by zeros at first.
        if parameter.grad is not None and ".down." not in name:
            assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("tune", ["head", "lora"])
def test_what_is_not_tuned_stays_equal_to_the_last_bit(weights: Path, tune: str):
    module = tuned(weights, tune=tune)
    before = copy.deepcopy(module.trunk.network.state_dict())
    untrained = module(batch()).detach()
    steps(module)
    assert not torch.equal(module(batch()), untrained)
    for name, tensor in module.trunk.network.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_all_of_it_moves_but_the_statistics_of_norms(weights: Path):
    module = tuned(weights, tune="all")
    before = copy.deepcopy(module.network.state_dict())
    module.train()
    steps(module)
    for name, tensor in module.network.state_dict().items():
        still = "running_" in name or "num_batches" in name or "_heads" in name
        assert torch.equal(tensor, before[name]) == still, name


def test_low_rank_changes_begin_as_nothing_and_merge(weights: Path):
    module = tuned(weights, tune="lora", rank=3)
    plain = tuned(weights, tune="head").hidden(batch()["sequence"])
    hidden = module.hidden(batch()["sequence"])
    torch.testing.assert_close(hidden, plain, rtol=1e-4, atol=2e-5)
    with torch.no_grad():
        for parameter in module.lora.parameters():
            parameter.normal_(std=0.3)
        changed = module.hidden(batch()["sequence"])
        merged = Inference(module.merged(), "fp32")
    assert (changed - plain).abs().max() > 0.1
    for row, one in zip(torch.from_numpy(CODES), changed, strict=True):
        found = merged.hidden(row, module.bins)
        torch.testing.assert_close(found, one, rtol=1e-3, atol=1e-4)


def test_a_gradient_of_low_rank_changes_is_that_of_differences(weights: Path):
    module = tuned(weights, tune="lora", rank=2)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in module.lora.parameters():
            parameter.normal_(std=0.1)
    value = module.lora.down["0_to_v"]
    module(batch()).sum().backward()
    direction = torch.randn_like(value)
    with torch.no_grad():
        outputs = []
        for sign in (1, -1):
            value.add_(sign * 1e-2 * direction)
            outputs.append(float(module(batch()).double().sum()))
            value.sub_(sign * 1e-2 * direction)
    slope = (outputs[0] - outputs[1]) / 2e-2
    assert slope == pytest.approx(float((value.grad * direction).sum()), rel=0.02)


def test_both_haplotypes_are_averaged(weights: Path):
    shapes = SHAPES._replace(inputs=dict.fromkeys(("sequence", "sequence_2"), (SMALL.window,)))
    both = tuned(weights, shapes, haplotypes="both").eval()
    with torch.no_grad():
        found = both(batch("sequence", "sequence_2"))
        one = both(
            {"sequence": TABLE[torch.from_numpy(CODES).long()].transpose(1, 2)}
            | {"sequence_2": batch()["sequence"]}
        )
        other = both({name: batch("sequence_2")["sequence_2"] for name in both.names})
    torch.testing.assert_close(found, (one + other) / 2)


def test_a_head_begins_with_published_tracks(weights: Path):
    module = tuned(weights, head="track", tracks=(3, 7)).eval()
    network = random_enformer(SMALL, 2)
    inference = Inference(network, "fp32")
    for row, codes in enumerate(torch.from_numpy(CODES)):
        tracks = network.predict(inference.hidden(codes, module.bins), "human", [3, 7])
        read = module.features(batch())[row]
        torch.testing.assert_close(read, tracks.mean(0).log(), rtol=1e-4, atol=1e-5)
    with pytest.raises(ConfigError, match="0 to 11"):
        tuned(weights, head="track", tracks=(12,))
    with pytest.raises(ConfigError, match="needs tracks"):
        tuned(weights, head="track")


def test_short_windows_are_filled_up_around_their_middle(weights: Path):
    short = tuned(weights, SHAPES._replace(inputs={"sequence": (100,)})).eval()
    whole = tuned(weights).eval()
    codes = np.full_like(CODES, 4)
    codes[:, 256 - 50 : 256 + 50] = CODES[:, :100]
    found = short({"sequence": TABLE[torch.from_numpy(CODES[:, :100]).long()].transpose(1, 2)})
    wanted = whole({"sequence": TABLE[torch.from_numpy(codes).long()].transpose(1, 2)})
    torch.testing.assert_close(found, wanted)
    with pytest.raises(MismatchError, match="at most 512"):
        tuned(weights, SHAPES._replace(inputs={"sequence": (600,)}))


def test_attributions_reach_the_bases(weights: Path):
    module = tuned(weights, tune="lora").eval()
    sequence = batch()["sequence"].requires_grad_(True)
    module({"sequence": sequence}).sum().backward()
    assert sequence.grad is not None
    assert (sequence.grad.abs().sum(1) > 0).any(1).all()


def test_codes_come_back_from_one_hot():
    found = to_codes(TABLE[torch.from_numpy(CODES).long()].transpose(1, 2))
    assert torch.equal(found, torch.from_numpy(CODES))


def test_other_weights_than_those_trained_on_are_refused(weights: Path):
    with pytest.raises(MismatchError, match="not the weights that this run was trained on"):
        tuned(weights, sha256="0" * 64)
    with pytest.raises(ConfigError, match="enformer:FILE or none"):
        EnformerTuning.checked({"weights": "hyenadna"})


def make_dataset(path: Path, examples: int = 48, *, both: bool = True) -> Path:
    """Expression follows how many of the two haplotypes are rich in G and C around the TSS."""
    rng = np.random.default_rng(0)
    rich = rng.integers(0, 2, (2, examples))
    codes = rng.integers(0, 4, (2, examples, 256)).astype(np.uint8)
    for copy_, row in np.argwhere(rich):
        codes[copy_, row, 96:160] = rng.integers(1, 3, 64)
    with write_dataset(path, {"settings": {"upstream": 128}}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{i}" for i in range(examples)]}))
        out.input("sequence", [codes[0]])
        if both:
            out.input("sequence_2", [codes[1]])
        counted = rich.sum(0) if both else rich[0]
        out.target("expression", counted + 0.1 * rng.normal(size=examples), kind="regression")
    return path


@pytest.mark.parametrize(
    ("tune", "epochs", "rate"),
    [
        ("head", 20, 0.01),
        pytest.param("lora", 10, 0.01, marks=pytest.mark.slow),
        pytest.param("all", 5, 0.001, marks=pytest.mark.slow),
    ],
)
def test_trained_by_the_ordinary_loop(
    weights: Path, tmp_path: Path, tune: str, epochs: int, rate: float
):
    dataset = make_dataset(tmp_path / "people.h5")
    before = sha256_file(weights)
    run = train_run(
        TrainConfig.checked(
            {
                "dataset": str(dataset),
                "model": "enformer",
                "split": "example",
                "fit": {"epochs": epochs, "learning_rate": rate},
                "options": {"weights": f"enformer:{weights}", "tune": tune},
                "machine": {"device": "cpu", "threads": 1, "precision": "fp32"},
            }
        ),
        tmp_path / "run",
    )
    assert sha256_file(weights) == before
    options = TrainConfig.load(run.config_path).options
    with safe_open(run.weights_path, "pt") as file:
        names = set(file.keys())
    assert any("/network." in name for name in names) == (tune == "all")
    assert any("lora" in name for name in names) == (tune == "lora")
    model = load_model(run.weights_path)
    assert model.inputs == ("sequence", "sequence_2")
    with Dataset.open(dataset) as data:
        read = data.batch(model.inputs, np.arange(48))
        found = model.predict(read).mean[:, 0]
        target = data.target("expression")
        # Either haplotype counts alike: exchanged, the answer is the same.
        swapped = {"sequence": read["sequence_2"], "sequence_2": read["sequence"]}
        np.testing.assert_allclose(model.predict(swapped).mean[:, 0], found, rtol=1e-4, atol=1e-5)
    assert np.corrcoef(found, target)[0, 1] > 0.6
    assert options["tune"] == tune


def test_one_haplotype_where_there_is_one(weights: Path, tmp_path: Path):
    with Dataset.open(make_dataset(tmp_path / "one.h5", both=False)) as data:
        settled = SPEC.settle(EnformerTuning(weights=f"enformer:{weights}"), data, np.arange(2))
    assert settled.haplotypes == "one"
    assert SPEC.inputs_read(settled) == ("sequence",)
    assert settled.sha256 == sha256_file(weights)


def test_a_run_whose_weights_were_replaced_is_refused(weights: Path, tmp_path: Path):
    config = EnformerTuning(weights=f"enformer:{weights}", sha256=sha256_file(weights))
    other = save_enformer(random_enformer(SMALL, 9), tmp_path / "other.st")
    moved = config.model_copy(update={"weights": f"enformer:{other}"})
    assert TunedEnformer(config, SHAPES).sizes == SMALL
    with pytest.raises(MismatchError, match="Put the same file back"):
        TunedEnformer(moved, SHAPES)


def test_without_weights_it_is_small_and_random():
    module = TunedEnformer(get_spec("enformer").config.checked({"weights": "none"}), SHAPES)
    assert (module.sizes.window, module.sizes.dim) == (512, TOY.dim)
    assert module(batch()).shape == (3, 1)
