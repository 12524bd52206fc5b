"""The commands of motifs: motifs find, motifs insert."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from exprimo.cli.modelling import Device, Settings, Threads, listed
from exprimo.cli.output import between, counted, number, say, table
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json
from exprimo.core.errors import ConfigError

if TYPE_CHECKING:
    from exprimo.studies.motifs import MotifsFound, MotifsInserted

_Explained = Annotated[Path, typer.Argument(help="A folder of explain, or its attributions.h5.")]
_Out = Annotated[Path, typer.Option("-o", "--out", help="A new folder.")]
_Jaspar = Annotated[
    str, typer.Option(help="Known motifs: auto (JASPAR, offline), a MEME file, or none.")
]
_Group = Annotated[
    Literal["diatoms", "fungi", "insects", "nematodes", "plants", "urochordates", "vertebrates"]
    | None,
    typer.Option("--tax-group", help="Of JASPAR, this group alone; default: all."),
]
_Region = Annotated[
    str | None,
    typer.Option(help="FIRST,END relative to the TSS, such as -200,50; default: whole window."),
]
_Most = Annotated[int, typer.Option(help="Examples that motifs are learned from.", min=50)]
_Seqlets = Annotated[int, typer.Option(help="Seqlets of each sign that are clustered.", min=100)]
_Seqlet = Annotated[int | None, typer.Option(help="Bases of a seqlet's core.", min=6)]
_Flank = Annotated[int | None, typer.Option(help="Bases on both sides of it.", min=0)]
_Q = Annotated[float, typer.Option("--q", help="Up to which q-value a match gives its name.")]
_Seed = Annotated[int, typer.Option(help="Of all that is drawn.", min=0)]
_Memory = Annotated[int, typer.Option(help="MiB of contributions at once.", min=64)]

_Motifs = Annotated[Path, typer.Option(help="MEME file, such as MOTIFS/motifs.meme.")]
_Only = Annotated[str, typer.Option("--only", help="Ids or names in the file: A,B; default: all.")]
_Pair = Annotated[
    tuple[str, str] | None, typer.Option(help="Two motifs to insert together, at many distances.")
]
_Backgrounds = Annotated[int, typer.Option(help="Sequences that are shuffled.", min=10)]
_Form = Annotated[
    Literal["consensus", "sampled"], typer.Option("--form", help="Which bases are inserted.")
]
_Step = Annotated[int | None, typer.Option(help="Bases from place to place.", min=1)]
_At = Annotated[int | None, typer.Option(help="Where a pair's first motif begins, from the TSS.")]
_Reach = Annotated[int, typer.Option(help="Most bases between a pair.", min=1)]
_On = Annotated[
    Literal["train", "val", "test", "all"] | None,
    typer.Option(help="Part of a run's own dataset; default: test."),
]
_Output = Annotated[str | None, typer.Option(help="Which output, of several classes.")]

_SHOWN = 20


# A line that is \b alone keeps the lines behind it apart.
_GROUP_HELP = """Find motifs in what a model looks at; insert motifs and see.

\b
explain, then motifs find, then motifs insert:
  exprimo explain RUN D.h5 --method deeplift --most 0 -o E
  exprimo motifs find E -o MOTIFS
  exprimo motifs insert RUN D.h5 --motifs MOTIFS/motifs.meme -o EFFECT
"""


def register(app: typer.Typer) -> typer.Typer:
    """Add the group and its commands; give the group, for more commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help=_GROUP_HELP)
    app.add_typer(group, name="motifs")
    group.command(
        "find", epilog="Example: exprimo motifs find EXPLAINED --tax-group fungi -o MOTIFS"
    )(_find)
    group.command(
        "insert",
        epilog="Example: exprimo motifs insert RUN D.h5 --motifs MOTIFS/motifs.meme -o EFFECT",
    )(_insert)
    return group


