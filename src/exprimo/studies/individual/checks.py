"""What can be refused before any sequence is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from exprimo.core.errors import ConfigError, InputError
from exprimo.core.run import Run
from exprimo.data.textfile import require_file
from exprimo.studies.individual.association.truth import HERITABILITY
from exprimo.studies.individual.config import IndividualStudy
from exprimo.studies.individual.truth import COMPONENTS, VARIANTS

ANSWER = "answer"
_NO_NAMES: Mapping[str, str] = MappingProxyType({})


def model_names(study: IndividualStudy) -> dict[str, str]:
    """Give the models by the name that they have in tables; the answering one comes first.

    Examples
    --------
    >>> from exprimo.studies.individual.config import Genes, Models, People
    >>> study = IndividualStudy(
    ...     people=People(genotypes="v.vcf.gz"),
    ...     genes=Genes(fasta="g.fa", genes="g.gtf"),
    ...     models=Models(answer="runs/cnn", beside={"untrained": "enformer:toy.safetensors"}),
    ... )
    >>> list(model_names(study))
    ['cnn', 'untrained']
    """
    name = Path(study.models.answer.partition(":")[0]).name or study.models.answer
    if name in study.models.beside:
        name = f"{name} ({ANSWER})"
    return {name: study.models.answer, **study.models.beside}


def located(study: IndividualStudy, home: Path) -> dict[str, str]:
    """Give the models as the study's folder sees them: paths relative to it are found."""
    return {name: _located(text, home) for name, text in model_names(study).items()}


def _located(text: str, home: Path) -> str:
    name, colon, given = text.partition(":")
    if colon and (home / given).exists():
        return f"{name}:{home / given}"
    if not colon and (home / text).exists():
        return str(home / text)
    return text


def check_study(study: IndividualStudy, home: Path) -> None:
    """Refuse files that are not there and names that mean nothing, before anything is written."""
    known = {ANSWER, *study.models.beside}
    for name in study.models.tracks:
        if name not in known:
            raise ConfigError(
                "tracks of a model that is not there",
                record="models.tracks",
                found=name,
                expected=", ".join(sorted(known)),
            )
    if study.genes.only and study.genes.which == "all":
        raise ConfigError(
            "genes are named, and all of them are asked for",
            record="genes.which",
            remedy="Leave out one of genes.only and genes.which",
        )
    require_file(home / study.genes.fasta, "a FASTA file")
    require_file(home / study.genes.genes, "an annotation")
    given = (study.people.samples, study.people.expression, study.people.covariates)
    for file in (*given, study.variants.file, study.association.motifs):
        if file is not None:
            require_file(home / file, "a file of the study")
    if study.people.covariates is not None and study.people.expression is None:
        raise ConfigError(
            "covariates are taken off expression, and there is none",
            record="people.covariates",
            remedy="Give people.expression, or leave the covariates out",
        )
    if study.truth is not None:
        for name in (VARIANTS, COMPONENTS, HERITABILITY):
            require_file(home / study.truth / name, "the truth of a simulated world with people")


def learned_genes(model: str) -> frozenset[str]:
    """Give the genes that a Run learned from; none for another model."""
    if not Path(model).is_dir():
        return frozenset()
    ledger = Run.open(Path(model)).ledger
    every = [units.get("gene", frozenset()) for units in ledger.learned.values()]
    return frozenset().union(*every)


def judged_genes(
    study: IndividualStudy, model: str, known: list[str], names: Mapping[str, str] = _NO_NAMES
) -> list[str]:
    """Choose the genes to judge, in the order of the annotation.

    Parameters
    ----------
    model
        The answering model.
    known
        Ids of the annotation.
    names
        Name -> id, for genes that are asked for by name.
    """
    if study.genes.only:
        ids = set(known)
        asked = [gene if gene in ids else names.get(gene, gene) for gene in study.genes.only]
        missing = [gene for gene in asked if gene not in ids]
        if missing:
            raise InputError(
                "no such gene in the annotation",
                file=study.genes.genes,
                found=", ".join(missing[:5]),
                expected=", ".join(known[:5]),
            )
        return list(dict.fromkeys(asked))
    learned = learned_genes(model) if study.genes.which == "held-out" else frozenset()
    kept = [gene for gene in known if gene not in learned]
    if not kept:
        raise InputError(
            "the model learned from every gene of the annotation",
            file=model,
            remedy='Judge it on genes that it learned from too: genes.which = "all"',
        )
    return kept
