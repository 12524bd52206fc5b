"""Contributions of every base: integrated gradients and mutagenesis, in one run.

    python -m benchmarks attribution [--windows 600 2000] [--examples 4] [--threads 1]

A ``cnn`` with random weights and made-up windows. Integrated gradients with one reference an
example: ours and captum's default (50 Gauss-Legendre nodes), at as many nodes, which must give the
same numbers, and at our default of 16, whose numbers are compared with 400 nodes. Mutagenesis: ours
(what a change can reach) and tangermeme's, both ways, on some positions in the middle, counted up.
All get the same network, windows and threads, run in one process with the memory allocator as we
set it, after a warm-up; the best of some rounds counts. With one thread seconds are the
processor's, so that other work on the machine does not count.

captum and tangermeme are rivals that nothing else needs: ``pip install captum tangermeme``. What is
not installed is listed and left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

CAPTUM_STEPS = 50
FASTER_THAN_CAPTUM, FASTER_THAN_NAIVE = 2, 10
# Of the greatest contribution: the same rule differs by rounding alone.
_AGREE = 1e-4
_TRUTH_STEPS = 400
_OURS, _NAIVE = "exprimo", "tangermeme, every mutant"


class Timed(NamedTuple):
    """Seconds, and contributions of every base that was asked for."""

    seconds: float
    values: Any


def main(arguments: Sequence[str] | None = None) -> None:
    """Time all and print them; fail if we are slower than promised, or find other numbers."""
    import torch

    from exprimo.training.machine import keep_memory

    parser = argparse.ArgumentParser(prog="python -m benchmarks attribution")
    parser.add_argument("--windows", type=int, nargs="+", default=[600, 2000])
    parser.add_argument("--examples", type=int, default=4)
    parser.add_argument("--positions", type=int, default=40, help="of those counted up from")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    keep_memory()
    missed: list[str] = []
    for length in options.windows:
        network, codes = make_network(length), made_up(options.examples, length)
        print(f"cnn, {length:,} bases, {options.examples} windows, {options.threads} thread(s)")
        missed += integrated(network, codes, options.rounds)
        missed += mutants(network, codes[:1], options.positions, options.rounds)
    if missed:
        raise SystemExit("; ".join(missed))


def make_network(length: int) -> Any:
    """Make a ``cnn`` as it is for few examples, with random weights and statistics."""
    import torch

    from exprimo.models.cnn import Cnn, CnnConfig, adapt
    from exprimo.models.zoo import Shapes

    torch.manual_seed(0)
    shapes = Shapes({"sequence": (length,)}, "regression")
    network = Cnn(adapt(CnnConfig(), 3000), shapes).eval()
    for layer in network.modules():
        if isinstance(layer, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.5, 2)
    return network


def made_up(n: int, length: int) -> Any:
    """Draw windows."""
    import numpy as np

    return np.random.default_rng(0).integers(0, 4, (n, length)).astype(np.uint8)


def subject_of(network: Any, length: int) -> Any:
    """Give what our methods explain."""
    from exprimo.interpret.attributions.method import Subject
    from exprimo.models.network import NetworkPredictor
    from exprimo.models.zoo import Shapes

    predictor = NetworkPredictor([network], Shapes({"sequence": (length,)}, "regression"))
    return Subject(predictor, predictor, ("sequence",), 0, "regression", lambda b: b, {})


def integrated(network: Any, codes: Any, rounds: int) -> list[str]:
    """Time integrated gradients; give what was promised and not kept."""
    import numpy as np

    from exprimo.interpret.attributions.method import MethodConfig, make_method

    subject = subject_of(network, codes.shape[1])

    def ours(steps: int) -> Callable[[], Timed]:
        config = MethodConfig(method="integrated_gradients", references=1, steps=steps)
        method = make_method(subject, config)
        return timed(lambda some: method.explain({"sequence": some}).values["sequence"], codes)

    truth = ours(_TRUTH_STEPS)().values
    contenders = {f"{_OURS}, {steps} nodes": ours(steps) for steps in (CAPTUM_STEPS, 16)}
    theirs = f"captum, {CAPTUM_STEPS} nodes"
    if importlib.util.find_spec("captum") is None:
        print("left out: captum (not installed)")
    else:
        contenders[theirs] = timed(captum_reader(network), codes)
    best = best_of(contenders, rounds)
    same = best[f"{_OURS}, {CAPTUM_STEPS} nodes"]
    scale = float(np.abs(truth).max())
    for name, one in best.items():
        off, near = (float(np.abs(one.values - v).max()) / scale for v in (truth, same.values))
        print(
            f"  {name:28}{one.seconds:9.3f} s{one.seconds / same.seconds:8.1f} x  "
            f"off by {off:.1g} of the greatest ({near:.1g} from ours)"
        )
        if name == theirs and near > _AGREE:
            raise SystemExit(f"{name} finds other contributions than we do: {near:.2g}")
    if theirs in best and best[theirs].seconds / same.seconds < FASTER_THAN_CAPTUM:
        return [f"less than {FASTER_THAN_CAPTUM} times as fast as captum"]
    return []


def captum_reader(network: Any) -> Callable[[Any], Any]:
    """Give captum's integrated gradients with its default settings, all examples at once."""
    from captum.attr import IntegratedGradients

    from exprimo.interpret.attributions.references import sequence_references

    gradients = IntegratedGradients(lambda x: network({"sequence": x})[:, 0])

    def read(codes: Any) -> Any:
        references = sequence_references(codes, 1, 0)[:, 0]
        x, reference = (one_hot(some).requires_grad_() for some in (codes, references))
        found = gradients.attribute(x, reference, n_steps=CAPTUM_STEPS)
        return found.detach().sum(1).numpy().astype("float32")

    return read


