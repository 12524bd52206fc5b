"""Adversarial generators: the penalty by hand, who learns when, any length, resuming, collapse."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError
from exprimo.core.sequence import encode
from exprimo.generate import generate_fit, generate_sample
from exprimo.generate.conditioning import Conditioning
from exprimo.generate.families.published_gan import PublishedGan, PublishedGanOptions, as_image
from exprimo.generate.families.wasserstein import (
    Wasserstein,
    WassersteinOptions,
    gradient_penalty,
    one_hot,
    relaxed,
)
from exprimo.generate.family import Layout, Ranks
from exprimo.generate.fidelity.measures.diversity import diversity
from exprimo.generate.networks.residual_gan import ResidualCritic, ResidualGenerator
from exprimo.generate.registry import get_family
from exprimo.generate.stored import load_generator
from exprimo.models.stored import read_tensors

CPU = torch.device("cpu")
NONE = Conditioning()
CLASSES = Conditioning("class", "kind", ("0", "1"), (5.0, 5.0))
SMALL: dict[str, dict[str, Any]] = {
    "gan": {"channels": 8, "blocks": 1, "noise": 8},
    "gan-published": {"channels": 16},
}


def _wasserstein(length: int = 24, **options: Any) -> Wasserstein:
    torch.manual_seed(0)
    settings = WassersteinOptions(**{**SMALL["gan"], **options})
    return Wasserstein(settings, Layout(length, NONE, CPU, "fp32"))


def _codes(n: int, length: int) -> Tensor:
    return torch.randint(0, 4, (n, length), dtype=torch.uint8)


def test_the_penalty_of_a_linear_critic_is_that_of_its_weights() -> None:
    weights = torch.tensor([[3.0, 0.0], [0.0, 0.0], [0.0, 4.0], [0.0, 0.0]])
    real, fake = one_hot(_codes(5, 2)), one_hot(_codes(5, 2))
    # The slope is (3, 4) wherever it is taken: a norm of 5, and (5 - 1)² = 16.
    found = gradient_penalty(lambda x, _: (weights * x).sum(dim=(1, 2)), real, fake, None)
    assert float(found.detach()) == pytest.approx(16.0)


def test_the_penalty_is_taken_between_real_and_made_and_is_one_of_each_sequence() -> None:
    real, seen = torch.zeros(64, 4, 1), []

    def squares(x: Tensor, _: Tensor | None) -> Tensor:
        seen.append(x.detach())
        return x.square().sum(dim=(1, 2)) / 2

    found = gradient_penalty(squares, real, real + 1, None).detach()
    (between,) = seen
    share = between[:, 0, 0]
    assert torch.equal(between, share[:, None, None].expand(-1, 4, 1))
    assert float(share.min()) >= 0
    assert float(share.max()) <= 1
    assert float(share.std()) > 0.2
    # The slope of half a square is the place itself: four times the share, a norm of twice it.
    assert float(found) == pytest.approx(float((2 * share - 1).square().mean()), abs=1e-5)


def test_a_critic_learns_from_its_penalty() -> None:
    line = nn.Linear(8, 1, bias=False)
    optimizer = torch.optim.Adam(line.parameters(), lr=0.02)
    for _ in range(120):
        real = one_hot(_codes(4, 2))
        penalty = gradient_penalty(lambda x, _: line(x.flatten(1))[:, 0], real, real, None)
        optimizer.zero_grad()
        penalty.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
    assert float(line.weight.detach().norm()) == pytest.approx(1.0, abs=0.02)


def test_the_generator_learns_once_for_so_many_steps_of_the_critic() -> None:
    family = _wasserstein(critic_steps=3)
    learned: list[bool] = []
    for _ in range(7):
        before = copy.deepcopy(family.module.state_dict())
        losses = family.update(_codes(6, 24), None)
        after = family.module.state_dict()
        changed = {k.split(".")[0] for k in after if not torch.equal(before[k], after[k])}
        assert {"critic", "made"} <= changed
        learned.append("generator" in changed)
        assert losses.keys() == {"distance", "penalty"}
    assert learned == [False, False, True, False, False, True, False]
    assert all(p.requires_grad for p in family.module.parameters())


def test_bases_are_drawn_by_their_shares_at_any_temperature() -> None:
    shares = torch.tensor([0.1, 0.2, 0.3, 0.4])
    logits = shares.log()[None, :, None].expand(1, 4, 40_000).clone().requires_grad_(True)
    for temperature in (0.2, 2.0):
        drawn = relaxed(logits, temperature, drawn=True)
        assert set(drawn.detach().unique().tolist()) <= {0.0, 1.0}
        assert torch.allclose(drawn.mean(dim=(0, 2)), shares, atol=0.01)
    (slope,) = torch.autograd.grad(drawn[:, 0].sum(), logits)
    assert float(slope[:, 0].min()) > 0
    assert float(slope[:, 1:].max()) < 0


@pytest.mark.parametrize("length", [20, 33, 128, 129, 500, 2000])
def test_any_length_is_made_and_read(length: int) -> None:
    torch.manual_seed(0)
    made = ResidualGenerator(length, NONE, noise=4, local_noise=2, channels=8, blocks=1, kernel=3)(
        3, None
    )
    assert made.shape == (3, 4, length)
    critic = ResidualCritic(length, CLASSES, channels=8, blocks=1, kernel=3)
    codes = _codes(3, length)
    base = one_hot(codes)
    changed = base.clone()
    changed[:, :, -1] = changed[:, :, -1].roll(1, dims=1)
    condition = torch.tensor([0.0, 1.0, 1.0])
    # The last base is read, and so is what is asked for.
    assert (critic(base, condition) != critic(changed, condition)).all()
    assert (critic(base, condition) != critic(base, 1 - condition)).all()
    family = PublishedGan(PublishedGanOptions(channels=16), Layout(length, NONE, CPU, "fp32"))
    drawn = family.sample(2, None, steps=1, guidance=1.0)
    assert drawn.shape == (2, length)
    assert family.score(drawn, None).shape == (2,)


def test_the_published_networks_are_the_published_ones() -> None:
    spec = get_family("gan-published")
    layout = Layout(80, NONE, CPU, "fp32")
    family = spec.build(spec.options(), layout)
    modules = dict(family.module.named_modules())
    kinds = [type(m).__name__ for n, m in modules.items() if n.startswith("discriminator.layers.")]
    assert kinds == ["Conv2d", "LeakyReLU", "Dropout"] * 2
    read = [m for m in modules.values() if isinstance(m, nn.Conv2d)]
    assert [(m.out_channels, m.stride) for m in read] == [(64, (2, 2)), (128, (2, 2))]
    assert {m.negative_slope for m in modules.values() if isinstance(m, nn.LeakyReLU)} == {0.2}
    assert {m.p for m in modules.values() if isinstance(m, nn.Dropout)} == {0.3}
    assert {m.in_features for n, m in modules.items() if n == "generator.first"} == {128}  # type: ignore[union-attr]  # it is a linear layer
    for optimizer in family.optimizers:
        assert isinstance(optimizer, torch.optim.Adam)
        assert {group["lr"] for group in optimizer.param_groups} == {1e-4}
    image = modules["generator"](3, None).detach()
    assert image.shape == (3, 4, 80)
    assert float(image.abs().max()) <= 1
    assert as_image(torch.tensor([[2]])).tolist() == [[[-1.0], [-1.0], [1.0], [-1.0]]]


def test_noise_may_be_an_image() -> None:
    options = PublishedGanOptions(channels=16, noise_form="image")
    family = PublishedGan(options, Layout(100, CLASSES, CPU, "fp32"))
    condition = torch.tensor([0.0, 1.0, 0.0, 1.0])
    losses = family.update(_codes(4, 100), condition)
    assert losses.keys() == {"discriminator", "generator"}
    network = family.module.get_submodule("generator").train()
    drawn = network(4, condition).argmax(1)
    assert drawn.shape == (4, 100)
    assert len(drawn.unique(dim=0)) == 4


class Killed(BaseException):
    """Stands for a kill: no one catches it."""


@pytest.mark.parametrize(("name", "kind"), [("gan", Wasserstein), ("gan-published", PublishedGan)])
def test_both_optimisers_go_on_where_they_were(
    name: str, kind: Any, motifs: Path, tiny: dict[str, Any], tmp_path: Path
) -> None:
    settings = {**tiny, "generator": name, "condition": "y", "options": SMALL[name]}
    unbroken = generate_fit(motifs, tmp_path / "A", **settings)
    learn, count = kind.update, itertools.count(1)

    def update(self: Any, codes: Tensor, condition: Tensor | None) -> dict[str, float]:
        # Between two steps of the generator, and between two checkpoints.
        if next(count) > 13:
            raise Killed
        found: dict[str, float] = learn(self, codes, condition)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "update", update)
        with pytest.raises(Killed):
            generate_fit(motifs, tmp_path / "B", **settings)
    resumed = generate_fit(motifs, tmp_path / "B", resume=True, **settings)
    ours, theirs = (read_tensors(one.weights_path)[0] for one in (unbroken, resumed))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    columns = [c for c in unbroken.history().columns if c != "seconds"]
    assert len(columns) == 3
    assert unbroken.history()[columns].equals(resumed.history()[columns])


def test_samples_are_filtered_by_the_critic_and_have_no_steps_or_guidance(
    motifs: Path, tiny: dict[str, Any], tmp_path: Path
) -> None:
    settings = {**tiny, "generator": "gan", "options": SMALL["gan"]}
    made = generate_fit(motifs, tmp_path / "GEN", **settings)
    texts = {}
    for share in (1.0, 0.25):
        out = tmp_path / f"{share}.fa"
        generate_sample(made.path, out, n=40, keep_best=share, threads=1, precision="fp32")
        texts[share] = out.read_text().split("\n")[1:-1:2]
    family = _loaded(made.path)
    assert isinstance(family, Ranks)
    means = {
        share: float(family.score(_as_codes(some), None).mean()) for share, some in texts.items()
    }
    assert means[0.25] > means[1.0]
    for asked in ({"steps": 5}, {"guidance": 2.0}):
        with pytest.raises(ConfigError, match=r"one pass|cannot weigh"):
            generate_sample(made.path, tmp_path / "no.fa", n=4, threads=1, **asked)  # type: ignore[arg-type]  # one of two options


def _loaded(path: Path) -> Any:
    return load_generator(path / "model.safetensors", device=CPU, precision="fp32").family


def _as_codes(sequences: list[str]) -> Tensor:
    return torch.tensor([["ACGT".index(base) for base in one] for one in sequences])


def test_a_collapsed_generator_is_told_by_its_diversity() -> None:
    healthy = _wasserstein(40, output="shares")
    collapsed = _wasserstein(40, output="shares")
    with torch.no_grad():
        for name, weights in collapsed.module.named_parameters():
            if name.startswith(("generator.first.weight", "generator.local")):
                weights.mul_(0.02)
    found = {
        name: diversity(family.sample(300, None, steps=1, guidance=1.0).numpy())
        for name, family in (("healthy", healthy), ("collapsed", collapsed))
    }
    assert found["healthy"]["unique_fraction"] == 1.0
    assert found["collapsed"]["mean_difference"] < 0.1 < 0.3 < found["healthy"]["mean_difference"]


@pytest.mark.slow
def test_a_planted_motif_is_made_in_its_class_only(motifs: Path, tmp_path: Path) -> None:
    """It stands at base 20 in 60% of class 1; the whole takes some 15 seconds on one core."""
    made = generate_fit(
        motifs,
        tmp_path / "GEN",
        generator="gan",
        condition="high",
        split="random",
        machine={"threads": 1},
        options={"channels": 32, "blocks": 1, "critic_steps": 2},
        fit={"steps": 600, "learning_rate": 2e-3, "warm_up": 0, "batch_size": 32, "average": 0.98},
    )
    motif, place = encode("TGACTCAT"), 20
    share = {}
    for kind in ("0", "1"):
        out = tmp_path / f"{kind}.h5"
        generate_sample(made.path, out, n=400, target=kind, threads=1)
        with Dataset.open(out) as data:
            drawn = data.rows("sequence", np.arange(400))
        share[kind] = float((drawn[:, place : place + len(motif)] == motif).all(axis=1).mean())
        assert diversity(drawn)["unique_fraction"] > 0.99
        rest = np.delete(drawn, slice(place, place + len(motif)), axis=1)
        assert np.abs(np.bincount(rest.ravel(), minlength=4) / rest.size - 0.25).max() < 0.05
    assert 0.3 < share["1"] < 0.8
    assert share["0"] < 0.05
    # The critic tells the motif from chance, in the class that has it.
    plain = np.random.default_rng(0).integers(0, 4, (200, 48)).astype(np.uint8)
    with_motif = plain.copy()
    with_motif[:, place : place + len(motif)] = motif
    family = _loaded(made.path)
    scores = [
        family.score(torch.from_numpy(x), torch.ones(200)).mean() for x in (with_motif, plain)
    ]
    assert float(scores[0]) > float(scores[1])
