"""The published layers, the inputs that options choose, and the contrastive loss by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from exprimo.core.errors import ConfigError
from exprimo.models import Shapes, get_spec
from exprimo.models.halflife.autoencoder_xgboost import AUTOENCODER
from exprimo.models.halflife.dna import BinsConfig, DnaBins, DnaConfig
from exprimo.models.halflife.encoder import ContrastConfig, HalflifeEncoder, triplet_loss
from exprimo.models.zoo import find_preset, trained_network

EMBEDDED = {"embedding": (157, 256), "halflife": (8,)}


def _published(name: str, **changes: object) -> nn.Module:
    spec = get_spec(name)
    options = {**find_preset(spec, "published").options, **changes}
    config = spec.config.checked(options)
    net, inner = trained_network(spec, config)
    read = {i: EMBEDDED[i] for i in net.inputs_read(inner)}
    torch.manual_seed(0)
    return net.build(inner, Shapes(read, "classification")).eval()


def _batch(n: int = 3) -> dict[str, torch.Tensor]:
    rng = np.random.default_rng(0)
    shapes = EMBEDDED.items()
    return {k: torch.from_numpy(rng.normal(size=(n, *s)).astype(np.float32)) for k, s in shapes}


def test_the_published_network_is_the_published_layers() -> None:
    net = _published("halflife_cnn")
    batch = _batch()
    encoder = nn.Sequential(
        *(nn.Conv1d(1, 128, 3, padding=1), nn.ReLU()),
        *(nn.Conv1d(128, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv1d(256, 256, 3, padding=1), nn.ReLU()),
    )
    trunk = nn.Sequential(
        *(nn.Conv1d(256, 128, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2)),
        *(nn.Conv1d(128, 64, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2)),
        *(nn.Conv1d(64, 16, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2)),
        *(nn.Conv1d(16, 4, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2)),
        nn.Flatten(),
        *(nn.Linear(4 * 10, 256), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 1)),
    ).eval()
    encoder.load_state_dict(net.encoder.layers.state_dict())
    own = [p for n, p in net.named_parameters() if not n.startswith("encoder")]
    with torch.no_grad():
        for mine, theirs in zip(trunk.parameters(), own, strict=True):
            mine.copy_(theirs)
        joined = torch.cat(
            [batch["embedding"].transpose(1, 2), encoder(batch["halflife"][:, None])], 2
        )
        assert joined.shape == (3, 256, 165)
        torch.testing.assert_close(net(batch), trunk(joined), atol=1e-6, rtol=1e-5)


def test_the_published_training_is_that_of_the_description() -> None:
    fit = find_preset(get_spec("halflife_cnn"), "published").fit
    described = {"optimizer": "adam", "learning_rate": 1e-4, "batch_size": 32, "epochs": 50}
    assert {k: fit[k] for k in described} == described
    contrast = ContrastConfig()
    assert (contrast.noise, contrast.margin, contrast.learning_rate) == (0.1, 1.0, 1e-5)
    assert (contrast.batch_size, contrast.epochs) == (32, 10)
    trees = get_spec("autoencoder_xgboost").config.checked(
        find_preset(get_spec("autoencoder_xgboost"), "published").options
    )
    settings = trees.tree_settings()
    assert (settings.rounds, settings.depth, settings.rate) == (100, 7, 0.1)
    assert (settings.rows, settings.columns, settings.patience) == (0.8, 0.8, 0)


def test_the_published_lstm_takes_one_step_over_all_positions() -> None:
    net = _published("lstm")
    assert net.lstm.input_size == 157
    assert not net.lstm.bidirectional
    seen = []
    net.lstm.register_forward_hook(lambda _m, args, _o: seen.append(args[0].shape))
    net(_batch())
    assert seen == [(3, 1, 157)]


def test_the_recurrent_form_reads_the_order_of_bins() -> None:
    spec = get_spec("lstm")
    config = spec.config.checked({"halflife": False})
    net = spec.build(config, Shapes({"sequence": (512,)}, "regression")).eval()
    one = torch.zeros(1, 4, 512)
    one[0, 0, :256] = 1
    one[0, 1, 256:] = 1
    other = one.roll(256, 2)
    assert abs(float((net({"sequence": one}) - net({"sequence": other})).detach())) > 1e-4


def test_the_autoencoder_goes_256_128_64_32_1_and_back() -> None:
    net = _published("autoencoder_xgboost")
    widths = [m.out_channels for m in net.coder["encoder"] if isinstance(m, nn.Conv1d)]
    back = [m.out_channels for m in net.coder["decoder"] if isinstance(m, nn.Conv1d)]
    assert (widths, back) == ([128, 64, 32, 1], [32, 64, 128, 256])
    drops = {m.p for m in net.modules() if isinstance(m, nn.Dropout)}
    assert drops == {0.3}
    assert net.features(_batch()).shape == (3, 157 + 8)
    assert AUTOENCODER.unlabelled


@pytest.mark.parametrize(
    ("options", "inputs"),
    [
        ({"dna": "none", "halflife": "raw"}, ("halflife",)),
        ({"dna": "sequence", "halflife": "none"}, ("sequence",)),
        ({"dna": "embedding", "halflife": "encoded"}, ("embedding", "halflife")),
    ],
)
@pytest.mark.parametrize("join", ["dense", "length"])
def test_options_choose_the_inputs_and_nothing_else_is_read(
    options: dict[str, str], inputs: tuple[str, ...], join: str
) -> None:
    spec = get_spec("halflife_cnn")
    config = spec.config.checked({**options, "join": join})
    assert spec.inputs_read(config) == inputs
    shapes = {"sequence": (600,), **EMBEDDED}
    net = spec.build(config, Shapes({i: shapes[i] for i in inputs}, "classification")).eval()
    batch = {**_batch(), "sequence": torch.zeros(3, 4, 600)}
    assert net({i: batch[i] for i in inputs}).shape == (3, 1)


def test_reading_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="neither dna nor halflife"):
        get_spec("halflife_cnn").config.checked({"dna": "none", "halflife": "none"})


def test_triplet_loss_by_hand() -> None:
    class Doubled(nn.Module):
        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return 2 * values[:, None, :]

    values = torch.tensor([[0.0, 0.0], [0.1, 0.0], [5.0, 5.0]])
    config = ContrastConfig(noise=0.0, margin=1.0)
    generator = torch.Generator().manual_seed(4)
    step = int(torch.randint(1, 3, (1,), generator=_after_noise(4, values)))
    found = float(triplet_loss(Doubled(), values, config, generator))
    doubled = 2 * values.numpy().astype(np.float64)
    apart = np.linalg.norm(doubled - np.roll(doubled, step, 0) + 1e-6, axis=1)
    assert found == pytest.approx(np.maximum(0, 1 - apart).mean(), abs=1e-4)
    assert found > 0


def _after_noise(seed: int, values: torch.Tensor) -> torch.Generator:
    generator = torch.Generator().manual_seed(seed)
    torch.randn(values.shape, generator=generator)
    return generator


def test_no_example_is_its_own_negative() -> None:
    seen: list[torch.Tensor] = []

    class Watched(HalflifeEncoder):
        def forward(self, values: torch.Tensor) -> torch.Tensor:
            seen.append(values)
            return super().forward(values)

    generator = torch.Generator().manual_seed(0)
    encoder, config = Watched(), ContrastConfig(noise=0.0)
    same = torch.ones(4, 8)
    # Equal examples: positive and negative are as near, so the loss is the margin.
    loss = triplet_loss(encoder, same, config, generator).detach()
    assert float(loss) == pytest.approx(1.0, abs=1e-5)
    assert seen[0].shape == (8, 8)


def test_bins_keep_the_last_bases_and_the_best_match() -> None:
    bins = DnaBins(BinsConfig(bin=100), Shapes({"sequence": (250,)}, "regression"))
    assert (bins.channels, bins.bins) == (4, 3)
    sequence = torch.zeros(1, 4, 250)
    sequence[0, 2, 200:] = 1
    assert bins({"sequence": sequence})[0, 2].tolist() == [0, 0, 1]
    scan = DnaBins(DnaConfig(filters=8, bin=50), Shapes({"sequence": (220,)}, "regression")).eval()
    assert scan({"sequence": torch.zeros(2, 4, 220)}).shape == (2, 8, 5)


def test_a_bin_wider_than_the_window_is_refused() -> None:
    with pytest.raises(ConfigError, match="wider than the window"):
        DnaBins(BinsConfig(bin=900), Shapes({"sequence": (600,)}, "regression"))
