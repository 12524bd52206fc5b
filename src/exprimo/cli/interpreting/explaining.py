"""Commands explain and agreement: what each part of the input contributes, and do methods agree."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from exprimo.cli.modelling import Device, Threads, listed
from exprimo.cli.output import counted, number, say
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json

if TYPE_CHECKING:
    from exprimo.interpret.explain import Explained
    from exprimo.interpret.faithfulness.agreement import Agreement

_Method = Annotated[
    Literal[
        "gradient_x_input",
        "saliency",
        "absolute_saliency",
        "integrated_gradients",
        "deeplift",
        "mutagenesis",
        "attention",
    ],
    typer.Option(help="How contributions are made; see above."),
]
_Inputs = Annotated[str, typer.Option("--input", help="Inputs with commas; default: all.")]
_Output = Annotated[str | None, typer.Option(help="Which output, of several classes.")]
_On = Annotated[
    Literal["train", "val", "test", "all"] | None,
    typer.Option(help="Part of a run's own dataset; default: test."),
]
_Most = Annotated[int, typer.Option(help="At most so many examples; 0: all.", min=0)]
_References = Annotated[int, typer.Option(help="Shuffles that a sequence is compared with.", min=1)]
_Background = Annotated[
    Literal["shuffled", "zeros", "uniform"], typer.Option(help="What a sequence is compared with.")
]
_Baseline = Annotated[
    Literal["mean", "zeros"], typer.Option(help="What other inputs are compared with.")
]
_Steps = Annotated[int, typer.Option(help="Steps of integrated gradients.", min=2)]
_MaxDelta = Annotated[
    float, typer.Option(help="Share of the output's change that contributions may miss.", min=0)
]
_Centred = Annotated[
    bool, typer.Option("--centred", help="Take the mean over bases off each gradient.")
]
_Layer = Annotated[str | None, typer.Option(help="Layer that is mapped; default: the last.")]
_Smooth = Annotated[int, typer.Option(help="Width of the profile's moving mean, odd.", min=1)]
_Sites = Annotated[Path | None, typer.Option(help="BED of bases known to matter, to judge by.")]
_Tracks = Annotated[bool, typer.Option("--tracks", help="Write BigWig files.")]
_Fasta = Annotated[Path | None, typer.Option(help="Genome, for the lengths of chromosomes.")]
_Seed = Annotated[int, typer.Option(help="Of the shuffles.", min=0)]
_Memory = Annotated[int, typer.Option(help="MiB beside the model.", min=64)]
_Check = Annotated[
    bool, typer.Option("--check/--no-check", help="Check if the model uses what is shown.")
]
_Resume = Annotated[bool, typer.Option("--resume", help="Go on where a stopped call ended.")]


# A line that is \b alone keeps the lines behind it apart.
_EXPLAIN_HELP = """Say what each base, mark or feature contributes to a model's output.

\b
Methods:
  gradient_x_input      quick; a network, or kmer_linear (there exact)
  saliency              quick; a network: slopes alone, with signs
  absolute_saliency     quick; a network: sizes of slopes
  integrated_gradients  a network; adds up as far as --steps allow
  deeplift              a network without recurrent layers; adds up
  mutagenesis           slow, exact per change; any model of DNA
  attention             quick; attentive_chrome alone: weights

Every single change in a table, of windows cut from a genome too: exprimo mutagenesis.
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        "explain",
        help=_EXPLAIN_HELP,
        epilog="Example: exprimo explain RUN D.h5 --method deeplift -o E",
    )(_explain)
    app.command(
        "agreement",
        epilog="Example: exprimo agreement E/gradient E/deeplift -o agreement.json",
    )(_agreement)


