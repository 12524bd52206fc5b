"""DeepChrome, AttentiveChrome, autoencoder and recurrent net: published layers, attention, code."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from exprimo.core.errors import ConfigError
from exprimo.models import Shapes, get_spec
from exprimo.models.chromatin.attentive_chrome import AttentiveChrome, AttentiveChromeConfig
from exprimo.models.chromatin.deepchrome import DeepChrome, DeepChromeConfig
from exprimo.models.chromatin.histone_autoencoder import BinCoder, HistoneAutoencoder
from exprimo.training.before import freeze_pretext

ALL = {"signal": (5, 100), "cell_context": (10, 100), "kmer_bins": (125, 100)}


def _build(name: str, task: str = "regression", preset: str | None = None, **options: object):
    spec = get_spec(name)
    given = dict(spec.presets[preset].options) if preset else {}
    config = spec.config.checked({**given, **options})
    torch.manual_seed(0)
    return spec.build(config, Shapes({i: ALL[i] for i in spec.inputs_read(config)}, task))


def _batch(n: int = 4) -> dict[str, Tensor]:
    rng = np.random.default_rng(0)
    found = {k: rng.normal(size=(n, *s)).astype(np.float32) for k, s in ALL.items()}
    found["kmer_bins"] = rng.integers(0, 6, (n, 125, 100)).astype(np.float32)
    return {k: torch.from_numpy(v) for k, v in found.items()}


def test_deepchrome_is_the_published_layers() -> None:
    ours = _build("deepchrome", "classification", "published").eval()
    plain = nn.Sequential(
        *(nn.Conv1d(5, 50, 10), nn.ReLU(), nn.MaxPool1d(5)),
        *(nn.Flatten(), nn.Dropout(0.5), nn.Linear(900, 625), nn.ReLU()),
        *(nn.Linear(625, 125), nn.ReLU(), nn.Linear(125, 2)),
    ).eval()
    with torch.no_grad():
        for mine, theirs in zip(ours.parameters(), plain.parameters(), strict=True):
            if theirs.shape == (625, 900):
                # Ours lays positions before filters.
                mine = mine.reshape(625, 18, 50).transpose(1, 2)
            theirs.copy_(mine.reshape(theirs.shape))
        batch = _batch()
        logits = plain(batch["signal"])
        torch.testing.assert_close(ours(batch), logits[:, 1:] - logits[:, :1], atol=1e-6, rtol=1e-4)
    assert next(m.p for m in ours.modules() if isinstance(m, nn.Dropout)) == 0.5


def test_deepchrome_refuses_a_window_shorter_than_its_filter() -> None:
    with pytest.raises(ConfigError, match="at most 13 bins"):
        DeepChrome(DeepChromeConfig(), Shapes({"signal": (5, 13)}, "regression"))


def test_attention_adds_up_to_one_on_both_levels() -> None:
    net = _build("attentive_chrome", cell_statistics=True).eval()
    with torch.no_grad():
        found = net.attention(_batch())
    assert found["bins"].shape == (4, 5, 100)
    assert found["marks"].shape == (4, 5)
    torch.testing.assert_close(found["bins"].sum(2), torch.ones(4, 5))
    torch.testing.assert_close(found["marks"].sum(1), torch.ones(4))
    assert float(found["bins"].std(dim=2).mean()) > 1e-5


def test_attention_follows_the_context_vectors() -> None:
    net = AttentiveChrome(
        AttentiveChromeConfig(standardise=False), Shapes({"signal": (5, 100)}, "regression")
    ).eval()
    batch = {"signal": _batch()["signal"]}
    with torch.no_grad():
        net.bin_attention[1].context.zero_()
        steps = net.over_bins[2](batch["signal"][:, 2, :, None])[0]
        expected = torch.softmax(steps @ net.bin_attention[2].context, dim=1)
        found = net.attention(batch)["bins"]
    torch.testing.assert_close(found[:, 1], torch.full((4, 100), 0.01))
    torch.testing.assert_close(found[:, 2], expected)


def test_the_published_form_is_its_equations_step_by_step() -> None:
    net = _build("attentive_chrome", "classification", "published").eval()
    batch = {"signal": _batch()["signal"]}
    assert {(m.hidden_size, m.bidirectional) for m in net.over_bins} == {(32, True)}
    assert (net.over_marks.input_size, net.over_marks.hidden_size) == (64, 16)
    with torch.no_grad():
        marks = []
        for mark in range(5):
            steps = net.over_bins[mark](batch["signal"][:, mark, :, None])[0]
            weights = torch.softmax(steps @ net.bin_attention[mark].context, dim=1)
            marks.append((weights[:, :, None] * steps).sum(1))
        steps = net.over_marks(torch.stack(marks, 1))[0]
        weights = torch.softmax(steps @ net.mark_attention.context, dim=1)
        vector = (weights[:, :, None] * steps).sum(1)
        torch.testing.assert_close(net(batch), net.output.linear(vector), atol=1e-6, rtol=1e-5)
    assert all(float(p.detach().abs().max()) <= 0.1 for p in net.parameters())


def test_cell_statistics_stand_beside_their_own_mark() -> None:
    net = _build("attentive_chrome", cell_statistics=True).eval()
    batch = _batch()
    other = {**batch, "cell_context": batch["cell_context"].clone()}
    # Row 7 of the statistics is the standard deviation of mark 2.
    other["cell_context"][:, 7] += 3
    with torch.no_grad():
        moved = (net.attention(batch)["bins"] - net.attention(other)["bins"]).abs().amax((0, 2))
    assert [bool(m > 0) for m in moved] == [False, False, True, False, False]


def test_the_code_is_a_quarter_of_the_bins_and_goes_back_to_all() -> None:
    for bins, lengths in ((100, [100, 50, 25]), (13, [13, 7, 4])):
        coder = BinCoder((20, 8, 6, 3), bins)
        assert coder.lengths == lengths
        code = coder.encode(torch.zeros(1, 20, 2, bins))
        assert code.shape == (1, 3, 2, lengths[-1])
        assert coder.decode(code).shape == (1, 20, 2, bins)


def test_the_autoencoder_learns_to_give_back_what_it_read() -> None:
    net = _build("histone_autoencoder", standardise=False, vocabulary=("AAA", "CCC", "GGG"))
    rng = np.random.default_rng(1)
    hidden = rng.normal(size=(64, 1, 25)).repeat(4, axis=2)
    counts = np.zeros((64, 125, 100), np.float32)
    for row, sign in ((0, 1), (31, -1), (62, 2)):
        counts[:, row] = sign * hidden[:, 0]
    inputs = {"kmer_bins": torch.from_numpy(counts)}
    pretext = net.pretext()
    assert pretext.inputs == ("kmer_bins",)
    optimizer = torch.optim.Adam(pretext.module.parameters(), lr=0.01)
    generator = torch.Generator().manual_seed(0)
    losses = []
    for _ in range(60):
        loss = pretext.loss(inputs, generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.2 * losses[0]


def test_the_code_stays_as_it_is_while_the_rest_learns() -> None:
    net: HistoneAutoencoder = _build("histone_autoencoder", width=8, most=16)
    freeze_pretext(net)
    net.train()
    batch = _batch(8)
    before = {k: v.clone() for k, v in net.coder.state_dict().items()}
    code = net.coder.encode(net._counts(batch))
    head = net.dense[0].weight.detach().clone()
    learning = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(learning, lr=0.01)
    for _ in range(3):
        loss = net(batch).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert before
    for name, value in net.coder.state_dict().items():
        assert torch.equal(value, before[name])
    assert torch.equal(net.coder.encode(net._counts(batch)), code)
    assert not torch.equal(net.dense[0].weight, head)


def test_the_sequence_reaches_the_output_through_the_code_alone() -> None:
    net = _build("histone_autoencoder", width=8, most=16).eval()
    batch = _batch()
    other = {**batch, "kmer_bins": batch["kmer_bins"].flip(2)}
    with torch.no_grad():
        assert float((net(batch) - net(other)).abs().max()) > 1e-5
        net.dense[0].weight[:, net.trunk.n_channels :] = 0
        torch.testing.assert_close(net(batch), net(other))


def test_an_autoencoder_without_kmers_is_refused() -> None:
    with pytest.raises(ConfigError, match="nothing to encode"):
        get_spec("histone_autoencoder").config.checked({"kmers": False})


def test_the_recurrent_net_walks_a_quarter_of_the_bins_in_order() -> None:
    net = _build("histone_crnn").eval()
    seen = []
    net.lstm.register_forward_hook(lambda _m, args, _o: seen.append(tuple(args[0].shape)))
    batch = _batch()
    with torch.no_grad():
        forward = net(batch)
        backward = net({"signal": batch["signal"].flip(2)})
    assert seen == 2 * [(4, 25, 128)]
    assert float((forward - backward).abs().max()) > 1e-4


@pytest.mark.parametrize(
    "name",
    ["histone_fcn", "deepchrome", "attentive_chrome", "histone_autoencoder", "histone_crnn"],
)
def test_every_network_reads_all_rows_when_asked(name: str) -> None:
    spec = get_spec(name)
    config = spec.config.checked({"cell_statistics": True, "kmers": True, "vocabulary": ["ACG"]})
    assert spec.inputs_read(config) == ("signal", "cell_context", "kmer_bins")
    net = spec.build(config, Shapes(ALL, "classification")).eval()
    batch = _batch()
    with torch.no_grad():
        found = net(batch)
        assert found.shape == (4, 1)
        for read in ALL:
            other = {**batch, read: batch[read] + torch.randn(batch[read].shape)}
            assert float((net(other) - found).abs().max()) > 0
    assert set(spec.presets) == {"published", "controlled"}
