"""Commands of whole studies: demo, simulate, init, run, check, report."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from exprimo.cli.output import between, number, say, table, with_interval
from exprimo.cli.progress import bars

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Size = Annotated[Literal["small", "large"], typer.Option(help="5,000 or 20,000 genes.")]
_FAILED = 2
_WIDEST = 100
# As in studies.commands.TEMPLATES, which would import torch for the sake of a line of help.
STUDY_KINDS = ("sequence", "differential-promoter", "promoter-halflife", "chromatin", "individual")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("demo", epilog="Example: exprimo demo -o demo")(_demo)
    app.command("simulate", epilog="Example: exprimo simulate world --seed 1")(_simulate)
    app.command("init", epilog="Example: exprimo init sequence -o study.toml")(_init)
    app.command("run", epilog="Example: exprimo run study.toml --set benchmark.seeds=3 --resume")(
        _run
    )
    app.command("check", epilog="Example: exprimo check genome.fa genes.gtf counts.tsv")(_check)
    app.command("report", epilog="Example: exprimo report RUN STUDY -o report.html")(_report)


def _demo(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Seed of the world.")] = 0,
    size: Size = "small",
    as_json: Json = False,
) -> None:
    """Simulate worlds with known answers and take them to reports (a few minutes)."""
    import exprimo

    with bars():
        done = exprimo.demo(out, seed=seed, size=size)
    if not as_json:
        say([*_headline_table(done.expression), ""], {}, as_json=False)
        say_study(done.differential, as_json=False)
        say([""], {}, as_json=False)
        say_study(done.halflife, as_json=False)
        say([""], {}, as_json=False)
        say_study(done.chromatin, as_json=False)
        say([""], {}, as_json=False)
        say_individuals(done.individual, as_json=False)
        say(["", f"All five studies on one page: {done.report}"], {}, as_json=False)
        return
    facts = {
        "path": done.path,
        "report": done.report,
        "expression": _benchmark_facts(done.expression),
        "differential": _study_facts(done.differential),
        "halflife": _study_facts(done.halflife),
        "chromatin": _study_facts(done.chromatin),
        "individual": _individual_facts(done.individual),
    }
    say([], facts, as_json=True)


def _simulate(
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    seed: Annotated[int, typer.Option(help="Equal seeds give equal bytes.")] = 0,
    size: Size = "small",
    cells: Annotated[
        int, typer.Option(help="Number of cell types with histone marks; 0: none.")
    ] = 0,
    people: Annotated[
        int, typer.Option(help="Number of people with genotypes and expression; 0: none.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Write a known-truth world: genome, genes, expression, half-lives, read counts, the truth."""
    import exprimo

    with bars():
        world = exprimo.simulate(out, seed=seed, size=size, cells=cells, people=people)
    facts = {name: value for name, value in world._asdict().items() if value is not None}
    lines = [f"Wrote a {size} world to {out} (seed {seed})"]
    lines += [f"  {name}: {_short(value)}" for name, value in facts.items() if name != "path"]
    say(lines, facts, as_json=as_json)


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_short(v)}" for k, v in value.items())
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _init(
    kind: Annotated[str, typer.Argument(help=f"Kind of study: {', '.join(STUDY_KINDS)}.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write.")] = Path("study.toml"),
    as_json: Json = False,
) -> None:
    """Write a commented study file to fill in."""
    import exprimo

    path = exprimo.init(kind, out)
    lines = [f"Wrote {path}. Fill in your files, then: exprimo run {path}"]
    say(lines, {"path": path}, as_json=as_json)


