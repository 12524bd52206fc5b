"""Rows of ``python -m benchmarks training`` for networks that read half-life beside the promoter.

An epoch over 16,000 genes of 20 kb, extrapolated from some batches: ours through `train_run`, from
a dataset of one byte a base; the rival (``rivals/published_halflife_nets.py``) from float32 one-hot
in memory. Before anything is timed, both networks get the same weights and batch, and their
outputs must agree. `halflife_cnn:published` reads embeddings, 157 x 256 float16 on disk here,
float32 in memory there. `contrast` is an epoch of the half-life encoder.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from exprimo.core.dataset import write_dataset

RIVAL = "benchmarks.rivals.published_halflife_nets"
_OURS = "from benchmarks._halflife_training import ours; import sys; ours(*sys.argv[1:])"
_FEATURES = tuple(f"feature_{i}" for i in range(8))
_SHARES = (0.96, 0.02, 0.02)
_LARGEST_DIFFERENCE = 1e-4
_RESIDENT = 2 * 2**30
_BINS, _CHANNELS, _EMBEDDED = 157, 256, 1_000
_CONTRASTED, _CONTRAST_SECONDS = 16_215, 5.0
# Long enough that no two genes are equal.
_BASES = 40


class _Case(NamedTuple):
    """Examples per batch, batches that are timed, settings of ours."""

    batch: int
    batches: int
    config: dict[str, Any]


CASES = {
    "halflife_cnn": _Case(32, 10, {"model": "halflife_cnn", "preset": "controlled"}),
    "xpresso": _Case(128, 4, {"model": "xpresso", "preset": "published"}),
    "halflife_cnn:published": _Case(
        32,
        20,
        # The encoder is there, but learns in a row of its own.
        {
            "model": "halflife_cnn",
            "preset": "published",
            "options": {"contrast": {"epochs": 1}},
        },
    ),
    "contrast": _Case(
        32,
        5,
        {
            "model": "halflife_cnn",
            "options": {"dna": "none", "halflife": "encoded", "contrast": {"epochs": 2}},
        },
    ),
}


class _EnoughError(Exception):
    """Raised to leave training once it was timed."""


def ours(settings: str, model: str) -> None:
    """Train as ``exprimo train`` does, timed; print JSON."""
    from benchmarks.rivals.published_halflife_nets import peak_bytes
    from exprimo.training import TrainConfig, loop, train_run
    from exprimo.training.before import pretext

    config = TrainConfig.checked(json.loads(settings))
    clock = time.process_time if config.machine.threads == 1 else time.perf_counter
    marks: list[float] = []
    held: list[int] = []

    def timed(function: Callable[..., Any], wanted: int = 0) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            done = function(*arguments, **named)
            marks.append(clock())
            if wanted and len(marks) == wanted:
                raise _EnoughError
            return done

        return call

    load = loop.load_batch

    def load_noted(*arguments: Any) -> Any:
        batch = load(*arguments)
        # As read, its index of eight bytes, and as the network takes it: four floats a base,
        # or a float a number.
        held.append(
            sum(
                values.nbytes + values.size * (24 if name == "sequence" else 4)
                for name, values in batch.items()
                if name != "halflife"
            )
        )
        return batch

    if model == "contrast":
        pretext.save_state = timed(pretext.save_state, 2)
    else:
        loop.load_batch = timed(load_noted)
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(_EnoughError):
        train_run(config, Path(folder) / "run")
    found = {"peak_bytes": peak_bytes()}
    if model == "contrast":
        found["epoch_seconds"] = marks[1] - marks[0]
    else:
        # The first step warms up, the step behind the last mark has no end.
        steps = np.diff(marks)[1:]
        found["examples_per_s"] = CASES[model].batch / float(np.median(steps))
        found["held_bytes"] = float(max(held))
    print(json.dumps(found))


def write_genes(folder: Path, name: str, n: int, length: int, kept: int) -> tuple[Path, Path]:
    """Write random genes as our dataset, and the first ``kept`` of them for NumPy."""
    rng = np.random.default_rng(0)
    halflife = rng.normal(size=(n, 8)).astype(np.float32)
    y = rng.normal(size=n).astype(np.float32)
    first: list[np.ndarray] = []

    def chunks():
        for start in range(0, n, 1_000):
            codes = rng.integers(0, 4, (min(1_000, n - start), length), dtype=np.uint8)
            if start < kept:
                first.append(codes[: kept - start])
            yield codes

    with write_dataset(folder / f"{name}.h5", {}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{i}" for i in range(n)]}))
        out.input("sequence", chunks())
        out.input("halflife", [halflife], labels=_FEATURES)
        out.target("y", y, kind="regression")
    np.savez(
        folder / f"{name}.npz", codes=np.concatenate(first), halflife=halflife[:kept], y=y[:kept]
    )
    return folder / f"{name}.h5", folder / f"{name}.npz"


def write_embedded(folder: Path) -> tuple[Path, Path, Path]:
    """Write genes with a store of random embeddings, and the same embeddings for NumPy."""
    from exprimo.features.embeddings import EmbeddingStore
    from exprimo.scoring.embeddings import embed

    path, plain = write_genes(folder, "embedded", _EMBEDDED, _BINS, _EMBEDDED)
    store = folder / "store"
    embed(f"random-embedding:{_CHANNELS}", path, store, bin=1)
    with EmbeddingStore.open(store) as opened, np.load(plain) as data:
        rows = opened.rows(opened.keys)
        np.savez(folder / "store.npz", embedding=rows, halflife=data["halflife"], y=data["y"])
    return path, folder / "store.npz", store


def largest_difference(model: str, size: int) -> float:
    """Give our network's weights to the rival's; say how far outputs and gradients differ.

    ``size`` is bases, or bins of embeddings. A gradient's difference counts relative to its
    largest entry, where that is above 1.
    """
    import torch

    from benchmarks.rivals.published_halflife_nets import build
    from exprimo.models import Shapes, get_spec
    from exprimo.models.zoo import find_preset

    config, generator = CASES[model].config, torch.Generator().manual_seed(1)
    halflife = torch.randn(3, 8, generator=generator)
    if model == "halflife_cnn:published":
        read = torch.randn(3, size, _CHANNELS, generator=generator)
        x, inputs, shape = read.transpose(1, 2), {"embedding": read}, (size, _CHANNELS)
    else:
        codes = torch.randint(0, 4, (3, size), generator=generator)
        x = torch.nn.functional.one_hot(codes, 4).float().transpose(1, 2)
        inputs, shape = {"sequence": x}, (size,)
    spec = get_spec(config["model"])
    options = spec.config.checked(find_preset(spec, config["preset"]).options)
    torch.manual_seed(1)
    mine = spec.build(options, Shapes({next(iter(inputs)): shape, "halflife": (8,)}, "regression"))
    theirs = build(model, size)
    pairs = list(zip(mine.parameters(), theirs.parameters(), strict=True))
    with torch.no_grad():
        for own, other in pairs:
            # Biases above 0 keep rectifiers alive.
            own.add_(0.5 if own.ndim == 1 else 0.0)
            other.copy_(own.reshape(other.shape))
    for layer in (*mine.modules(), *theirs.modules()):
        if isinstance(layer, torch.nn.Dropout):
            layer.p = 0.0
    found, wanted = mine({**inputs, "halflife": halflife}), theirs(x, halflife)
    found.square().sum().backward()
    wanted.square().sum().backward()
    if not all(bool(p.grad.any()) for _, p in pairs if p.grad is not None and p.ndim > 1):
        raise SystemExit(f"{model}: a layer of random weights is dead, so nothing is compared")
    apart = [float((found - wanted).abs().max())]
    for own, other in pairs:
        if other.grad is not None:
            difference = (own.grad.reshape(other.shape) - other.grad).abs().max()
            apart.append(float(difference / other.grad.abs().max().clamp(min=1.0)))
    return max(apart)


def print_rows(
    models: list[str],
    genes: int,
    length: int,
    threads: int,
    measure: Callable[[list[str]], dict[str, float]],
) -> None:
    """Measure each model and print its row, in fp32 and as the machine chooses."""
    rows = [model for model in models if model != "contrast"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if rows:
            print(
                f"\nan epoch of {genes:,} genes of {length:,} bp (of {_EMBEDDED:,} embeddings), "
                f"{threads} threads, extrapolated from examples/s; targets: 3 x the rate, 1/10 of "
                f"the bytes, {_RESIDENT >> 20:,} MiB resident"
            )
            heads = ("plain/s", "fp32/s", "ratio", "auto/s", "ratio", "plain s", "auto s")
            heads += ("data MiB", "ours MiB", "ratio", "peak MiB", "ours MiB")
            print(f"{'':22}" + "".join(f"{head:>10}" for head in heads))
        if {"xpresso", "halflife_cnn"} & set(rows):
            kept = max(CASES[m].batch * (CASES[m].batches + 1) for m in rows)
            path, plain = write_genes(folder, "genes", genes, length, kept)
        for model in rows:
            case, n, more = CASES[model], genes, {}
            if model == "halflife_cnn:published":
                n, (path, plain, store) = _EMBEDDED, write_embedded(folder)
                more = {"embeddings": str(store)}
            found = largest_difference(model, _BINS if more else length)
            if found > _LARGEST_DIFFERENCE:
                raise SystemExit(f"{model}: the two networks differ by {found:.1g}")
            # As many batches as are timed, the first, and one that ends the last.
            part = min(1.0, case.batch * (case.batches + 2) / (n * _SHARES[0]))
            theirs = measure(
                ["-m", RIVAL, model, str(plain), str(case.batch), str(case.batches), str(threads)]
            )
            mine = [
                measure(
                    ["-c", _OURS, _settings(model, path, part, threads, precision, more), model]
                )
                for precision in ("fp32", "auto")
            ]
            print(_row(model, n, theirs, mine), f"  (apart {found:.0e})", flush=True)
        if "contrast" in models:
            _print_contrast(folder, threads, measure)


def _settings(
    model: str, path: Path, part: float, threads: int, precision: str, more: dict[str, str]
) -> str:
    fit = {"batch_size": CASES[model].batch, "epochs": 1, "fraction": part, "shift": 0}
    return json.dumps(
        {
            "dataset": str(path),
            "split": {"strategy": "random", "fractions": _SHARES},
            "fit": fit,
            "machine": {"device": "cpu", "threads": threads, "precision": precision},
            **CASES[model].config,
            **more,
        }
    )


def _row(model: str, n: int, theirs: dict[str, float], mine: list[dict[str, float]]) -> str:
    plain, auto = theirs["examples_per_s"], mine[1]["examples_per_s"]
    cells = [f"{plain:.3g}"]
    for one in mine:
        rate = one["examples_per_s"]
        cells += [f"{rate:.3g}", f"{rate / plain:.1f}"]
    cells += [f"{n / plain:.0f}", f"{n / auto:.0f}"]
    data = n * theirs["row_bytes"]
    # Of the rival only a part stood in memory while it was timed.
    peak = theirs["peak_bytes"] - theirs["held_bytes"] + data
    held = mine[1]["held_bytes"]
    cells += [f"{data / 2**20:.0f}", f"{held / 2**20:.1f}", f"{data / held:.0f}"]
    cells += [f"{peak / 2**20:.0f}", f"{max(one['peak_bytes'] for one in mine) / 2**20:.0f}"]
    return f"{model:22}" + "".join(f"{cell:>10}" for cell in cells)


def _print_contrast(
    folder: Path, threads: int, measure: Callable[[list[str]], dict[str, float]]
) -> None:
    case = CASES["contrast"]
    path, plain = write_genes(
        folder, "contrast", round(_CONTRASTED / _SHARES[0]), _BASES, _CONTRASTED
    )
    theirs = measure(
        ["-m", RIVAL, "contrast", str(plain), str(case.batch), str(case.batches), str(threads)]
    )
    found = measure(
        ["-c", _OURS, _settings("contrast", path, 1.0, threads, "auto", {}), "contrast"]
    )
    mine, plain_seconds = found["epoch_seconds"], theirs["epoch_seconds"]
    print(
        f"\ncontrast: an epoch of {_CONTRASTED:,} x 8 features, batch {case.batch}: plain "
        f"{plain_seconds:.1f} s (extrapolated), here {mine:.2f} s, {plain_seconds / mine:.0f} x; "
        f"target {_CONTRAST_SECONDS:g} s"
    )
