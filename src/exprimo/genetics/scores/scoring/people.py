"""Scores of people from weights, ours or others'."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.coordinates import reconcile_chromosomes
from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.core.files.atomic import atomic_directory, refuse_existing
from exprimo.core.files.provenance import describe_origin
from exprimo.core.ledger import Ledger
from exprimo.data.fasta.genome import Genome
from exprimo.data.genotypes import Block, Genotypes, open_genotypes
from exprimo.data.genotypes.view import NO_COPY
from exprimo.data.names import read_chromosome_names
from exprimo.genetics.scores.scoring.adding import MissingDosage, Sums
from exprimo.genetics.scores.scoring.held_out import (
    fold_of_each,
    judged,
    ledger_of_scores,
    refuse_learned,
)
from exprimo.genetics.scores.scoring.observed import notes_on_judging
from exprimo.genetics.scores.weights.harmonise import ABSENT, Palindromic, harmonise
from exprimo.genetics.scores.weights.read import LEDGER, PROVENANCE, origin_of, read_weights
from exprimo.genetics.scores.weights.table import ALL, Weights

SCORES, GENES, SUMMARY = "scores.parquet", "genes.parquet", "summary.json"
_KEY = ["gene_id", "model", "fold"]


class ScoredPeople(NamedTuple):
    """What was scored.

    Attributes
    ----------
    path
        The folder.
    kind
        Whose weights: ``"Exprimo"``, ``"PredictDB"``, ``"FUSION"``, ``"PGS Catalog"``.
    n_people, n_scores, n_weights
        How many people, scores (a gene and model), and weights.
    weights
        What became of the weights -> how many.
    learned_from
        How many of these people the weights were learned from; None where that is not told.
    models
        Model -> ``r2``, ``pearson_r`` (means over genes), ``n_genes``, where there was expression.
    leaks
        Keys that were judged though learned from, where that was allowed.
    notes
        Where the expression is not what the weights were fitted to.
    """

    path: Path
    kind: str
    n_people: int
    n_scores: int
    n_weights: int
    weights: Mapping[str, int]
    learned_from: int | None
    models: Mapping[str, Mapping[str, float]]
    leaks: int
    notes: tuple[str, ...] = ()


def score_people(
    weights: str | Path,
    genotypes: str | Path,
    out: str | Path,
    *,
    samples: Sequence[str] | Path | None = None,
    models: Sequence[str] = (),
    expression: str | Path | None = None,
    covariates: str | Path | None = None,
    folds_file: str | Path | None = None,
    missing: MissingDosage = "mean",
    palindromic: Palindromic | None = None,
    fasta: str | Path | None = None,
    chrom_style: str | Path = "auto",
    allow_leak: bool = False,
) -> ScoredPeople:
    """Score people: add up copies of effect alleles times weights.

    The folder holds ``scores.parquet`` (``gene_id, model, sample, score`` (the sum), ``average``
    (by allele, as PLINK 2's ``SCORE1_AVG``), ``prediction`` (with the intercept; our own weights
    only)), ``genes.parquet`` (weights used by gene and model, and R² and r where there is
    expression), ``ledger.parquet`` (whom the weights were learned from; our own only),
    ``summary.json`` and ``provenance.json``.

    Parameters
    ----------
    weights
        A folder of `fit_scores`, or a file as `read_weights` takes it.
    genotypes
        Read once, from beginning to end; no index is needed.
    models
        Only these models; empty: all.
    expression
        What scores are judged on: an expression BED, or a table with genes in rows. People that
        the weights were learned from are then refused.
    covariates
        Taken out of the expression first: with folds as the people of the other folds say, which
        is what `fit_scores` does; without, as these people say.
    folds_file
        A table sample, fold: each person is scored by the weights without that fold, which must
        not have been learned from the person.
    missing
        What a missing dosage counts as: the mean (of the training people where known, else of
        those scored), or ``"skip"``: it is left out, and the average is over the others.
    palindromic
        Whether variants A/T and C/G are left out (``"drop"``) or read as on the file's strand
        (``"keep"``). None: kept for our own weights, which name REF and ALT; left out for others'.
    fasta
        Genome that REF alleles are checked against.
    chrom_style
        ``"auto"``, or a table of two columns: name in the genotypes, name in the weights.
    allow_leak
        Judge people that the weights were learned from all the same, and say so.

    Examples
    --------
    >>> score_people("PGS000001.txt.gz", "people.vcf.gz", "S")  # doctest: +SKIP
    """
    refuse_existing(out)
    if covariates is not None and expression is None:
        raise ConfigError("covariates of no expression", found="covariates", expected="expression")
    read = read_weights(weights)
    chosen = _chosen(read, models, by_fold=folds_file is not None)
    strands: Palindromic = palindromic or ("keep" if read.kind == "Exprimo" else "drop")
    table = None if chrom_style == "auto" else read_chromosome_names(chrom_style)
    with ExitStack() as stack:
        genome = None if fasta is None else stack.enter_context(Genome.open(fasta))
        file = stack.enter_context(
            open_genotypes(genotypes, samples=samples, genome=genome, chrom_table=table)
        )
        people = file.samples
        keys = _scores_of(read, chosen, models, by_fold=folds_file is not None)
        folds = fold_of_each(people, folds_file, keys)
        leaks = refuse_learned(
            read.ledger, people, folds, held_out=folds_file is not None or expression is not None,
            allow=allow_leak,
        )  # fmt: skip
        doubled = read.kind != "Exprimo"
        sums, counts = _add_up(file, chosen, keys, missing, strands, doubled=doubled)
    scores = _table(read, keys, sums, people, folds)
    genes = _genes(keys, sums, chosen)
    found: dict[str, dict[str, float]] = {}
    notes: tuple[str, ...] = ()
    if expression is not None:
        performance, found = judged(scores, expression, people, read, folds, covariates)
        genes = genes.merge(performance, on=["gene_id", "model"], how="left")
        notes = notes_on_judging(origin_of(read), covariates=covariates is not None)
    done = ScoredPeople(
        Path(out), read.kind, len(people), len(keys.drop(columns="fold").drop_duplicates()),
        len(chosen), counts, _learned_from(read, people), found, leaks, notes,
    )  # fmt: skip
    ledger = None if read.ledger is None else ledger_of_scores(read.ledger, folds)
    _write(done, scores, genes, ledger, weights, genotypes, strands, missing)
    return done


def _chosen(read: Weights, models: Sequence[str], *, by_fold: bool) -> pd.DataFrame:
    table = read.table
    known = sorted(set(read.models["model"]) | set(table["model"]))
    unknown = [name for name in models if name not in known]
    if unknown:
        raise MismatchError(
            "no such model", file=read.source, found=", ".join(unknown), expected=", ".join(known)
        )
    if by_fold and read.ledger is None:
        raise InputError(
            "weights without folds",
            file=read.source,
            found=read.kind,
            expected="a folder of fitted scores",
            remedy="Leave out the folds",
        )
    keep = (table["fold"] != ALL) if by_fold else (table["fold"] == ALL)
    if models:
        keep &= table["model"].isin(list(models))
    return table[keep].reset_index(drop=True)


def _scores_of(
    read: Weights, chosen: pd.DataFrame, models: Sequence[str], *, by_fold: bool
) -> pd.DataFrame:
    """List ``gene_id, model, fold`` of the scores; our own count where nothing was selected."""
    if not len(read.models):
        return chosen[_KEY].drop_duplicates().reset_index(drop=True)
    listed = read.models[_KEY]
    keep = (listed["fold"] != ALL) if by_fold else (listed["fold"] == ALL)
    if models:
        keep &= listed["model"].isin(list(models))
    return listed[keep].drop_duplicates().reset_index(drop=True)


def _add_up(
    file: Genotypes,
    table: pd.DataFrame,
    keys: pd.DataFrame,
    missing: MissingDosage,
    palindromic: Palindromic,
    *,
    doubled: bool,
) -> tuple[Sums, dict[str, int]]:
    sums = Sums(len(keys), len(file.samples), missing)
    code = table.merge(keys.assign(code=np.arange(len(keys))), on=_KEY, how="left")["code"]
    number = code.to_numpy(np.int64)
    outcome = np.full(len(table), ABSENT, dtype=object)
    left = table.assign(row=np.arange(len(table)))
    names: dict[str, str] = {}
    for block in file.blocks():
        left = _renamed(left, block, names, file)
        here = left[
            left["chrom"].isin(block.variants["chrom"].unique()) | (left["pos"] == 0)
        ].reset_index(drop=True)
        matches = harmonise(here, block.variants, palindromic=palindromic)
        rows = here["row"].to_numpy(np.int64)
        outcome[rows[matches.met]] = matches.outcomes
        used = rows[matches.weight_row]
        if len(used):
            sums.add(
                _copies(block, matches.variant_row, matches.swapped, doubled=doubled),
                number[used],
                table["weight"].to_numpy(np.float64)[used],
                table["mean"].to_numpy(np.float64)[used],
            )
            # Another record at the place may come in the next block: a weight is used once.
            left = left[~left["row"].isin(used)]
    counts = dict(Counter(outcome.tolist()))
    if not sums.n_variants.any() and len(table):
        raise _nothing_fits(file, table, counts)
    return sums, counts


def _copies(
    block: Block,
    rows: npt.NDArray[np.int64],
    swapped: npt.NDArray[np.bool_],
    *,
    doubled: bool,
) -> npt.NDArray[np.float64]:
    """Count copies of the effect allele, (rows, people).

    With ``doubled`` the one copy of a haploid (a man's X) counts as two, as in PLINK; without, as
    one, which is what our own weights were fitted to.
    """
    part = Block(
        block.variants.iloc[rows],
        block.alleles[rows],
        block.phased[rows],
        None if block.phase_set is None else block.phase_set[rows],
        None if block.dosages is None else block.dosages[rows],
    )
    copies = part.dosage().astype(np.float64)
    ploidy = np.where(part.alleles[..., 1] == NO_COPY, 1.0, 2.0)
    copies[swapped] = (ploidy - copies)[swapped]
    return copies * (2.0 / ploidy) if doubled else copies


def _renamed(
    left: pd.DataFrame, block: Block, names: dict[str, str], file: Genotypes
) -> pd.DataFrame:
    """Name chromosomes of weights as in the genotypes, when the first block shows how."""
    if names or not len(left):
        return left
    theirs = [name for name in left["chrom"].unique() if name]
    if not theirs:
        return left
    known = [*file.chromosomes] or block.variants["chrom"].unique().tolist()
    names.update(
        reconcile_chromosomes(
            known, theirs, our_file=str(file.path), their_file="the table of weights"
        )
    )
    return left.assign(chrom=left["chrom"].map(lambda name: names.get(name, name)))


def _nothing_fits(file: Genotypes, table: pd.DataFrame, counts: Mapping[str, int]) -> MismatchError:
    first = table.iloc[0]
    what = ", ".join(f"{n:,} {reason}" for reason, n in counts.items())
    return MismatchError(
        "no weight fits a variant of the genotypes",
        file=file.path,
        found=what,
        expected=f"variants such as {first['variant_id']} at {first['chrom']}:{first['pos']}, "
        f"alleles {first['effect_allele']} and {first['other_allele'] or '(not told)'}",
        remedy="Check that both have the same genome build, and chromosomes and ids named alike",
    )


def _table(
    read: Weights,
    keys: pd.DataFrame,
    sums: Sums,
    people: Sequence[str],
    folds: npt.NDArray[np.int64],
) -> pd.DataFrame:
    """Make a row a gene, model and person, each by the weights of that person's fold."""
    average = sums.average()
    offset = np.full(len(keys), np.nan)
    if len(read.models):
        named = read.models.set_index(_KEY)["intercept"]
        offset = named.reindex(pd.MultiIndex.from_frame(keys)).to_numpy(np.float64) - sums.expected
    parts = []
    for at, (gene, model, fold) in enumerate(keys.itertuples(index=False)):
        who = np.flatnonzero(folds == fold)
        if not len(who):
            continue
        parts.append(
            pd.DataFrame(
                {
                    "gene_id": gene,
                    "model": model,
                    "sample": [people[int(i)] for i in who],
                    "fold": fold,
                    "score": sums.total[at, who],
                    "average": average[at, who],
                    "prediction": sums.total[at, who] + offset[at],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _genes(keys: pd.DataFrame, sums: Sums, chosen: pd.DataFrame) -> pd.DataFrame:
    sizes = chosen.groupby(_KEY, sort=False).size()
    n_weights = sizes.reindex(pd.MultiIndex.from_frame(keys), fill_value=0).to_numpy(np.int64)
    table = keys.assign(n_weights=n_weights, n_used=sums.n_variants)
    # Folds of a model have weights of their own; their mean tells how many fitted.
    return table.groupby(["gene_id", "model"], sort=False, as_index=False)[
        ["n_weights", "n_used"]
    ].mean()


def _learned_from(read: Weights, people: Sequence[str]) -> int | None:
    if read.ledger is None:
        return None
    learned = {key for units in read.ledger.learned.values() for key in units.get("individual", ())}
    return sum(name in learned for name in people)


def _write(
    done: ScoredPeople,
    scores: pd.DataFrame,
    genes: pd.DataFrame,
    ledger: Ledger | None,
    weights: str | Path,
    genotypes: str | Path,
    palindromic: Palindromic,
    missing: MissingDosage,
) -> None:
    origin = describe_origin(
        [weights] if Path(weights).is_file() else [],
        weights=str(weights), genotypes=str(genotypes), palindromic=palindromic, missing=missing,
        leak=bool(done.leaks),
    )  # fmt: skip
    facts: dict[str, Any] = {**done._asdict(), "path": str(done.path)}
    with atomic_directory(done.path) as folder:
        scores.to_parquet(folder / SCORES, index=False)
        genes.to_parquet(folder / GENES, index=False)
        if ledger is not None:
            ledger.save(folder / LEDGER)
        for name, content in ((PROVENANCE, origin), (SUMMARY, facts)):
            (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
