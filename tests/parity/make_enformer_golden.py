"""Ask the published PyTorch port of Enformer what it gives for weights by formula.

Source: enformer-pytorch 0.8.12 (MIT, https://github.com/lucidrains/enformer-pytorch), installed
with ``--no-deps`` beside torch, einops, transformers, pyfaidx, polars and
discrete-key-value-bottleneck-pytorch in an environment of its own; neither the package nor its
tests import it. Run there:

    python tests/parity/make_enformer_golden.py tests/fixtures/enformer_golden.json

The full size takes two minutes and 6 GB; ``--toy`` leaves out its part as it was.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent))

from enformer_formula import FULL, TOY, bases, weights
from enformer_pytorch import Enformer


def network(sizes: dict[str, Any]) -> Any:
    """Build the port's network and fill it by formula."""
    if sizes:
        options = {
            "dim": sizes["dim"],
            "depth": sizes["depth"],
            "heads": sizes["heads"],
            "attn_dim_key": sizes["key"],
            "dim_divisible_by": sizes["divisible_by"],
            "num_downsamples": sizes["downsamples"],
            "target_length": sizes["bins"],
            "output_heads": sizes["tracks"],
        }
    else:
        options = {"use_tf_gamma": True}
    made = Enformer.from_hparams(**options).eval()
    filled = set()
    with torch.no_grad():
        for name, tensor in made.state_dict().items():
            # The parts stand there twice, by name and by place in the trunk.
            if not name.startswith("_trunk.") and tensor.data_ptr() not in filled:
                tensor.copy_(torch.from_numpy(weights(name, tuple(tensor.shape))))
                filled.add(tensor.data_ptr())
    return made


def outputs(made: Any, length: int, bins: int, rows: int, channels: int) -> dict[str, Any]:
    """Give tracks and hidden vectors of the middle bins and of the first and last."""
    codes = torch.from_numpy(bases(length, "sequence").astype(np.int64))
    table = torch.cat([torch.eye(4), torch.zeros(1, 4)])
    middle = bins // 2
    chosen = [0, middle - 1, middle, middle + 1, bins - 1]
    with torch.no_grad():
        hidden = made(table[codes][None], return_only_embeddings=True)
        tracks = {name: head(hidden)[0, chosen, :rows] for name, head in made._heads.items()}
    return {
        "bins": chosen,
        "hidden": _rounded(hidden[0, chosen, :channels]),
        **{name: _rounded(values) for name, values in tracks.items()},
    }


def _rounded(values: torch.Tensor) -> list[list[float]]:
    return [[float(f"{value:.7g}") for value in row] for row in values.tolist()]


def main() -> None:
    """Write the fixture."""
    target = Path(sys.argv[1])
    found = json.loads(target.read_text()) if target.exists() else {}
    found["source"] = "enformer-pytorch 0.8.12, weights by tests/parity/enformer_formula.py"
    found["toy"] = outputs(network(TOY), TOY["window"], TOY["bins"], 4, 16)
    if "--toy" not in sys.argv:
        found["full"] = outputs(network(FULL), 196_608, 896, 4, 16)
    target.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