def one_hot(codes: Any) -> Any:
    """Give (n, 4, length) of codes without N."""
    import torch

    return torch.eye(4)[torch.from_numpy(codes).long()].transpose(1, 2).contiguous()


def mutants(network: Any, codes: Any, positions: int, rounds: int) -> list[str]:
    """Time all single-base changes; give what was promised and not kept."""
    import numpy as np

    length = codes.shape[1]
    low = length // 2 - positions // 2
    contenders = {_OURS: our_mutants(network, codes, 0, length)}
    if importlib.util.find_spec("tangermeme") is None:
        print("left out: tangermeme (not installed)")
    else:
        for name, fast in ((_NAIVE, False), ("tangermeme, its fast way", True)):
            contenders[name] = their_mutants(network, codes, low, low + positions, fast)
    best = best_of(contenders, rounds)
    ours = best[_OURS]
    expected = ours.values[:, low : low + positions]
    for name, one in best.items():
        share = one.values.shape[1] / length
        seconds = one.seconds / share
        off = 0.0 if name == _OURS else float(np.abs(one.values - expected).max())
        print(
            f"  {name:28}{seconds:9.3f} s{seconds / ours.seconds:8.1f} x  differs by {off:.1g}, "
            f"{3 * length:,} mutants"
        )
        if off > _AGREE * float(np.abs(ours.values).max()) + 1e-6:
            raise SystemExit(f"{name} finds other effects than we do: {off:.2g}")
    if _NAIVE in best:
        seconds = best[_NAIVE].seconds * length / positions
        if seconds / ours.seconds < FASTER_THAN_NAIVE:
            return [f"less than {FASTER_THAN_NAIVE} times as fast as every mutant whole"]
    return []


def our_mutants(network: Any, codes: Any, low: int, high: int) -> Callable[[], Timed]:
    """Give our mutagenesis, of all positions, as the change by each base (4, positions)."""
    from exprimo.interpret.attributions.method import MethodConfig, make_method

    subject = subject_of(network, codes.shape[1])
    method = make_method(subject, MethodConfig(method="mutagenesis"))

    def effects(some: Any) -> Any:
        found = method.explain({"sequence": some}).hypothetical["sequence"][0]
        here = found[some[0].astype(int), range(found.shape[1])]
        return (found - here)[:, low:high]

    return timed(effects, codes)


def their_mutants(network: Any, codes: Any, low: int, high: int, fast: bool) -> Callable[[], Timed]:
    """Give tangermeme's."""
    import torch
    from tangermeme.saturation_mutagenesis import saturation_mutagenesis

    class Plain(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, x: Any) -> Any:
            return self.network({"sequence": x})

    plain = Plain().eval()

    def effects(some: Any) -> Any:
        with torch.no_grad():
            reference, changed = saturation_mutagenesis(
                plain, one_hot(some), start=low, end=high, batch_size=128, raw_outputs=True,
                device="cpu", fast=fast,
            )  # fmt: skip
        return (changed[0, :, :, 0] - reference[0]).numpy()

    return timed(effects, codes)


def timed(read: Callable[[Any], Any], codes: Any) -> Callable[[], Timed]:
    """Give what runs once more for each call, warmed up on the first window."""
    import torch

    read(codes[:1])

    def run() -> Timed:
        clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
        began = clock()
        values = read(codes)
        return Timed(clock() - began, values)

    return run


def best_of(contenders: dict[str, Callable[[], Timed]], rounds: int) -> dict[str, Timed]:
    """Run all in turn, some rounds, and keep the fastest run of each."""
    best: dict[str, Timed] = {}
    for _ in range(rounds):
        for name, run in contenders.items():
            found = run()
            if name not in best or found.seconds < best[name].seconds:
                best[name] = found
    return best
