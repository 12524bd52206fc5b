"""The commands of motifs, with their figures: motifs find, motifs insert."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from exprimo.core.files.atomic import atomic_directory, refuse_existing
from exprimo.core.files.provenance import describe_origin
from exprimo.core.run import write_json
from exprimo.interpret.attributions.store import ATTRIBUTIONS_FILE
from exprimo.interpret.motifs import FindConfig, find, write_found
from exprimo.interpret.motifs.files import write_table
from exprimo.report.motifs.figures import write_insertion_figures, write_logos


class MotifsFound(NamedTuple):
    """What `motifs_find` wrote.

    Attributes
    ----------
    path
        The folder.
    n_patterns, n_named, n_sites
        Patterns, those of them with a name, and their sites.
    library
        What they were compared with; "" where with nothing.
    q
        Up to which q-value a match gives a pattern its name.
    motifs
        ``motifs.tsv``.
    """

    path: Path
    n_patterns: int
    n_named: int
    n_sites: int
    library: str
    q: float
    motifs: pd.DataFrame


def motifs_find(
    explained: str | Path,
    out: str | Path,
    *,
    jaspar: str | Path = "auto",
    **settings: Any,
) -> MotifsFound:
    """Find the motifs in an explanation, name them, and list their sites.

    Contributions are clustered by TF-MoDISco-lite (Shrikumar et al. 2018), patterns compared
    with known motifs as Tomtom does it (Gupta et al. 2007).

    Parameters
    ----------
    explained
        A folder of `explain`, by a method that says what each base would contribute.
    out
        A new folder: ``motifs.tsv``, ``matches.tsv``, ``hits.tsv.gz``, ``motifs.meme``,
        ``weights.tsv``, ``motifs.json``, logos; see docs/motifs.md.
    jaspar
        Known motifs: ``auto`` is JASPAR, read offline; a MEME file; ``none``.
    settings
        Fields of `exprimo.interpret.motifs.FindConfig`, such as ``tax_group="fungi"``.

    Examples
    --------
    >>> found = motifs_find("EXPLAINED", "MOTIFS", tax_group="fungi")    # doctest: +SKIP
    >>> found.motifs[["pattern", "consensus", "name", "q"]]              # doctest: +SKIP
    """
    config = FindConfig.checked(settings)
    target, source = Path(out), Path(explained)
    refuse_existing(target)
    found = find(source, jaspar, config)
    file = source / ATTRIBUTIONS_FILE if source.is_dir() else source
    titles = [
        f"{row.pattern}  {row.name}  ({row.seqlets} seqlets)".replace("    ", "  ")
        for row in found.motifs.itertuples(index=False)
    ]
    with atomic_directory(target) as partial:
        read = [file] if str(jaspar) in ("auto", "none") else [file, jaspar]
        write_found(partial, found, describe_origin(read))
        write_logos(
            partial,
            [pattern.name for pattern in found.patterns],
            titles,
            [(pattern.probabilities, pattern.contributions) for pattern in found.patterns],
            str(found.facts["explained"].get("scale", "contribution")),
        )
    library = found.facts["library"]
    return MotifsFound(
        target,
        len(found.patterns),
        int((found.motifs["name"] != "").sum()),
        len(found.hits),
        "" if library is None else str(library["name"]),
        config.q,
        found.motifs,
    )


class MotifsInserted(NamedTuple):
    """What `motifs_insert` wrote.

    Attributes
    ----------
    path
        The folder.
    n_motifs, n_backgrounds
        How many motifs, and into how many shuffled sequences.
    part, scale
        Part that the sequences are of, and unit of an effect.
    strongest
        Of each motif the row of ``effect.tsv`` with the greatest effect, by falling size.
    interaction
        The row of ``spacing.tsv`` with the greatest interaction; None without a pair.
    """

    path: Path
    n_motifs: int
    n_backgrounds: int
    part: str
    scale: str
    strongest: pd.DataFrame
    interaction: dict[str, Any] | None


def motifs_insert(
    model: str | Path,
    dataset: str | Path,
    motifs: str | Path,
    out: str | Path,
    *,
    device: str = "auto",
    threads: int | None = None,
    **settings: Any,
) -> MotifsInserted:
    """Insert motifs into shuffled sequences and see what that changes in a model's prediction.

    Backgrounds are held-out sequences of the dataset, each shuffled so that its dinucleotides
    stay. Effects are means over backgrounds, with bootstrap intervals.

    Parameters
    ----------
    model
        A model that reads sequence alone.
    motifs
        A MEME file, such as ``motifs.meme`` of `motifs_find`.
    out
        A new folder: ``effect.tsv``, of a pair ``spacing.tsv``, ``insertion.json``, figures.
    settings
        Fields of `exprimo.interpret.motifs.insert.InsertConfig`, such as ``pair=("A", "B")``.

    Examples
    --------
    >>> motifs_insert("RUN", "D.h5", "MOTIFS/motifs.meme", "OUT").strongest   # doctest: +SKIP
    """
    # torch takes seconds to import, and finding motifs does without.
    from exprimo.interpret.motifs.insert import InsertConfig, insert

    config = InsertConfig.checked(settings)
    target = Path(out)
    refuse_existing(target)
    done = insert(model, dataset, motifs, config, device=device, threads=threads)
    with atomic_directory(target) as partial:
        write_table(partial / "effect.tsv", done.effect)
        if done.spacing is not None:
            write_table(partial / "spacing.tsv", done.spacing)
        facts = {**done.facts, "provenance": describe_origin([dataset, motifs])}
        write_json(partial / "insertion.json", {"format_version": 1, **facts})
        write_insertion_figures(partial, done.effect, done.spacing, done.scale)
    size = done.effect["effect"].abs()
    best = done.effect.loc[size.groupby(done.effect["motif"], sort=False).idxmax()]
    order = best["effect"].abs().sort_values(ascending=False, kind="stable").index
    pair = done.spacing
    most = None if pair is None else int(pair["interaction"].abs().to_numpy().argmax())
    return MotifsInserted(
        target,
        len(best),
        int(done.facts["n_backgrounds"]),
        str(done.facts["part"]),
        done.scale,
        best.loc[order].reset_index(drop=True),
        None if pair is None or most is None else {str(k): v for k, v in pair.iloc[most].items()},
    )
