"""Histone marks at the published size, 50 cell types x 16,000 genes, and a plain PyTorch program.

    python -m benchmarks chromatin [--cells 50] [--genes 16000] [--threads 2] [--batches 20]
        [--predicted 100000] [--compared 20000] [--scratch FOLDER]

Examples of 79 x 100 numbers: five marks, ten statistics of the cell type, 64 3-mers, put together
when they are asked for. The network is `histone_fcn`, preset ``published``, batches of 256. Each
measurement has a process of its own; rates are those of the median batch behind the first one, and
an epoch is extrapolated from them. With one thread, seconds are those of the process.

At the full size: the peak of resident memory of training as ``exprimo train`` does it; batches per
second of the loader alone beside steps per second of the network alone; examples predicted per
second. On --compared examples: training beside ``rivals/published_chromatin_nets.py``, which holds
them as a float32 matrix. Before that is timed, both networks get the same weights and batch, and
their outputs and gradients must agree.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._chromatin_cells import BINS, MARKS, write_cells, write_matrix
from benchmarks.training import measure

_BATCH = 256
_MODEL, _PRESET = "histone_fcn", "published"
_RESIDENT, _LOADER, _SPEED = 3 * 2**30, 3.0, 2.0
_LARGEST_DIFFERENCE = 1e-4
_RIVAL = "benchmarks.rivals.published_chromatin_nets"
_OURS = "import sys, benchmarks.chromatin as b; getattr(b, sys.argv[1])(*sys.argv[2:])"
_KMERS = tuple("".join(letters) for letters in product("ACGT", repeat=3))
# Written to a temporary file first, then to the dataset.
_TIMES_ON_DISK = 2.2


class _EnoughError(Exception):
    """Raised to leave training once it was timed."""


def _clock(threads: int) -> Callable[[], float]:
    return time.process_time if threads == 1 else time.perf_counter


def train(path: str, batches: str, threads: str, precision: str) -> None:
    """Train as ``exprimo train`` does, until it was timed; print JSON."""
    from benchmarks.rivals.published_halflife_nets import peak_bytes
    from exprimo.training import TrainConfig, loop, train_run

    clock, marks, found = _clock(int(threads)), [], {}
    load, cut = loop.load_batch, loop.epoch_batches
    started = time.perf_counter()

    def timed_load(*arguments: Any) -> Any:
        if not marks:
            found["before_seconds"] = time.perf_counter() - started
            found["before_peak_bytes"] = peak_bytes()
        marks.append(clock())
        if len(marks) > int(batches) + 1:
            raise _EnoughError
        return load(*arguments)

    def noted_cut(rows: Any, *arguments: Any) -> Any:
        found["n_train"] = len(rows)
        return cut(rows, *arguments)

    loop.load_batch, loop.epoch_batches = timed_load, noted_cut
    config = TrainConfig.checked(
        {
            "dataset": path,
            "model": _MODEL,
            "preset": _PRESET,
            "split": {"strategy": "cell"},
            "fit": {"batch_size": _BATCH, "epochs": 1},
            "machine": {"device": "cpu", "threads": int(threads), "precision": precision},
        }
    )
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(_EnoughError):
        train_run(config, Path(folder) / "run")
    found["examples_per_s"] = _BATCH / float(np.median(np.diff(marks)[1:]))
    found["peak_bytes"] = peak_bytes()
    print(json.dumps(found))


def alone(path: str, batches: str, threads: str, n_predicted: str) -> None:
    """Time the loader alone, the network alone, and prediction; print JSON."""
    import torch

    from exprimo.core.dataset import Dataset
    from exprimo.features.chromatin import attach_kmer_bins
    from exprimo.models.network import NetworkPredictor, one_hot_table, to_tensors
    from exprimo.training.batches import load_batch
    from exprimo.training.config import FitConfig, MachineConfig
    from exprimo.training.machine import prepare
    from exprimo.training.predicting import predict_rows

    clock, wanted = _clock(int(threads)), int(batches)
    machine = MachineConfig(device="cpu", threads=int(threads))
    _, precision, _ = prepare(machine)
    net, shapes = build_ours()
    names, table = tuple(shapes.inputs), one_hot_table(torch.device("cpu"))
    found: dict[str, Any] = {"precision": precision}
    with Dataset.open(path) as data:
        attach_kmer_bins(data)
        rng = np.random.default_rng(0)
        order = rng.permutation(len(data))
        seconds = []
        for start in range(0, min(len(order), _BATCH * (10 * wanted + 1)), _BATCH):
            begun = clock()
            read = load_batch(data, names, order[start : start + _BATCH], FitConfig(), rng)
            inputs = to_tensors(read, table)
            seconds.append(clock() - begun)
        found["loaded_per_s"] = _BATCH / float(np.median(seconds[1:]))
        y = torch.randn(_BATCH, 1, generator=torch.Generator().manual_seed(0))
        found["net_per_s"] = _BATCH / float(
            np.median(_step_seconds(net, inputs, y, precision, wanted + 1, clock)[1:])
        )
        predictor = NetworkPredictor([net], shapes, precision=precision)
        rows = np.arange(min(int(n_predicted), len(data)))
        predict_rows(predictor, data, rows[:_BATCH])
        begun = clock()
        predict_rows(predictor, data, rows)
        found["predicted_per_s"] = len(rows) / (clock() - begun)
        found["n_predicted"] = len(rows)
    print(json.dumps(found))


def _step_seconds(
    net: Any, inputs: Any, y: Any, precision: Any, steps: int, clock: Callable[[], float]
) -> list[float]:
    """Time forward, backward and the step of AdamW on one batch that is there already."""
    import torch

    from exprimo.models.network import autocast

    optimizer, seconds = torch.optim.AdamW(net.train().parameters(), lr=1e-3), []
    for _ in range(steps):
        begun = clock()
        with autocast(torch.device("cpu"), precision):
            raw = net(inputs)
        loss = torch.nn.functional.mse_loss(raw.float(), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
        seconds.append(clock() - begun)
    return seconds


def build_ours() -> tuple[Any, Any]:
    """Build the network of the preset for these examples; give it with its shapes."""
    import torch

    from exprimo.models import Shapes, get_spec
    from exprimo.models.zoo import find_preset

    spec = get_spec(_MODEL)
    preset = find_preset(spec, _PRESET).options
    options = spec.config.checked({**preset, "vocabulary": _KMERS})
    shapes = Shapes(
        {
            "signal": (len(MARKS), BINS),
            "cell_context": (2 * len(MARKS), BINS),
            "kmer_bins": (5**3, BINS),
        },
        "regression",
    )
    torch.manual_seed(0)
    return spec.build(options, shapes), shapes


def kmer_rows() -> list[int]:
    """Give the rows of ``kmer_bins`` that hold 3-mers without N."""
    from exprimo.features.chromatin import kmer_bin_names

    names = kmer_bin_names(3)
    return [names.index(kmer) for kmer in _KMERS]


def largest_difference() -> float:
    """Give our network's weights to the rival's; say how far outputs and gradients differ.

    A gradient's difference counts relative to its largest entry, where that is above 1.
    """
    import torch

    from benchmarks.rivals.published_chromatin_nets import PlainFcn

    mine, shapes = build_ours()
    draw = torch.Generator().manual_seed(1)
    inputs = {n: torch.randn(8, *s, generator=draw) for n, s in shapes.inputs.items()}
    inputs["kmer_bins"] = torch.randint(0, 9, (8, 5**3, BINS), generator=draw, dtype=torch.uint8)
    kept = inputs["kmer_bins"][:, kmer_rows()].float()
    x = torch.cat([inputs["signal"], inputs["cell_context"], kept], dim=1)
    theirs = PlainFcn(x.shape[1])
    pairs = list(zip(mine.parameters(), theirs.parameters(), strict=True))
    with torch.no_grad():
        for own, other in pairs:
            other.copy_(own.reshape(other.shape))
    for net in (mine, theirs):
        for layer in net.modules():
            if isinstance(layer, torch.nn.Dropout):
                layer.p = 0.0
            elif hasattr(layer, "share"):
                layer.share = 0.0
    found, wanted = mine(inputs), theirs(x)
    found.square().sum().backward()
    wanted.square().sum().backward()
    apart = [float((found - wanted).detach().abs().max())]
    for own, other in pairs:
        difference = (own.grad.reshape(other.shape) - other.grad).abs().max()
        apart.append(float(difference / other.grad.abs().max().clamp(min=1.0)))
    return max(apart)


def _ours(function: str, *arguments: object) -> dict[str, Any]:
    return measure(["-c", _OURS, function, *map(str, arguments)])


def print_full(path: Path, options: argparse.Namespace) -> None:
    """Measure at the full size and print what was found beside the targets."""
    n = options.cells * options.genes
    print(
        f"\n{options.cells} cell types x {options.genes:,} genes = {n:,} examples of "
        f"79 x {BINS}: {path.stat().st_size / 2**30:.2f} GiB on disk, "
        f"{n * 79 * BINS * 4 / 2**30:.1f} GiB as a float32 matrix; {options.threads} threads"
    )
    found = _ours("train", path, options.batches, options.threads, "auto")
    rate, peak = found["examples_per_s"], found["peak_bytes"]
    print(
        f"training: peak {peak / 2**20:,.0f} MiB resident, before the first step "
        f"{found['before_peak_bytes'] / 2**20:,.0f}; target {_RESIDENT / 2**20:,.0f}, "
        f"{_met(peak <= _RESIDENT)}"
    )
    print(
        f"training: {rate:,.0f} examples/s; {found['before_seconds']:.0f} s before the first step "
        f"(split, leaks, statistics, vocabulary); an epoch of {found['n_train']:,} examples "
        f"{found['n_train'] / rate / 60:.1f} min, extrapolated from {options.batches} batches",
        flush=True,
    )
    found = _ours("alone", path, options.batches, options.threads, options.predicted)
    ratio = found["loaded_per_s"] / found["net_per_s"]
    print(
        f"loader {found['loaded_per_s']:,.0f} examples/s, network ({found['precision']}) "
        f"{found['net_per_s']:,.0f}: {ratio:.1f} x; target {_LOADER:g} x, {_met(ratio >= _LOADER)}"
    )
    print(
        f"prediction of {found['n_predicted']:,} examples: {found['predicted_per_s']:,.0f} "
        f"examples/s, {found['n_predicted'] / found['predicted_per_s']:.0f} s",
        flush=True,
    )


def print_compared(path: Path, n: int, options: argparse.Namespace) -> None:
    """Measure ours and the plain program on the same examples, and print both."""
    apart = largest_difference()
    if apart > _LARGEST_DIFFERENCE:
        raise SystemExit(f"the two networks differ by {apart:.1g}")
    write_matrix(path, path.parent, kmer_rows())
    sizes = [str(_BATCH), str(options.batches), str(options.threads)]
    plain = measure(["-m", _RIVAL, str(path.parent), *sizes])
    print(
        f"\n{n:,} examples, {options.threads} threads; the networks differ by {apart:.0e}; "
        f"target {_SPEED:g} x"
    )
    print(f"{'':22}{'examples/s':>12}{'ratio':>8}{'peak MiB':>10}{'B/example':>11}")
    print(_row("plain PyTorch, fp32", plain, 1.0, plain["row_bytes"]), flush=True)
    stored = path.stat().st_size / n
    for precision in ("fp32", "auto"):
        found = _ours("train", path, options.batches, options.threads, precision)
        ratio = found["examples_per_s"] / plain["examples_per_s"]
        row = _row(f"histone_fcn, {precision}", found, ratio, stored)
        print(f"{row}  {_met(ratio >= _SPEED)}", flush=True)


def _row(name: str, found: dict[str, Any], ratio: float, size: float) -> str:
    peak = found["peak_bytes"] / 2**20
    return f"{name:22}{found['examples_per_s']:>12,.0f}{ratio:>8.2f}{peak:>10,.0f}{size:>11,.0f}"


def _met(reached: bool) -> str:
    return "met" if reached else "missed"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures of both sizes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks chromatin")
    parser.add_argument("--cells", type=int, default=50)
    parser.add_argument("--genes", type=int, default=16_000, help="0 leaves it out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batches", type=int, default=20)
    parser.add_argument("--predicted", type=int, default=100_000)
    parser.add_argument("--compared", type=int, default=20_000, help="0 leaves it out")
    parser.add_argument("--scratch", type=Path, help="where the data is written, then removed")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=options.scratch) as name:
        folder = Path(name)
        if options.compared:
            genes = max(1, options.compared // options.cells)
            path = _written(folder / "compared", options.cells, genes)
            print_compared(path, options.cells * genes, options)
            shutil.rmtree(path.parent)
        if options.genes:
            print_full(_written(folder / "full", options.cells, options.genes), options)


def _written(folder: Path, cells: int, genes: int) -> Path:
    """Write the cells once there is room for them."""
    folder.mkdir()
    wanted = cells * genes * len(MARKS) * BINS * 4 * _TIMES_ON_DISK
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise SystemExit(f"{folder}: {free / 2**30:.1f} GiB free, {wanted / 2**30:.1f} needed")
    write_cells(folder / "cells.h5", cells, genes)
    return folder / "cells.h5"


if __name__ == "__main__":
    main()
