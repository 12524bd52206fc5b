"""Draw sequences from a fitted generator into a dataset or a FASTA file."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import write_dataset
from exprimo.core.dataset.generated import NOT_CHECKED, Generated, write_stamp
from exprimo.core.dataset.writer import DatasetWriter
from exprimo.core.errors import ConfigError, InputError
from exprimo.core.files.atomic import atomic_file, refuse_existing
from exprimo.core.files.provenance import describe_origin
from exprimo.core.progress import track
from exprimo.core.sequence import Codes, decode
from exprimo.generate.conditioning import target_kind
from exprimo.generate.folder import Generator
from exprimo.generate.sampling.stream import (
    Asked,
    check_asked,
    chunk_size,
    draw_chunks,
    settled_steps,
)
from exprimo.generate.stored import Loaded, load_generator, one_device
from exprimo.training.config import MachineConfig
from exprimo.training.machine import prepare

_FASTA = (".fa", ".fasta", ".fa.gz", ".fasta.gz")
_Chunks = Iterator[tuple[Codes, "npt.NDArray[np.float64] | None"]]


class Sampled(NamedTuple):
    """What was drawn.

    ``target`` and ``asked`` say by what sequences were asked for: the name of a target, and its
    class or value; ``asked`` is None where each was drawn as the training examples have it.
    ``steps`` is how many passes were made, ``dataset`` what the generator was fitted on;
    ``notes`` say where what was asked for is not what was learned.
    """

    path: Path
    n: int
    length: int
    generator: str
    target: str | None
    asked: str | None
    steps: int
    seconds: float
    dataset: Path | None = None
    notes: tuple[str, ...] = ()


def generate_sample(
    generator: str | Path,
    out: str | Path,
    *,
    n: int,
    target: str | float | None = None,
    guidance: float = 1.0,
    steps: int | None = None,
    keep_best: float = 1.0,
    seed: int = 0,
    device: str = "auto",
    threads: int | None = None,
    precision: str = "auto",
) -> Sampled:
    """Draw sequences from a fitted generator.

    Parameters
    ----------
    generator
        A folder made by `generate_fit`.
    out
        A new ``.h5`` dataset, which carries the generator's ledger and the stamp that nobody
        has checked it; or ``.fa``, ``.fa.gz``, which carry neither.
    n
        How many sequences. They are written as they are drawn.
    target
        The class or value to ask for; unset: each as the training examples have it.
    guidance
        Weight of the condition: above 1 more of it than was learned, at the cost of diversity.
    steps
        Passes of the sampler; unset: as many as the family usually takes. The result says how
        many were made: more than one per base, or 1,000 of the published diffusion, change nothing.
    keep_best
        Of 1 / share sequences drawn for each, keep the one that the family's own score likes
        best; only for families with a discriminator.
    seed
        The same seed, number and settings give the same sequences.
    device, threads, precision
        As for training.

    Examples
    --------
    >>> import exprimo
    >>> exprimo.generate_sample("GEN", "S.h5", n=1000, target=2.5)      # doctest: +SKIP
    """
    path = Path(out)
    as_fasta = _is_fasta(path)
    refuse_existing(path)
    _refuse_numbers(guidance, seed)
    made = Generator.open(generator)
    made.check_files()
    devices, settled, _ = prepare(
        MachineConfig.checked({"device": device, "threads": threads, "precision": precision})
    )
    loaded = load_generator(made.weights_path, device=one_device(devices), precision=settled)
    conditioning = loaded.layout.conditioning
    value = None if target is None else conditioning.asked(target)
    asked = Asked(n, value, steps, guidance, keep_best, seed)
    check_asked(loaded, asked)
    started = time.perf_counter()
    length = loaded.layout.length
    # One step of the bar is one chunk: sequences of a chunk come together.
    chunks = track(
        draw_chunks(loaded, asked), "Drawing sequences", total=-(-n // chunk_size(length))
    )
    if as_fasta:
        _write_fasta(path, loaded, chunks)
    else:
        _write_dataset(path, made, loaded, asked, chunks)
    return Sampled(
        path,
        n,
        length,
        loaded.spec.name,
        _told_target(loaded),
        None if target is None else str(target),
        settled_steps(loaded.spec, length, steps),
        time.perf_counter() - started,
        Path(made.provenance["dataset"]["path"]),
        _notes(loaded, asked),
    )


def _refuse_numbers(guidance: float, seed: int) -> None:
    if not (np.isfinite(guidance) and guidance >= 0):
        raise ConfigError(
            "not a weight", record="guidance", found=guidance, expected="a number from 0 up"
        )
    if seed < 0:
        raise ConfigError("not a seed", record="seed", found=seed, expected="0 or more")


def _notes(loaded: Loaded, asked: Asked) -> tuple[str, ...]:
    notes = []
    conditioning = loaded.layout.conditioning
    if asked.target is not None and conditioning.is_beyond(asked.target):
        low, high = conditioning.spread[0], conditioning.spread[-1]
        notes.append(
            f"{conditioning.target} {asked.target:g} is beyond the training examples, which have "
            f"{low:.3g} to {high:.3g}: nothing was learned there"
        )
    made = settled_steps(loaded.spec, loaded.layout.length, asked.steps)
    if asked.steps is not None and asked.steps > made:
        notes.append(f"{asked.steps:,} steps were asked for; more than {made:,} change nothing")
    return tuple(notes)


def _is_fasta(path: Path) -> bool:
    if path.name.endswith(_FASTA):
        return True
    if path.suffix != ".h5":
        raise InputError("unknown kind of output", file=path, expected=f".h5, {', '.join(_FASTA)}")
    return False


def _told_target(loaded: Loaded) -> str | None:
    if loaded.label is not None:
        return loaded.label.target
    return loaded.layout.conditioning.target or None


def _write_fasta(path: Path, loaded: Loaded, chunks: _Chunks) -> None:
    number = 0
    with atomic_file(path) as partial, open(partial, "wb") as raw:
        # No time and no name in the head, so that equal sequences are equal files.
        packed = path.name.endswith(".gz")
        handle = gzip.GzipFile("", "wb", 6, raw, mtime=0) if packed else raw
        for codes, values in chunks:
            lines = []
            for place, row in enumerate(codes):
                number += 1
                told = "" if values is None else f" {_told_value(loaded, float(values[place]))}"
                lines.append(f">{_identity(number)}{told}\n{decode(row)}\n")
            handle.write("".join(lines).encode())
        if packed:
            handle.close()


def _told_value(loaded: Loaded, value: float) -> str:
    conditioning = loaded.layout.conditioning
    told = conditioning.classes[int(value)] if conditioning.kind == "class" else f"{value:g}"
    return f"{conditioning.target}={told}"


def _identity(number: int) -> str:
    return f"generated_{number}"


def _write_dataset(
    path: Path, made: Generator, loaded: Loaded, asked: Asked, chunks: _Chunks
) -> None:
    """Write a dataset whose target is what was asked for, and stamp it."""
    facts = made.provenance
    steps = settled_steps(loaded.spec, loaded.layout.length, asked.steps)
    origin: dict[str, Any] = {
        "family": loaded.spec.name,
        "path": str(made.path.resolve()),
        "dataset": facts["dataset"],
        "split": facts["split"],
        "asked": asked._replace(steps=steps)._asdict(),
    }
    values: list[npt.NDArray[np.float64]] = []
    with atomic_file(path) as partial:
        with write_dataset(
            partial, describe_origin([made.weights_path], builder="generate sample", **origin)
        ) as out:
            with out.parts(["sequence"]) as parts:
                for codes, some in chunks:
                    first = parts.examples.n + 1
                    ids = [_identity(first + i) for i in range(len(codes))]
                    parts.examples.append(pd.DataFrame({"example_id": ids}))
                    rows = parts.inputs["sequence"]
                    rows.append(rows.numbers(codes))
                    values += [] if some is None else [some]
            if (target := _told_target(loaded)) is not None:
                _write_target(out, target, loaded, values, asked.n)
        stamp = Generated(origin, made.ledger, NOT_CHECKED)
        with h5py.File(partial, "r+") as file:
            write_stamp(file, stamp)


def _write_target(
    out: DatasetWriter, target: str, loaded: Loaded, values: list[npt.NDArray[np.float64]], n: int
) -> None:
    if loaded.label is not None:
        asked, classes = np.full(n, loaded.label.number), loaded.label.classes
    else:
        asked, classes = np.concatenate(values), loaded.layout.conditioning.classes
    kind = target_kind(classes)
    out.target(target, asked, kind=kind, classes=classes if kind == "multiclass" else ())