def _run(
    study: Annotated[Path, typer.Argument(help="A study file, or the config.toml of a run.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder to write.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="key.sub=value over the file; repeatable.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Keep what is finished.")] = False,
    as_json: Json = False,
) -> None:
    """Run a study from its files to its report."""
    import exprimo

    with bars():
        done = exprimo.run(study, out=out, overrides=overrides or (), resume=resume)
    if isinstance(done, exprimo.Run):
        say_run(done, as_json=as_json)
    elif hasattr(done, "benchmark"):
        say_study(done, as_json=as_json)
    elif hasattr(done, "facts"):
        say_individuals(done, as_json=as_json)
    else:
        say_benchmark(done, as_json=as_json)


def _check(
    files: Annotated[list[Path], typer.Argument(help="Files or folders of any kind.")],
    as_json: Json = False,
) -> None:
    """Say what each file is and what is wrong with it; exit 2 if anything is."""
    import exprimo

    with bars():
        reports = exprimo.check(files)
    lines = []
    for report in reports:
        lines.append(f"{report.path}: {report.kind}{'' if report.ok else ', NOT OK'}")
        lines += [f"  {name}: {value}" for name, value in report.facts.items()]
        lines += [f"  problem: {problem}" for problem in report.problems]
    facts = {
        "files": [
            {"path": r.path, "kind": r.kind, "ok": r.ok, "facts": r.facts, "problems": r.problems}
            for r in reports
        ]
    }
    say(lines, facts, as_json=as_json)
    if not all(report.ok for report in reports):
        raise typer.Exit(_FAILED)


def _report(
    sources: Annotated[
        list[Path], typer.Argument(help="Folders of runs, benchmarks, studies or explanations.")
    ],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="HTML file to write.")] = None,
    as_json: Json = False,
) -> None:
    """Write a report anew, or one of several studies: one file that needs no network."""
    import exprimo

    path = exprimo.report(sources[0] if len(sources) == 1 else sources, out)
    say([f"Wrote {path}"], {"path": path}, as_json=as_json)


def say_run(run: Any, *, as_json: bool) -> None:
    """Print a Run's headline."""
    metrics = run.metrics
    headline = metrics["headline"]
    estimate = metrics["parts"]["test"][headline]
    lines = [
        f"Wrote {run.path}",
        f"  {metrics['model']}, test: {with_interval(headline, estimate)}",
        f"  report: {run.path / 'report.html'}",
    ]
    if metrics["leaks"]:
        lines.append("  LEAK: judged on what it learned from (--allow-leak)")
    warnings = _warnings(run.path)
    lines += [f"  {line}" for line in warnings]
    say(lines, {"path": run.path, **metrics, "warnings": warnings}, as_json=as_json)


def _warnings(folder: Path) -> list[str]:
    from exprimo.report.runs.validity import validity_lines

    return validity_lines(folder)


def say_study(done: Any, *, as_json: bool) -> None:
    """Print the verdict of a study and the table of its main benchmark."""
    judged = done.facts["verdict"]
    lines = [
        *_headline_table(done.benchmark),
        "",
        judged["text"],
        *_warnings(done.benchmark.path),
        "",
        f"Wrote {done.path}",
        f"  report: {done.report}",
    ]
    say(lines, _study_facts(done), as_json=as_json)


def say_individuals(done: Any, *, as_json: bool) -> None:
    """Print the verdict of a study of individuals."""
    told = [done.facts["verdict"]["text"], *done.told]
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    lines = [line for text in told for line in (*textwrap.wrap(text, width), "")]
    lines += [f"Wrote {done.path}", f"  report: {done.report}"]
    say(lines, _individual_facts(done), as_json=as_json)


def _individual_facts(done: Any) -> dict[str, Any]:
    facts = {key: done.facts[key] for key in ("verdict", "models", "n_genes", "n_people")}
    return {"path": done.path, "report": done.report, **facts, "association": list(done.told)}


def _study_facts(done: Any) -> dict[str, Any]:
    return {
        **_benchmark_facts(done.benchmark),
        "path": done.path,
        "report": done.report,
        "verdict": done.facts["verdict"],
        "truth": done.facts.get("truth"),
    }


def _benchmark_facts(done: Any) -> dict[str, Any]:
    return {
        "path": done.path,
        "report": done.report,
        "headline": done.headline,
        "warnings": _warnings(done.path),
        "scores": done.scores.to_dict("records"),
        "paired": done.paired.to_dict("records"),
    }


def _headline_table(done: Any) -> list[str]:
    scores = done.scores[done.scores["metric"] == done.headline]
    rows = [
        [row.model, row.split, number(row.value), between(row.low, row.high)]
        for row in scores.itertuples()
    ]
    return table(rows, ["model", "split", done.headline, "95% interval"])


def say_benchmark(done: Any, *, as_json: bool) -> None:
    """Print a benchmark's table of the headline metric."""
    lines = [
        *_headline_table(done),
        "",
        *_warnings(done.path),
        f"Wrote {done.path}",
        f"  report: {done.report}",
    ]
    say(lines, _benchmark_facts(done), as_json=as_json)
