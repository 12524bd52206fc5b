"""All single-base changes of a 10.5 kb window of Xpresso: seconds and memory, in one run.

    python -m benchmarks mutagenesis [--tangermeme PYTHON] [--weights FILE]

Xpresso with random weights, or with published ones, and one made-up window: 31,500 mutants.
Contenders: ours (what a change can reach), ours with every mutant predicted whole, and tangermeme
both ways. Predicting mutants whole is timed on some positions in the middle and counted up. All
get the same weights, window and threads, and a warm-up; their effects are compared with ours
before a time counts. Memory is the peak of the whole command's process.

tangermeme comes from an environment of its own, whose interpreter is given: it needs torch,
numpy, pandas, numba and tqdm beside ``pip install --no-deps tangermeme``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

LENGTH, UPSTREAM = 10_500, 7_000
FASTER_THAN_NAIVE = 10
BUDGET_MIB = 1024
RIVAL = Path(__file__).parent / "rivals" / "tangermeme_timed.py"
NAIVE = "tangermeme, every mutant"
# Effects of two programs may differ by rounding.
_AGREE = 1e-5


class Timed(NamedTuple):
    """Seconds for all mutants, and effects (4, positions) from ``first`` on."""

    seconds: float
    first: int
    effects: Any


def main(arguments: Sequence[str] | None = None) -> None:
    """Time all and print them; fail if we are slower, or take more memory, than promised."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks mutagenesis")
    parser.add_argument("--tangermeme", type=Path, help="interpreter of an environment with it")
    parser.add_argument("--weights", type=Path, help="published weights; else random ones")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--positions", type=int, default=500, help="of those counted up from")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    with tempfile.TemporaryDirectory() as scratch:
        missed = compare(Path(scratch), options)
        missed += memory(Path(scratch), options.weights, options.threads)
    if missed:
        raise SystemExit("; ".join(missed))


def compare(folder: Path, options: argparse.Namespace) -> list[str]:
    """Time the contenders in turn; give what was promised and not kept."""
    import numpy as np
    import torch

    torch.set_num_threads(options.threads)
    network = make_network(options.weights)
    codes = np.random.default_rng(0).integers(0, 4, LENGTH).astype(np.uint8)
    state = {name.replace(".", "_"): v.numpy() for name, v in network.state_dict().items()}
    state |= {name: state.pop(f"output_linear_{name[7:]}") for name in _OUTPUT}
    np.savez(folder / "network.npz", **{k: v for k, v in state.items() if "standard" not in k})
    np.save(folder / "codes.npy", codes)
    contenders = our_ways(network, codes, options.positions)
    if options.tangermeme is None:
        print("left out: tangermeme (see --tangermeme)")
    else:
        contenders |= their_ways(folder, options)
    best: dict[str, Timed] = {}
    for _ in range(options.rounds):
        for name, run in contenders.items():
            found = run()
            if name not in best or found.seconds < best[name].seconds:
                best[name] = found
    ours = best["exprimo"]
    print(f"{3 * LENGTH:,} mutants of {LENGTH:,} bases, {options.threads} thread(s)")
    for name, one in best.items():
        expected = ours.effects[:, one.first : one.first + one.effects.shape[1]]
        off = float(np.abs(one.effects - expected).max())
        if off > _AGREE:
            raise SystemExit(f"{name} finds other effects than we do: {off:.2g}")
        ratio = one.seconds / ours.seconds
        print(f"{name:28}{one.seconds:10.2f} s{ratio:9.1f} x  differs by {off:.1g}")
    if NAIVE in best and best[NAIVE].seconds / ours.seconds < FASTER_THAN_NAIVE:
        return [f"less than {FASTER_THAN_NAIVE} times as fast as naive batching"]
    return []


_OUTPUT = ("output_weight", "output_bias")


def make_network(weights: Path | None) -> Any:
    """Make the network: published weights, or random ones."""
    import torch

    from exprimo.models.pretrained.xpresso import load_xpresso
    from exprimo.models.xpresso import Xpresso, XpressoConfig
    from exprimo.models.zoo import Shapes

    if weights is not None:
        return load_xpresso(weights).network.members[0]
    torch.manual_seed(0)
    shapes = Shapes({"sequence": (LENGTH,), "halflife": (6,)}, "regression")
    return Xpresso(XpressoConfig(), shapes).eval()


