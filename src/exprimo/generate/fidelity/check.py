"""``exprimo generate check``: what generated sequences are worth, and whether they are copies."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from exprimo.core.dataset.generated import stamp_verdict
from exprimo.core.errors import ConfigError
from exprimo.core.files.atomic import atomic_directory, atomic_file, refuse_existing
from exprimo.core.files.provenance import describe_origin
from exprimo.core.run import write_json
from exprimo.core.sequence import Codes
from exprimo.data.motifs import read_motifs
from exprimo.evaluate import bootstrap
from exprimo.generate.fidelity.cautions import GENERATED, REAL, cautions
from exprimo.generate.fidelity.comparing import Compared, Judges, compare
from exprimo.generate.fidelity.material import Material, Named, copies_of, gather_material
from exprimo.generate.fidelity.measures import variety_of
from exprimo.generate.fidelity.memorisation import Gate, judge, nearest_training
from exprimo.generate.fidelity.memorisation.gate import Evidence
from exprimo.generate.fidelity.models import embedding_of, oracle_of
from exprimo.generate.reference import fit_rivals

CHECK_FORMAT = 1
_RIVAL_QUERIES = 100
_BOOT = 1000


class Checked(NamedTuple):
    """What a check found.

    Attributes
    ----------
    path
        The folder: ``check.json``, ``measures.tsv``, ``neighbours.tsv``, ``positions.tsv``, and
        ``motifs.tsv`` where motifs were given.
    stamped
        Where the verdict was written besides: the sample itself, or a file beside a FASTA.
    verdict, reasons
        ``passed`` or ``failed``, and why it failed.
    gate
        Figures behind the verdict.
    measures
        measure, set, value, low, high, n, draws.
    asked
        Rank correlation of what was asked and what the oracle predicts; None without either.
    notes
        What a reader must know beside the verdict: a set that is no nearer to held-out sequences
        than shuffles are, and measures that cannot judge here.
    """

    path: Path
    stamped: Path
    verdict: str
    reasons: tuple[str, ...]
    gate: dict[str, dict[str, Any]]
    measures: pd.DataFrame
    asked: dict[str, Any] | None
    notes: tuple[str, ...] = ()


def generate_check(
    sample: str | Path,
    dataset: str | Path,
    out: str | Path,
    *,
    generator: str | Path | None = None,
    like: str | Path | None = None,
    split: str | None = None,
    motifs: str | Path | None = None,
    pvalue: float = 1e-4,
    model: str | Path | None = None,
    oracle: str | Path | None = None,
    draws: int = 5,
    most: int = 5000,
    queries: int = 1000,
    seed: int = 0,
    device: str = "auto",
    threads: int | None = None,
) -> Checked:
    """Measure generated sequences beside held-out real ones and rivals, and look for copies.

    Every measure compares a set with one half of the held-out sequences, at equal n; the other
    half is the floor. The verdict is about copies, near copies and collapse alone, and is written
    into the sample.

    Parameters
    ----------
    sample
        A dataset made by `generate_sample`, or a FASTA.
    dataset
        What the generator was fitted on.
    out
        A new folder.
    generator, like, split
        What says which sequences were held out: the generator's folder, a Run of the same split,
        or a split as `train` makes it. Unset: the generator that the sample names.
    motifs, pvalue
        A MEME file of known motifs, and what makes a window a site; see
        `exprimo.features.motifs.scan`.
    model
        A Run of a network: the two-sample test is made in what its last layer reads.
    oracle
        A Run that learned from other examples: it predicts the activity of all sets.
    draws
        Repeats, each with other halves and other draws of the rivals.
    most
        Sequences per set and draw, at most.
    queries
        Sequences whose nearest training sequence is looked for, at most.
    seed
        Of everything that is drawn.

    Examples
    --------
    >>> import exprimo
    >>> exprimo.generate_check("S.h5", "D.h5", "CHECK").verdict            # doctest: +SKIP
    'passed'
    """
    _refuse_settings(generator, like, split, draws, most, queries)
    refuse_existing(out)
    named = Named(_path(generator), _path(like), split, 0)
    material = gather_material(sample, dataset, named)
    length = material.sample.codes.shape[1]
    judges = Judges(read_motifs(motifs) if motifs else (), pvalue)
    if model is not None:
        judges = judges._replace(embedding=embedding_of(model, length, device, threads))
    if oracle is not None:
        reader, unseen = oracle_of(oracle, material, device, threads)
        judges = judges._replace(oracle=reader, unseen=unseen)
    gate, neighbours = check_gate(material, queries=queries, seed=seed)
    compared = compare(material, judges, draws=draws, most=most, seed=seed)
    asked = _asked(material, judges, seed)
    settings = {"draws": draws, "most": most, "queries": queries, "seed": seed, "pvalue": pvalue}
    facts = _facts(material, gate, compared, asked, settings)
    sources = [sample, dataset, *([motifs] if motifs else [])]
    origin = describe_origin([Path(one) for one in sources])
    with atomic_directory(out) as folder:
        write_json(folder / "check.json", {**facts, "provenance": origin})
        _write_tables(folder, compared, neighbours)
        # Before the folder is whole: should this fail, the same command can be given again.
        stamped = _stamp(material, gate.verdict, facts)
    return Checked(
        Path(out),
        stamped,
        gate.verdict,
        gate.reasons,
        gate.figures,
        compared.measures,
        asked,
        tuple(facts["notes"]),
    )


def check_gate(material: Material, *, queries: int, seed: int) -> tuple[Gate, pd.DataFrame]:
    """Judge copies, near copies and collapse; give the neighbours of each set too.

    Of both sets equally many sequences are drawn for what is compared pair by pair.
    """
    rng = np.random.default_rng([seed, 2])
    generated, real = material.sample.codes, material.held_out
    n = min(len(generated), len(real))
    some = {GENERATED: _some(generated, min(queries, n), rng), REAL: _some(real, queries, rng)}
    for name, make in fit_rivals(material.alike).items():
        some[name] = make(min(queries, _RIVAL_QUERIES), rng)
    # One search for all sets, since counting the words of training sequences takes longest.
    found = nearest_training(np.concatenate(list(some.values())), material.training)
    names = np.repeat(list(some), [len(codes) for codes in some.values()])
    columns = {"set": names, "edits": found.distance, "proven_nearest": found.proven}
    evidence = {}
    for name, whole in ((GENERATED, generated), (REAL, real)):
        evidence[name] = Evidence(
            copies_of(whole, material.training),
            len(whole),
            found.distance[names == name],
            variety_of(_some(whole, n, rng)),
        )
    return judge(evidence[GENERATED], evidence[REAL]), pd.DataFrame(columns)


def _some(codes: Codes, n: int, rng: np.random.Generator) -> Codes:
    chosen = rng.choice(len(codes), min(n, len(codes)), replace=False)
    return np.ascontiguousarray(codes[chosen])


def _asked(material: Material, judges: Judges, seed: int) -> dict[str, Any] | None:
    """Correlate what was asked of each sequence with what the oracle predicts, in ranks."""
    read = material.sample
    if judges.oracle is None or read.asked is None or read.target is None:
        return None
    if read.target.kind != "regression" or np.ptp(read.asked) == 0:
        return None
    found = {GENERATED: (read.asked, read.codes)}
    if material.held_values is not None and judges.unseen is not None:
        found[REAL] = (material.held_values[judges.unseen], material.held_out[judges.unseen])
    result: dict[str, Any] = {"target": read.target.name}
    rng = np.random.default_rng([seed, 3])
    for name, (values, codes) in found.items():
        rows = np.sort(rng.choice(len(codes), min(len(codes), 2000), replace=False))
        predicted = judges.oracle(codes[rows])[:, 0]
        estimate = bootstrap(values[rows], predicted, None, ["spearman"], n_boot=_BOOT, seed=seed)
        result[name] = estimate["spearman"]._asdict()
    return result


def _facts(
    material: Material,
    gate: Gate,
    compared: Compared,
    asked: dict[str, Any] | None,
    settings: dict[str, Any],
) -> dict[str, Any]:
    """Collect what check.json and the sample's stamp say."""
    groups = len(np.unique(material.held_group))
    facts: dict[str, Any] = _plain(
        {
            "format_version": CHECK_FORMAT,
            "verdict": gate.verdict,
            "reasons": list(gate.reasons),
            "notes": cautions(compared.measures, len(material.held_out), groups),
            "gate": gate.figures,
            "asked": asked,
            "compared": {
                "generated": len(material.sample.codes),
                "training": len(material.training),
                "held_out": len(material.held_out),
                "held_out_groups": groups,
                **material.told,
            },
            "settings": settings,
            "measures": _headline(compared),
        }
    )
    return facts


