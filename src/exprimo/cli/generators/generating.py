"""The commands of generators: generate fit, generate sample, generate check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exprimo.cli.modelling import Device, Settings, Strategy, Threads, listed
from exprimo.cli.output import counted, number, say, table
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json

if TYPE_CHECKING:
    from exprimo.generate import Checked, Generator, Sampled

Family = Annotated[
    str,
    typer.Option(
        "-g",
        "--generator",
        help="diffusion, gan, or the published form of each: diffusion-published, gan-published.",
    ),
]
Label = Annotated[str | None, typer.Option(help="Learn this class only, such as 1.")]
Condition = Annotated[
    str | None, typer.Option(help="A target to ask sequences by: its classes or values.")
]
LabelTarget = Annotated[str | None, typer.Option(help="The target that --label is a class of.")]
Like = Annotated[
    Path | None, typer.Option(help="A run: learn from the training part of its split.")
]
Minutes = Annotated[
    float | None, typer.Option(help="Time in all; default: 30, unless --steps is given.")
]
Steps = Annotated[int | None, typer.Option(help="Updates in all, instead of minutes.", min=5)]
Asked = Annotated[
    str | None,
    typer.Option(help="Class or value to ask for; default: as training examples have it."),
]
Guidance = Annotated[
    float, typer.Option(help="Weight of the condition; 1: as learned, more: less diverse.", min=0)
]
Passes = Annotated[
    int | None, typer.Option(help="Passes of the sampler; default: as the family has it.", min=1)
]
Kept = Annotated[
    float, typer.Option(help="Of 1/SHARE drawn for each, keep the one its discriminator likes.")
]


# A line that is \b alone keeps the lines behind it apart.
_GROUP_HELP = """Fit generators of sequences, draw, and check what they drew.

\b
fit, then sample, then check; then train with what passed:
  exprimo generate fit D.h5 --like RUN --target up --label 1 -o GEN
  exprimo generate sample GEN -n 5000 -o S.h5
  exprimo generate check S.h5 D.h5 -o CHECK
  exprimo train D.h5 --like RUN --augment S.h5 -o AUGMENTED
design proposes sequences for a target, with a generator or without.
"""


def register(app: typer.Typer) -> typer.Typer:
    """Add the group and its commands; give the group, for more commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help=_GROUP_HELP)
    app.add_typer(group, name="generate")
    group.command(
        "fit", epilog="Example: exprimo generate fit D.h5 --condition y --minutes 30 -o GEN"
    )(_fit)
    group.command(
        "sample", epilog="Example: exprimo generate sample GEN -n 1000 --target 2.5 -o S.h5"
    )(_sample)
    group.command("check", epilog="Example: exprimo generate check S.h5 D.h5 -o CHECK")(_check)
    return group


def _fit(
    dataset: Annotated[Path, typer.Argument(help="The dataset, an .h5 file.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The generator's folder.")],
    generator: Family = "diffusion",
    label: Label = None,
    condition: Condition = None,
    target: LabelTarget = None,
    like: Like = None,
    split: Strategy = "auto",
    test_chroms: Annotated[str, typer.Option(help="Chromosomes that judge: A,B.")] = "",
    val_chroms: Annotated[str, typer.Option(help="Chromosomes that tune: A,B.")] = "",
    minutes: Minutes = None,
    steps: Steps = None,
    seed: Annotated[int, typer.Option(help="Seed of weights, order, noise.", min=0)] = 0,
    device: Device = "auto",
    threads: Threads = None,
    settings: Settings = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after a kill.")] = False,
    as_json: Json = False,
) -> None:
    """Fit a generator of sequences on the training part of a split."""
    import exprimo
    from exprimo.core.config import settings_from

    values: dict[str, Any] = {
        "seed": seed,
        "split": {
            # Naming chromosomes is asking for that split.
            "strategy": "chromosome" if test_chroms and split == "auto" else split,
            "test_chroms": listed(test_chroms),
            "val_chroms": listed(val_chroms),
        },
        "fit": {"minutes": minutes, "steps": steps},
        "machine": {"device": device, "threads": threads},
    }
    taken = ("dataset", "out", "generator", "label", "condition", "target", "like", "resume")
    settings_from(values, settings or (), taken)
    with bars():
        made: Generator = exprimo.generate_fit(
            dataset, out, generator=generator, label=label, condition=condition, target=target,
            like=like, resume=resume, **values,
        )  # fmt: skip
    facts = made.provenance
    sequences = counted(facts["n_learned"], "sequence")
    lines = [
        f"Wrote {made.path}: {facts['generator']}, {facts['length']:,} bases",
        f"  learned from {sequences} in {counted(facts['steps'], 'step')} "
        f"({facts['fit_seconds'] / 60:.1f} minutes)",
        f"  kept the weights of step {facts['kept_step']:,}{_told_loss(facts)}",
        *(f"  note: {one}" for one in facts.get("notes", ())),
    ]
    say(lines, {"path": made.path, **facts}, as_json=as_json)


def _told_loss(facts: dict[str, Any]) -> str:
    """Tell the loss of what was watched, beside that of bases drawn at random."""
    watched, by_chance = facts["watched_loss"], facts.get("random_loss")
    if watched is None:
        return ""
    told = f", {watched:.3f} on examples that it did not learn from"
    return told if by_chance is None else f"{told} (bases drawn at random: {by_chance:.3f})"


