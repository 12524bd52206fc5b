"""Layers by name: what they give, which is meant, and what is said of those that are not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, MismatchError
from exprimo.core.sequence import reverse_complement
from exprimo.models.network import NetworkPredictor
from exprimo.models.zoo import Shapes, get_spec
from exprimo.scoring.layers import layer_blocks, layer_outputs, layers_of

LENGTH = 120
NETS = ("cnn", "cnn2d", "cnn_bilstm", "transformer")


def network(
    name: str, *, both_strands: bool = False, members: int = 1, **options: object
) -> NetworkPredictor:
    shapes = Shapes({"sequence": (LENGTH,)}, "classification")
    torch.manual_seed(2)
    spec = get_spec(name)
    config = spec.config.checked(options)
    nets = [spec.build(config, shapes) for _ in range(members)]
    return NetworkPredictor(nets, shapes, both_strands=both_strands)


def codes(n: int = 5) -> np.ndarray:
    return np.random.default_rng(8).integers(0, 5, (n, LENGTH)).astype(np.uint8)


@pytest.mark.parametrize("both_strands", [False, True])
@pytest.mark.parametrize("name", NETS)
def test_unless_named_it_is_what_the_last_layer_reads(name: str, both_strands: bool) -> None:
    net, batch = network(name, both_strands=both_strands), {"sequence": codes()}
    found = layer_outputs(net, batch)
    np.testing.assert_allclose(found, net.features(batch)[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "dense"),
    [("cnn", "head.2"), ("cnn2d", "dense"), ("cnn_bilstm", "dense.0"), ("transformer", "dense")],
)
def test_the_first_dense_layer_reads_one_vector(name: str, dense: str) -> None:
    net, batch = network(name), {"sequence": codes()}
    found = layer_outputs(net, batch, layer="first_dense")
    np.testing.assert_array_equal(found, layer_outputs(net, batch, layer=dense))
    assert found.ndim == 2


def test_every_listed_layer_gives_the_shape_it_is_listed_with() -> None:
    for name in NETS:
        net = network(name)
        listed = layers_of(net)
        assert len({layer.name for layer in listed}) == len(listed) > 5
        for layer in listed:
            found = layer_outputs(net, {"sequence": codes(2)}, layer=layer.name)
            assert found.shape == (2, *layer.shape), layer
        assert listed[-1].shape == (1,)


def test_a_layers_output_is_what_the_module_gives() -> None:
    net = network("cnn2d")
    x = torch.eye(5, 4)[torch.from_numpy(codes()).long()].transpose(1, 2)
    with torch.no_grad():
        read = net.members[0].body(x.unsqueeze(1)).amax((2, 3))  # type: ignore[operator]  # a module
        expected = net.members[0].dense(read)  # type: ignore[operator]  # a module
    np.testing.assert_allclose(
        layer_outputs(net, {"sequence": codes()}, layer="dense"), expected, rtol=1e-5, atol=1e-6
    )


def test_vectors_are_averaged_over_strands_and_positions_are_not() -> None:
    net, batch = network("cnn", both_strands=True), {"sequence": codes()}
    other = {"sequence": reverse_complement(codes())}
    np.testing.assert_allclose(
        layer_outputs(net, batch), layer_outputs(net, other), rtol=1e-4, atol=1e-6
    )
    alone = network("cnn")
    np.testing.assert_array_equal(
        layer_outputs(net, batch, layer="body.0"), layer_outputs(alone, batch, layer="body.0")
    )


def test_each_member_speaks_for_itself() -> None:
    net, batch = network("cnn2d", members=2), {"sequence": codes()}
    one, two = (layer_outputs(net, batch, member=k) for k in (0, 1))
    np.testing.assert_allclose(two, net.features(batch)[1], rtol=1e-5)
    assert abs(one - two).max() > 0.01
    with pytest.raises(ConfigError, match=r"no such member.*0 to 1"):
        layer_outputs(net, batch, member=2)


def test_an_unknown_name_is_answered_with_all_names() -> None:
    net, batch = network("cnn_bilstm"), {"sequence": codes()}
    with pytest.raises(ConfigError, match=r"dens\.0.*\(LSTM, .*Did you mean dense\.0\?"):
        layer_outputs(net, batch, layer="dens.0")
    # This one has no layer between the grid and the output.
    shallow = network("cnn", hidden=0)
    with pytest.raises(ConfigError, match=r"no such linear layer.*output \(Linear, 1\)"):
        layer_outputs(shallow, batch, layer="first_dense")
    with pytest.raises(MismatchError, match="reads another sequence"):
        layer_outputs(net, {"sequence": codes()[:, :50]})


def test_a_network_without_linear_layers() -> None:
    class Counts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pool = nn.AdaptiveAvgPool1d(1)

        def forward(self, inputs: dict[str, Tensor]) -> Tensor:
            pooled: Tensor = self.pool(inputs["sequence"]).flatten(1)
            return pooled[:, :1]

    net = NetworkPredictor([Counts()], Shapes({"sequence": (LENGTH,)}, "regression"))
    with pytest.raises(ConfigError, match=r"the last linear layer.*pool \(Adapt"):
        layer_outputs(net, {"sequence": codes()})
    assert layer_outputs(net, {"sequence": codes()}, layer="pool").shape == (5, 4, 1)


def test_blocks_are_the_whole_in_the_order_of_the_rows(planted: Path) -> None:
    net, rows = network("cnn2d"), np.array([599, 4, 17, 300], dtype=np.int64)
    with Dataset.open(planted) as data:
        whole = layer_outputs(net, data.batch(("sequence",), rows))
        for memory, n_blocks in ((1, 4), (1 << 28, 1)):
            blocks = list(layer_blocks(net, data, rows, memory=memory))
            assert len(blocks) == n_blocks
            np.testing.assert_array_equal(np.concatenate([b.rows for b in blocks]), rows)
            np.testing.assert_allclose(
                np.concatenate([b.values for b in blocks]), whole, rtol=1e-4, atol=1e-6
            )