def _find(
    explained: _Explained,
    out: _Out,
    jaspar: _Jaspar = "auto",
    tax_group: _Group = None,
    region: _Region = None,
    most: _Most = 20_000,
    most_seqlets: _Seqlets = 2000,
    seqlet: _Seqlet = None,
    flank: _Flank = None,
    q: _Q = 0.05,
    seed: _Seed = 0,
    memory: _Memory = 1024,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Find motifs in an explanation, name them by known ones, and list their sites."""
    import exprimo
    from exprimo.core.config import settings_from

    values: dict[str, Any] = {
        "tax_group": tax_group, "region": _range(region), "most": most, "q": q, "seed": seed,
        "most_seqlets": most_seqlets, "seqlet": seqlet, "flank": flank, "memory": memory,
    }  # fmt: skip
    settings_from(values, settings or (), ("explained", "out", "jaspar"))
    with bars():
        done: MotifsFound = exprimo.motifs_find(explained, out, jaspar=jaspar, **values)
    facts = {**done._asdict(), "motifs": done.motifs.to_dict("records")}
    say(_told_found(done), facts, as_json=as_json)


def _told_found(done: MotifsFound) -> list[str]:
    against = f"; compared with {done.library}" if done.library else ""
    lines = [
        f"Wrote {done.path}: {counted(done.n_patterns, 'motif')}, {done.n_named:,} of them named "
        f"(q ≤ {done.q:g}), {counted(done.n_sites, 'site')}{against}"
    ]
    shown = done.motifs.head(_SHOWN).to_dict("records")
    rows = [
        [
            str(one["pattern"]),
            str(one["sign"]),
            f"{one['seqlets']:,}",
            f"{one['sites']:,}",
            str(one["consensus"]),
            str(one["name"]) or "-",
            "-" if one["match"] == "" else f"{one['match']} ({one['match_id']})",
            "-" if one["match"] == "" else f"{one['q']:.2g}",
        ]
        for one in shown
    ]
    if rows:
        heads = ("motif", "sign", "seqlets", "sites", "consensus", "name", "best match", "q")
        lines += table(rows, heads)
    if done.n_patterns > _SHOWN:
        lines.append(f"  and {done.n_patterns - _SHOWN:,} more in motifs.tsv")
    if done.n_patterns:
        lines.append(
            f"Next: exprimo motifs insert MODEL D.h5 --motifs {done.path / 'motifs.meme'} -o EFFECT"
        )
    return lines


def _insert(
    model: Annotated[str, typer.Argument(help="A run, or a pretrained model that predicts.")],
    dataset: Annotated[Path, typer.Argument(help="The dataset, an .h5 file.")],
    motifs: _Motifs,
    out: _Out,
    only: _Only = "",
    pair: _Pair = None,
    backgrounds: _Backgrounds = 100,
    form: _Form = "consensus",
    region: _Region = None,
    step: _Step = None,
    at: _At = None,
    reach: _Reach = 30,
    on: _On = None,
    output: _Output = None,
    seed: _Seed = 0,
    device: Device = "auto",
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Insert motifs into shuffled sequences: the change of the prediction, by position."""
    import exprimo

    with bars():
        done: MotifsInserted = exprimo.motifs_insert(
            model, dataset, motifs, out, only=listed(only), pair=pair,
            backgrounds=backgrounds, form=form, region=_range(region), step=step, at=at,
            reach=reach, on=on, output=output, seed=seed, device=device, threads=threads,
        )  # fmt: skip
    facts = {**done._asdict(), "strongest": done.strongest.to_dict("records")}
    say(_told_inserted(done), facts, as_json=as_json)


def _told_inserted(done: MotifsInserted) -> list[str]:
    lines = [
        f"Wrote {done.path}: {counted(done.n_motifs, 'motif')} in "
        f"{counted(done.n_backgrounds, 'shuffled sequence')} ({done.part}); strongest effect of "
        f"each, in {done.scale}:"
    ]
    rows = [
        [
            str(one["motif"]),
            str(one["name"]),
            str(one["strand"]),
            f"{one['position']:+d}",
            number(one["effect"]),
            between(one["low"], one["high"]),
        ]
        for one in done.strongest.head(_SHOWN).to_dict("records")
    ]
    lines += table(rows, ("motif", "name", "strand", "position", "effect", "95% interval"))
    if done.interaction is not None:
        one = done.interaction
        lines.append(
            f"{one['motif_a']} and {one['motif_b']} ({one['strands']}), "
            f"{counted(int(one['between']), 'base')} between: {number(one['interaction'])} beyond "
            f"their sum ({between(one['low'], one['high'])})"
        )
    return lines


def _range(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    parts = text.split(",")
    try:
        first, end = (int(part) for part in parts)
    except ValueError:
        raise ConfigError(
            "not a region", record=f"--region {text}", expected="two numbers, such as -200,50"
        ) from None
    return first, end
