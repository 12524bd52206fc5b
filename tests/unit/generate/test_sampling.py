"""What is drawn is a dataset or FASTA: reproducible, streamed, stamped with where it is from."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from exprimo.core.dataset import Dataset
from exprimo.core.dataset.generated import NOT_CHECKED, read_stamp, stamp_verdict
from exprimo.core.errors import ConfigError, ExprimoError, InputError
from exprimo.generate import Generator, generate_fit, generate_sample
from exprimo.generate.families.masked_diffusion import (
    MaskedDiffusion,
    MaskedDiffusionOptions,
    _turns,
)
from exprimo.generate.sampling import Asked, draw_chunks
from exprimo.generate.sampling.stream import chunk_size
from exprimo.generate.stored import load_generator


@pytest.fixture(scope="module")
def fitted(motifs: Path, tiny: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate_fit(
        motifs, tmp_path_factory.mktemp("fitted") / "GEN", condition="y", **tiny
    ).path


@pytest.fixture(scope="module")
def unasked(motifs: Path, tiny: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate_fit(motifs, tmp_path_factory.mktemp("unasked") / "GEN", **tiny).path


def _draw(generator: Path, out: Path, **asked: Any) -> Path:
    return generate_sample(generator, out, **{"n": 20, "steps": 4, "threads": 1, **asked}).path


def test_the_same_seed_draws_the_same_and_another_does_not(fitted: Path, tmp_path: Path) -> None:
    files = [
        _draw(fitted, tmp_path / f"{name}.fa", seed=seed).read_text()
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    ]
    assert files[0] == files[1] != files[2]
    packed = [_draw(fitted, tmp_path / f"{name}.fa.gz").read_bytes() for name in "xy"]
    assert packed[0] == packed[1]
    assert gzip.decompress(packed[0]).decode() == files[0]
    lines = files[0].splitlines()
    assert lines[0].startswith(">generated_1 y=")
    assert len(lines) == 40
    assert {len(line) for line in lines[1::2]} == {48}
    assert set("".join(lines[1::2])) == set("ACGT")


def test_a_dataset_has_the_target_asked_for_and_the_stamp(fitted: Path, tmp_path: Path) -> None:
    path = _draw(fitted, tmp_path / "S.h5", target=1.5, guidance=2.0)
    with Dataset.open(path) as data:
        assert data.target("y").tolist() == [1.5] * 20
        assert data.targets["y"].kind == "regression"
        assert data.column("example_id")[0] == "generated_1"
        assert data.inputs["sequence"].shape == (48,)
        assert data.provenance["asked"]["guidance"] == 2.0
        before = data.sha256
    stamp = read_stamp(path)
    assert stamp is not None
    assert stamp.fidelity == NOT_CHECKED
    assert stamp.ledger == Generator.open(fitted).ledger
    assert stamp.generator["family"] == "diffusion"
    stamp_verdict(path, "failed", {"copied": 0.5})
    stamped = read_stamp(path)
    assert stamped is not None
    assert (stamped.fidelity, stamped.figures) == ("failed", {"copied": 0.5})
    assert stamped.ledger == stamp.ledger
    with Dataset.open(path) as data:
        assert data.sha256 == before


def test_a_value_that_no_training_example_has_is_said_to_be_one(
    fitted: Path, tmp_path: Path
) -> None:
    inside = generate_sample(fitted, tmp_path / "A.h5", n=2, target=1.0, threads=1)
    beyond = generate_sample(fitted, tmp_path / "B.h5", n=2, target=9.0, threads=1)
    assert inside.notes == ()
    [note] = beyond.notes
    words = (
        r"y 9 is beyond the training examples, which have -0\.\d+ to 2\.\d+: nothing was learned"
    )
    assert re.match(words, note)


def test_real_sequences_have_no_stamp(motifs: Path) -> None:
    assert read_stamp(motifs) is None
    with pytest.raises(InputError, match="not generated"):
        stamp_verdict(motifs, "passed", {})


def test_without_a_condition_there_is_no_target(unasked: Path, tmp_path: Path) -> None:
    with Dataset.open(_draw(unasked, tmp_path / "S.h5")) as data:
        assert dict(data.targets) == {}
        assert len(data) == 20


def test_any_number_is_drawn_a_chunk_at_a_time(
    fitted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_at_once: list[int] = []

    def sample(self: Any, n: int, condition: Tensor | None, **_: Any) -> Tensor:
        asked_at_once.append(n)
        return torch.randint(0, 4, (n, 48), dtype=torch.uint8)

    monkeypatch.setattr(MaskedDiffusion, "sample", sample)
    done = generate_sample(fitted, tmp_path / "S.h5", n=20_001, threads=1)
    assert (done.n, done.length) == (20_001, 48)
    assert max(asked_at_once) == chunk_size(48) == 256
    assert sum(asked_at_once) == 20_001
    with Dataset.open(tmp_path / "S.h5") as data:
        assert len(data) == 20_001
        ids = data.column("example_id")
        assert len(set(ids)) == 20_001
        values = data.target("y")
    # Values are drawn as the training examples have them: 30% near 2, the others near 0.
    assert (values > 1).mean() == pytest.approx(0.3, abs=0.03)


class Ranking(MaskedDiffusion):
    """Likes G, and notes what it drew."""

    def sample(self, n: int, *rest: Any, **more: Any) -> Tensor:
        self.drawn = super().sample(n, *rest, **more)
        return self.drawn

    def score(self, codes: Tensor, condition: Tensor | None) -> Tensor:
        return (codes == 2).float().mean(1)


def test_of_several_the_one_that_ranks_first_is_kept(unasked: Path) -> None:
    path = Generator.open(unasked).weights_path
    loaded = load_generator(path, device=torch.device("cpu"), precision="fp32")
    family = Ranking(MaskedDiffusionOptions(channels=8, blocks=1), loaded.layout)
    ranked = loaded._replace(family=family)
    ((codes, _),) = draw_chunks(ranked, Asked(5, steps=3, keep_best=0.25))
    assert family.drawn.shape == (20, 48)
    best = (family.drawn == 2).float().mean(1).reshape(4, 5).max(0).values
    assert np.allclose((codes == 2).mean(axis=1), best.numpy())


@pytest.mark.parametrize(
    ("which", "asked", "words"),
    [
        ("fitted", {"target": "much"}, "not a value of y.*a number; training examples have"),
        ("fitted", {"target": "nan"}, "not a value"),
        ("fitted", {"keep_best": 0.5}, "does not rank"),
        ("fitted", {"keep_best": 0.0}, "not a share"),
        ("fitted", {"steps": 0}, "a step at least"),
        ("fitted", {"n": 0}, "one sequence at least"),
        ("unasked", {"target": 1.0}, "without a condition.*--condition"),
        ("unasked", {"guidance": 2.0}, "no condition to weigh"),
    ],
)
def test_what_cannot_be_asked(
    which: str, asked: dict[str, Any], words: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=words):
        _draw(request.getfixturevalue(which), tmp_path / "S.h5", **asked)
    assert list(tmp_path.iterdir()) == []


def test_bad_outputs_are_refused(fitted: Path, motifs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown kind of output"):
        _draw(fitted, tmp_path / "S.tsv")
    with pytest.raises(InputError, match="already exists"):
        _draw(fitted, motifs)
    with pytest.raises(ExprimoError, match="a file, not a generator"):
        _draw(motifs, tmp_path / "S.h5")


def test_bases_told_in_one_pass_stand_far_apart() -> None:
    turn = _turns(3, 100, 25, torch.device("cpu"))
    assert turn.shape == (3, 100)
    for row in turn:
        assert torch.bincount(row).tolist() == [4] * 25
        for one in range(25):
            places = torch.nonzero(row == one).ravel()
            assert int(places.diff().min()) == 25
    assert not torch.equal(turn[0], turn[1])