def _explain(
    model: Annotated[str, typer.Argument(help="RUN, NAME or NAME:FILE.")],
    dataset: Annotated[Path, typer.Argument(help="The dataset, an .h5 file.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="A new folder.")],
    method: _Method = "gradient_x_input",
    inputs: _Inputs = "",
    output: _Output = None,
    on: _On = None,
    most: _Most = 1000,
    references: _References = 20,
    background: _Background = "shuffled",
    baseline: _Baseline = "mean",
    steps: _Steps = 16,
    max_delta: _MaxDelta = 0.1,
    centred: _Centred = False,
    layer: _Layer = None,
    smooth: _Smooth = 1,
    sites: _Sites = None,
    tracks: _Tracks = False,
    fasta: _Fasta = None,
    seed: _Seed = 0,
    memory: _Memory = 1024,
    check: _Check = True,
    resume: _Resume = False,
    device: Device = "auto",
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Say what each base, mark or feature contributes to a model's output."""
    import exprimo

    what = (model, dataset, out)
    with bars():
        done = exprimo.explain(
            *what,
            method=method,
            inputs=listed(inputs),
            output=output,
            on=on,
            most=most or None,
            references=references,
            background=background,
            baseline=baseline,
            steps=steps,
            max_delta=max_delta,
            centred=centred,
            layer=layer,
            smooth=smooth,
            sites=sites,
            tracks=tracks,
            fasta=fasta,
            seed=seed,
            memory=memory,
            check=check,
            resume=resume,
            device=device,
            threads=threads,
        )
    say(list(_told(done)), done._asdict() | {"verdict": done.verdict.short}, as_json=as_json)


def _told(done: Explained) -> Iterator[str]:
    of = f" of {done.n_of:,}" if done.n_of > done.n_examples else ""
    part = "" if done.part == "all" else f" of part {done.part}"
    yield (
        f"Wrote contributions by {done.method} of {counted(done.n_examples, 'example')}{of}{part} "
        f"to {done.path}"
    )
    if done.n_learned:
        all_of = done.n_learned == done.n_examples
        how_many = "all of them" if all_of else f"{done.n_learned:,} of {done.n_examples:,}"
        yield f"  {how_many} were learned from: what is found holds for these, not for others"
    yield f"  inputs: {', '.join(done.inputs)}; unit: {done.scale}"
    if done.missed is not None:
        yield (
            f"  contributions miss the change of the output by {done.missed.share:.1%} "
            f"(median {done.missed.missed:.3g} of {done.missed.moved:.3g})"
        )
    if done.strongest is not None:
        position, share = done.strongest
        yield f"  most important: position {position:+d}, {share:.0%} within 100 bases of it"
    if done.auroc is not None:
        found, swapped = done.auroc
        yield (
            f"  AUROC against the known sites {number(found)}; {number(swapped)} with examples "
            "swapped"
        )
    yield f"  faithfulness: {_verdict(done)}"
    if done.tracks:
        yield f"  tracks: {', '.join(done.tracks)}"
    if done.n_known:
        yield f"  {counted(done.n_known, 'example')} had been explained before"
    yield f"  next: exprimo report {shlex.quote(str(done.path))}"


def _verdict(done: Explained) -> str:
    verdict = done.verdict
    if verdict.word == "unchecked":
        return "not checked, and pictures say so"
    if failed := verdict.failures():
        return f"fails, and pictures say so: {'; '.join(failed)}"
    by_name = {check.check: check for check in verdict.checks if check.passed == "yes"}
    deletion = by_name.get("deletion")
    if deletion is None:
        return verdict.word
    return (
        f"{verdict.word}; deletion beats random order by {number(deletion.value)} "
        f"[{number(deletion.low)}, {number(deletion.high)}] {done.scale}"
    )


def _agreement(
    explanations: Annotated[list[Path], typer.Argument(help="Folders made by exprimo explain.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="A .json file.")] = None,
    top: Annotated[int, typer.Option(help="Positions whose overlap is counted.", min=1)] = 20,
    most: Annotated[int, typer.Option(help="At most so many examples.", min=2)] = 1000,
    seed: Annotated[int, typer.Option(help="Of swapped examples and intervals.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """Say how far explanations agree: of several methods, runs or seeds."""
    import exprimo

    found: Agreement = exprimo.agreement(explanations, out, top=top, most=most, seed=seed)
    facts = {**found._asdict(), "pairs": found.pairs.to_dict("records")}
    say(list(_compared(found, top)), facts, as_json=as_json)


def _compared(found: Agreement, top: int) -> Iterator[str]:
    n = counted(len(found.names), "explanation")
    yield f"Compared {n} of {counted(found.n_examples, 'example')}"
    for pair in found.pairs.to_dict("records"):
        one, other = (found.names[pair[side]] for side in ("one", "other"))
        yield f"  {one[0]} ({one[1]}) and {other[0]} ({other[1]}), {pair['input']}:"
        yield (
            f"    rank correlation {number(pair['signed'])}, of sizes {number(pair['size'])} "
            f"({number(pair['size_swapped'])} with examples swapped); "
            f"{pair['overlap']:.0%} of the top {top} shared ({pair['expected']:.0%} by chance)"
        )
    if found.path is not None:
        yield f"  wrote {found.path}"
