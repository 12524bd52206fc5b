"""``exprimo explain``: what each part of the input contributes to a model's output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from exprimo.core.errors import ConfigError
from exprimo.core.files.atomic import atomic_directory, refuse_existing
from exprimo.interpret.attributions.engine import subject_of
from exprimo.interpret.attributions.method import MethodConfig, MethodName
from exprimo.interpret.attributions.models.embedded import as_it_is_explained
from exprimo.interpret.attributions.models.kmer_weights import kmers_of
from exprimo.interpret.examples import OnPart, choose_examples
from exprimo.interpret.faithfulness.config import CheckConfig
from exprimo.interpret.work import Asked, Explained, Work
from exprimo.models.zoo import Task
from exprimo.scoring.inputs import open_inputs
from exprimo.scoring.resolve import for_dataset, model_on

__all__ = ["Explained", "explain", "explain_as"]


def explain(
    model: str | Path,
    dataset: str | Path,
    out: str | Path,
    *,
    method: MethodName = "gradient_x_input",
    inputs: Sequence[str] = (),
    output: str | None = None,
    on: OnPart | None = None,
    most: int | None = 1000,
    references: int = 20,
    background: Literal["shuffled", "zeros", "uniform"] = "shuffled",
    baseline: Literal["mean", "zeros"] = "mean",
    steps: int = 16,
    max_delta: float = 0.1,
    centred: bool = False,
    layer: str | None = None,
    smooth: int = 1,
    sites: str | Path | None = None,
    tracks: bool = False,
    fasta: str | Path | None = None,
    seed: int = 0,
    memory: int = 1024,
    check: bool | CheckConfig = True,
    resume: bool = False,
    device: str = "auto",
    threads: int | None = None,
) -> Explained:
    """Explain a model's output, example by example, and over all of them.

    Parameters
    ----------
    model
        A Run's folder, or a pretrained model (``NAME`` or ``NAME:FILE``).
    dataset
        An ``.h5`` file with the inputs that the model reads.
    out
        A new folder: ``attributions.h5``, tables, ``interpretation.json``; see
        docs/interpretation.md.
    method
        ``gradient_x_input``, ``saliency``, ``absolute_saliency``, ``integrated_gradients``,
        ``deeplift``, ``mutagenesis`` or ``attention``.
    inputs, output
        Inputs to explain (all that the model reads unless given), and which output; the latter is
        needed only of several classes.
    on, most
        Which part of a Run's own dataset (by default ``test``), and at most so many examples,
        evenly along it; None: all.
    references, background, baseline
        With how many shuffles, or with what, sequences are compared; with what other inputs are.
    steps, max_delta
        Points of integrated gradients; and the share of the change of the output by which
        contributions may miss it.
    centred
        Take the mean over the four bases off each position's gradient.
    layer, smooth
        The layer that is mapped, by default what the last linear layer reads; width of the
        profile's moving mean.
    sites
        A BED file of bases that are known to matter: importance is judged by them.
    tracks, fasta
        Write BigWig files in genome coordinates; the genome says how long its chromosomes are.
    seed, memory
        Of shuffles; MiB beside the network.
    check
        Check on some examples whether the model uses what is shown; pictures say if it does not.
        How much is checked, a ``CheckConfig`` says.
    resume
        Go on where a stopped call ended.

    Examples
    --------
    >>> exprimo.explain("RUN", "D.h5", "E", method="deeplift")       # doctest: +SKIP
    """
    config = MethodConfig.checked(
        {
            "method": method, "inputs": tuple(inputs), "output": output,
            "references": references, "background": background, "baseline": baseline,
            "steps": steps, "max_delta": max_delta, "centred": centred, "seed": seed,
            "memory": memory,
        }
    )  # fmt: skip
    asked = Asked(layer, smooth, _path(sites), _path(fasta), tracks, check)
    return explain_as(
        model, dataset, out, config, asked,
        on=on, most=most, resume=resume, device=device, threads=threads,
    )  # fmt: skip


def explain_as(
    model: str | Path,
    dataset: str | Path,
    out: str | Path,
    config: MethodConfig,
    asked: Asked,
    *,
    on: OnPart | None = None,
    most: int | None = 1000,
    resume: bool = False,
    device: str = "auto",
    threads: int | None = None,
) -> Explained:
    """Explain a model with settings that are put together already; see `explain`."""
    if most is not None and most < 1:
        raise ConfigError("nothing to explain", record="most", found=most, expected="1 or more")
    refuse_existing(out)
    resolved = model_on(model, device=device, threads=threads, precision="fp32")
    with open_inputs(dataset, resolved.run) as data:
        examples = choose_examples(data, resolved.run, on, most)
        kind: Task = resolved.run.metrics["task"] if resolved.run else "regression"
        predictor = as_it_is_explained(for_dataset(resolved, data), resolved.run, config)
        subject = subject_of(predictor, data, config, kind, examples.train)
        subject = replace(subject, kmers=kmers_of(resolved.run))
        work = Work(resolved, data, subject, config, examples, asked)
        work.check()
        with atomic_directory(out, resume=resume) as folder:
            return work.done(folder, Path(out))


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)