def _headline(compared: Compared) -> dict[str, dict[str, Any]]:
    """Give each measure's value of each set."""
    table = compared.measures
    return {
        str(measure): {
            str(row.set): {"value": row.value, "low": row.low, "high": row.high, "n": row.n}
            for row in part.itertuples()
        }
        for measure, part in table.groupby("measure", sort=False)
    }


def _write_tables(folder: Path, compared: Compared, neighbours: pd.DataFrame) -> None:
    tables = {
        "measures": compared.measures,
        "positions": compared.positions,
        "neighbours": neighbours,
        "motifs": compared.motifs,
    }
    for name, table in tables.items():
        if len(table):
            with atomic_file(folder / f"{name}.tsv") as partial:
                table.to_csv(partial, sep="\t", index=False, float_format="%.6g")


def _stamp(material: Material, verdict: str, facts: dict[str, Any]) -> Path:
    path = material.sample.path
    if not material.sample.is_fasta:
        stamp_verdict(path, verdict, facts)
        return path
    stem = path.name.removesuffix(".gz").removesuffix(".fa").removesuffix(".fasta")
    beside = path.with_name(f"{stem}.check.json")
    write_json(beside, facts)
    return beside


def _plain(facts: Any) -> Any:
    """Make NumPy's numbers plain; what is not finite becomes None, as in all our JSON."""
    if isinstance(facts, dict):
        return {str(name): _plain(value) for name, value in facts.items()}
    if isinstance(facts, list | tuple):
        return [_plain(value) for value in facts]
    if isinstance(facts, np.generic):
        return _plain(facts.item())
    if isinstance(facts, float) and not np.isfinite(facts):
        return None
    return facts


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)


def _refuse_settings(
    generator: object, like: object, split: object, draws: int, most: int, queries: int
) -> None:
    given = {"generator": generator, "like": like, "split": split}
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise ConfigError("name the split once", found=", ".join(named), expected="one of them")
    for name, value, least in (("draws", draws, 1), ("most", most, 50), ("queries", queries, 50)):
        if value < least:
            raise ConfigError("too few", record=name, found=value, expected=f"{least} or more")
