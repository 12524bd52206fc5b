"""What every family must do, whatever it is: learn, sample, be stored, at any length."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor

from exprimo.generate.conditioning import Conditioning
from exprimo.generate.config import GenerateConfig
from exprimo.generate.family import Family, HasLoss, Layout
from exprimo.generate.registry import all_families, family_names, get_family
from exprimo.generate.stored import load_generator, save_generator

CPU = torch.device("cpu")
CONDITIONS = {
    "none": Conditioning(),
    "class": Conditioning("class", "kind", ("down", "none", "up"), (5.0, 5.0, 5.0)),
    "value": Conditioning("value", "y", (), (0.0, 1.0, 2.0), 1.0, 0.5),
}
# Small ones, so that all families and lengths are tried in seconds.
SMALL = {
    "diffusion": {"channels": 8, "blocks": 2},
    "diffusion-published": {"channels": 8, "blocks": 1},
}


def _built(name: str, length: int, kind: str) -> Family:
    spec = get_family(name)
    torch.manual_seed(1)
    options = spec.options.checked(SMALL.get(name, {}))
    return spec.build(options, Layout(length, CONDITIONS[kind], CPU, "fp32"))


def _batch(length: int, kind: str, n: int = 6) -> tuple[Tensor, Tensor | None]:
    torch.manual_seed(2)
    codes = torch.randint(0, 4, (n, length), dtype=torch.uint8)
    return codes, None if kind == "none" else torch.arange(n).remainder(3).float()


@pytest.mark.parametrize("name", family_names())
@pytest.mark.parametrize(("length", "kind"), [(80, "none"), (37, "class"), (203, "value")])
def test_it_learns_and_samples_at_any_length(name: str, length: int, kind: str) -> None:
    family = _built(name, length, kind)
    codes, condition = _batch(length, kind)
    before = copy.deepcopy(family.module.state_dict())
    losses = family.update(codes, condition)
    assert all(abs(loss) < 1e6 for loss in losses.values())
    assert any(not torch.equal(before[k], v) for k, v in family.module.state_dict().items())
    steps = 3 if get_family(name).steps else 1
    drawn = family.sample(6, condition, steps=steps, guidance=1.0)
    assert drawn.shape == (6, length)
    assert drawn.dtype == torch.uint8
    assert int(drawn.max()) <= 3
    if get_family(name).guided and condition is not None:
        family.sample(6, condition, steps=steps, guidance=3.0)
    if isinstance(family, HasLoss):
        assert family.loss(codes, condition).shape == (6,)


@pytest.mark.parametrize("name", family_names())
def test_all_randomness_comes_from_torchs_generator(name: str) -> None:
    ends = []
    for _ in range(2):
        family = _built(name, 40, "class")
        torch.manual_seed(5)
        family.update(*_batch(40, "class"))
        torch.manual_seed(6)
        ends.append(family.sample(4, torch.zeros(4), steps=2, guidance=1.0))
    assert torch.equal(*ends)


@pytest.mark.parametrize("name", family_names())
def test_a_stored_generator_draws_the_same(name: str, tmp_path: Path) -> None:
    family = _built(name, 40, "value")
    family.update(*_batch(40, "value"))
    spec = get_family(name)
    options = spec.options.checked(SMALL.get(name, {})).model_dump(mode="json")
    config = GenerateConfig(dataset="D.h5", generator=name, options=options)
    layout = Layout(40, CONDITIONS["value"], CPU, "fp32")
    path = tmp_path / "model.safetensors"
    save_generator(path, family.module.state_dict(), spec, config, layout, None)
    loaded = load_generator(path, device=CPU, precision="fp32")
    assert loaded.layout == layout
    drawn = []
    for one in (family, loaded.family):
        torch.manual_seed(7)
        drawn.append(one.sample(4, torch.ones(4), steps=2, guidance=1.0))
    assert torch.equal(*drawn)


def test_each_says_what_it_is() -> None:
    for spec in all_families():
        assert spec.name in family_names()
        assert spec.summary
        assert spec.citation
        for field in spec.options.model_fields.values():
            assert field.description


def test_the_published_denoiser_has_the_published_size() -> None:
    spec = get_family("diffusion-published")
    options = spec.options()
    family = spec.build(options, Layout(80, Conditioning(), CPU, "fp32"))
    convolutions = [m for m in family.module.modules() if isinstance(m, torch.nn.Conv2d)]
    # One in, one out, and two in each of four blocks, of 128 channels.
    assert len(convolutions) == 10
    assert {m.out_channels for m in convolutions[:-1]} == {128}
    groups = {m.num_groups for m in family.module.modules() if isinstance(m, torch.nn.GroupNorm)}
    assert groups == {8}
    (optimizer,) = family.optimizers
    assert isinstance(optimizer, torch.optim.AdamW)
    assert optimizer.param_groups[0]["lr"] == 1e-4
    assert spec.steps is not None
    assert spec.steps(80) == 1000


def test_masked_diffusion_begins_at_the_entropy_of_a_uniform_base() -> None:
    family = _built("diffusion", 40, "none")
    assert isinstance(family, HasLoss)
    # The last layer begins at zero: every base has probability a quarter.
    assert torch.allclose(family.loss(*_batch(40, "none")), torch.tensor(4.0).log())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["diffusion", "diffusion-published"])
def test_a_repeat_is_continued(name: str) -> None:
    """Each sequence repeats AC or GT, in one of two phases, throughout."""
    spec = get_family(name)
    torch.manual_seed(1)
    options = spec.options.checked({"channels": 32, "blocks": 4, "kernel": 7})
    family = spec.build(options, Layout(12, Conditioning(), CPU, "fp32"))
    for optimizer in family.optimizers:
        optimizer.param_groups[0]["lr"] = 3e-3
    repeats = torch.tensor([[0, 1], [1, 0], [2, 3], [3, 2]], dtype=torch.uint8).repeat(1, 6)
    for _ in range(350):
        family.update(repeats[torch.randint(0, 4, (64,))], None)
    drawn = family.sample(200, None, steps=50, guidance=1.0)
    whole = (drawn[:, None] == repeats[None]).float().mean(2)
    # Nearly every base is that of the nearest repeat, and all four repeats are drawn.
    assert float(whole.max(1).values.mean()) > 0.95
    assert int(torch.bincount(whole.argmax(1), minlength=4).min()) > 20