def _sample(
    generator: Annotated[Path, typer.Argument(help="The generator's folder.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="A new .h5, .fa or .fa.gz.")],
    n: Annotated[int, typer.Option("-n", "--number", help="How many sequences.", min=1)],
    target: Asked = None,
    guidance: Guidance = 1.0,
    steps: Passes = None,
    keep_best: Kept = 1.0,
    seed: Annotated[int, typer.Option(help="Of the noise.", min=0)] = 0,
    device: Device = "auto",
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Draw sequences from a fitted generator."""
    import exprimo

    with bars():
        done: Sampled = exprimo.generate_sample(
            generator, out, n=n, target=target, guidance=guidance, steps=steps,
            keep_best=keep_best, seed=seed, device=device, threads=threads,
        )  # fmt: skip
    by = "" if done.target is None else f", {done.target} {done.asked or 'as in training'}"
    lines = [
        f"Wrote {counted(done.n, 'sequence')} of {done.length:,} bases to {done.path}",
        f"  {done.generator} in {counted(done.steps, 'step')}{by}; {done.seconds:.1f} seconds",
        *(f"  note: {one}" for one in done.notes),
        "  not checked: see how far they can be trusted before you learn from them:",
        f"  {_next_command(done, generator)}",
    ]
    say(lines, done._asdict(), as_json=as_json)


def _next_command(done: Sampled, generator: Path) -> str:
    from exprimo.core.dataset.generated import check_command

    return check_command(done.path, done.dataset or "D.h5", generator=generator)


def _check(
    sample: Annotated[Path, typer.Argument(help="Generated sequences: .h5, .fa or .fa.gz.")],
    dataset: Annotated[Path, typer.Argument(help="The dataset of the generator, an .h5 file.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="A new folder for the tables.")],
    generator: Annotated[
        Path | None, typer.Option(help="The generator's folder; default: as the sample says.")
    ] = None,
    like: Annotated[Path | None, typer.Option(help="A run of the same split, instead.")] = None,
    split: Annotated[str | None, typer.Option(help="Or the split, as train makes it.")] = None,
    motifs: Annotated[Path | None, typer.Option(help="Known motifs, a MEME file.")] = None,
    pvalue: Annotated[float, typer.Option(help="What makes a window a site.")] = 1e-4,
    model: Annotated[
        Path | None, typer.Option(help="A run of a network, in whose last layer to compare.")
    ] = None,
    oracle: Annotated[
        Path | None, typer.Option(help="A run that learned from other examples: its predictions.")
    ] = None,
    draws: Annotated[int, typer.Option(help="Repeats with other halves and rivals.", min=1)] = 5,
    most: Annotated[int, typer.Option(help="Sequences per set and draw.", min=50)] = 5000,
    queries: Annotated[int, typer.Option(help="Sequences looked up in training.", min=50)] = 1000,
    seed: Annotated[int, typer.Option(help="Of all that is drawn.", min=0)] = 0,
    device: Device = "auto",
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Compare generated sequences with held-out ones and rivals; look for copies."""
    import exprimo

    with bars():
        done: Checked = exprimo.generate_check(
            sample, dataset, out, generator=generator, like=like, split=split, motifs=motifs,
            pvalue=pvalue, model=model, oracle=oracle, draws=draws, most=most, queries=queries,
            seed=seed, device=device, threads=threads,
        )  # fmt: skip
    facts = {**done._asdict(), "measures": done.measures.to_dict("records")}
    say(_told_check(done), facts, as_json=as_json)


def _told_check(done: Checked) -> list[str]:
    lines = [
        f"Memorisation gate: {done.verdict}",
        *(f"  {reason}" for reason in done.reasons),
        *(f"  note: {note}" for note in done.notes),
        *_told_gate(done.gate),
    ]
    shown = ("generated", "held-out", "dinucleotide shuffle", "Markov 5 by position")
    values = {
        (row["measure"], row["set"]): float(row["value"])
        for row in done.measures.to_dict("records")
    }
    names = dict.fromkeys(name for name, _ in values)
    rows = [[str(name), *_alike([values[name, one] for one in shown])] for name in names]
    lines += table(rows, ["measure", *shown])
    return [*lines, f"Wrote {done.path}; the verdict stands in {done.stamped}"]


def _told_gate(gate: dict[str, dict[str, Any]]) -> list[str]:
    """Tell the figures behind the verdict, and what numbers as small as these cannot show."""
    near, copies, collapse = gate["near_copies"], gate["copies"], gate["collapse"]
    return [
        f"  {near['share']:.1%} are fewer than {near['nearer_than_edits']} edits from a training "
        f"sequence; {near['expected_share']:.1%} are expected",
        f"  {_unseen(near, 'so near sequences')}",
        f"  {copies['copies']:,} of {copies['n']:,} are copies of training sequences; of held-out "
        f"ones {copies['held_out_copies']:,} of {copies['held_out_n']:,}",
        f"  {_unseen(copies, 'exact copies')}",
        f"  {collapse['unique_fraction']:.1%} are unique, of held-out ones "
        f"{collapse['held_out_unique_fraction']:.1%}; two differ at "
        f"{collapse['mean_difference']:.1%} of positions, two held-out ones at "
        f"{collapse['held_out_mean_difference']:.1%}",
    ]


def _unseen(part: dict[str, Any], what: str) -> str:
    n, least = part["n"], part["least_seen"]
    if least is None:
        return f"no share of {what} would be seen with {n:,} sequences"
    return f"shares of {what} below {least / n:.1%} would not be seen with {n:,} sequences"


def _alike(values: list[float]) -> list[str]:
    """Write a row of measures with as many decimals as its values need."""
    if any(values) and all(abs(value) < 0.01 for value in values):
        return [f"{value:.5f}" for value in values]
    return [number(value) for value in values]