def our_ways(network: Any, codes: Any, positions: int) -> dict[str, Callable[[], Timed]]:
    """Give both of our ways, ready to run."""
    import numpy as np

    from exprimo.models.network import NetworkPredictor
    from exprimo.models.zoo import Shapes
    from exprimo.scoring.mutagenesis.local import chain_of
    from exprimo.scoring.mutagenesis.substitutions import Effects, Substitutions
    from exprimo.scoring.mutagenesis.ways import LocalWay, WholeWay

    n_features = network.dense1.in_features - 35 * 32
    shapes = Shapes({"sequence": (LENGTH,), "halflife": (n_features,)}, "regression")
    predictor = NetworkPredictor([network], shapes)
    batch = {"sequence": codes[None], "halflife": np.zeros((1, n_features), np.float32)}
    chain = chain_of(network, LENGTH)
    assert chain is not None
    local = LocalWay(predictor, [chain], lambda given: given, [0], 512 << 20)
    whole = WholeWay(lambda given: predictor.predict(given).mean, 16)

    def timed(way: LocalWay | WholeWay, low: int, high: int) -> Timed:
        wanted = Substitutions.within(codes, low, high)
        way.outputs(batch, wanted.take(slice(0, 64)))
        began = time.perf_counter()
        found = Effects.of(codes, low, high, wanted, *way.outputs(batch, wanted))
        seconds = (time.perf_counter() - began) * LENGTH / (high - low)
        return Timed(seconds, low, found.values[0])

    middle = (LENGTH - positions) // 2
    return {
        "exprimo": lambda: timed(local, 0, LENGTH),
        "exprimo, every mutant": lambda: timed(whole, middle, middle + positions),
    }


def their_ways(folder: Path, options: argparse.Namespace) -> dict[str, Callable[[], Timed]]:
    """Give both of tangermeme's ways, ready to run."""
    import numpy as np

    def run(mode: str, low: int, high: int) -> Timed:
        files = [str(folder / name) for name in ("network.npz", "codes.npy", "theirs.npy")]
        command = [str(options.tangermeme), str(RIVAL), *files, mode, str(low), str(high)]
        told = subprocess.run(
            [*command, str(options.threads)], check=True, capture_output=True, text=True
        ).stdout
        seconds = float(told.split("seconds ")[1]) * LENGTH / (high - low)
        return Timed(seconds, low, np.load(folder / "theirs.npy"))

    middle = (LENGTH - options.positions) // 2
    return {
        "tangermeme, fast": lambda: run("fast", 0, LENGTH),
        NAIVE: lambda: run("naive", middle, middle + options.positions),
    }


_COMMAND = """
import sys
from pathlib import Path
import exprimo.scoring.mutagenesis as m
weights, dataset, out, threads = sys.argv[1:]
m.mutagenesis(f"xpresso:{weights}", out, dataset=dataset, memory=1024, threads=int(threads))
status = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


def memory(folder: Path, weights: Path | None, threads: int) -> list[str]:
    """Measure the peak of the whole command; needs a file of weights."""
    import numpy as np
    import pandas as pd

    from exprimo.core.dataset import write_dataset

    if weights is None:
        print("left out: memory of the whole command (see --weights)")
        return []
    codes = np.random.default_rng(0).integers(0, 4, (1, LENGTH)).astype(np.uint8)
    with write_dataset(folder / "D.h5", {"made": "for a benchmark"}) as out:
        out.examples(pd.DataFrame({"example_id": ["a"], "gene_id": ["a"]}))
        out.input("sequence", [codes])
    began = time.perf_counter()
    told = subprocess.run(
        [sys.executable, "-c", _COMMAND, weights, folder / "D.h5", folder / "M.h5", str(threads)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    peak = int(told.split()[-1]) / 1024
    seconds = time.perf_counter() - began
    print(f"whole command: {seconds:.1f} s, peak {peak:,.0f} MiB of {BUDGET_MIB:,}")
    return [f"more memory than {BUDGET_MIB} MiB"] if peak > BUDGET_MIB else []
