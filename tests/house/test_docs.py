"""What the documentation shows can be typed: commands, options, Python, TOML."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.main import get_command

import exprimo
from exprimo.cli.main import app

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "exprimo"
PAGES = sorted(
    p
    for p in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        *(ROOT / "docs").rglob("*.md"),
    ]
    if p.exists()
)

# A block in another language fails, so that none goes unchecked by accident.
UNCHECKED = {"text", "mermaid", "html", "tsv", "make"}
SHELLS = {"console", "bash", "sh", "shell"}
# Other programs that a reader may be told to run.
PROGRAMS = {"make", "git", "pip", "python", "python3", "cd", "curl", "head", "zcat", "cat", "ls"}
PROGRAMS |= {"apt-get", "sudo", "export", "source", "mkdir", "uv", "pytest", "ruff", "mypy"}
PROGRAMS |= {"lint-imports", "docker", "kill", "open", "xdg-open", "tar", "gunzip", "sha256sum"}


class Block(NamedTuple):
    """A fenced block; ``line`` is that of its fence."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def _blocks(page: Path) -> list[Block]:
    found, opened, inside = [], None, list[str]()
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if not line.lstrip().startswith("```"):
            inside.append(line)
        elif opened is None:
            opened, inside = (number, line.strip().removeprefix("```").strip()), []
        else:
            found.append(Block(page, *opened, "\n".join(inside)))
            opened = None
    assert opened is None, f"{page.name}: a block is never closed"
    return found


BLOCKS = [block for page in PAGES for block in _blocks(page)]


def _commands(block: Block) -> list[list[str]]:
    """Split a shell block into simple commands of words; console output is left out."""
    joined = block.text.replace("\\\n", " ")
    lines = [line.strip() for line in joined.splitlines()]
    if block.language == "console":
        lines = [line[2:] for line in lines if line.startswith("$ ")]
        assert lines, f"{block}: a console block without a line that starts with $"
    found: list[list[str]] = []
    for line in lines:
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set(";&|"):
                while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                    words.pop(0)
                found += [words] if words else []
                words = []
            else:
                words.append(word)
    return found


def _leaf(words: list[str]) -> tuple[Any, list[str]]:
    """Follow the words to a command; give it with the words that are left."""
    command: Any = get_command(app)
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        assert words[0] in command.commands, f"no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    return command, words


def _check_exprimo(words: list[str]) -> None:
    """Parse a command line as the program would, without running it."""
    words = [word for word in words if word != "--debug"]
    redirected = next((i for i, word in enumerate(words) if word in (">", "2>", ">>")), len(words))
    command, left = _leaf(words[:redirected])
    if {"-h", "--help", "--version"} & set(left):
        return
    assert not hasattr(command, "commands"), f"no command is named: {' '.join(words)}"
    with command.make_context(command.name, list(left)):
        pass


def _check_command(words: list[str]) -> None:
    program = words[0].removeprefix(".venv/bin/")
    if program == "exprimo":
        _check_exprimo(words[1:])
        return
    assert program in PROGRAMS or program.startswith("./"), f"unknown program {program}"
    if program == "make":
        rules = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
        for target in words[1:]:
            assert "=" in target or target.startswith("-") or target in rules, f"no rule {target}"


def test_there_are_pages() -> None:
    assert PAGES


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_each_block_can_be_typed(block: Block) -> None:
    language = block.language.split()[0] if block.language else ""
    if language in SHELLS:
        for words in _commands(block):
            _check_command(words)
    elif language in ("python", "pycon"):
        _check_python(block.text, _made_up(block.page))
    elif language == "diff":
        _check_diff(block.text)
    elif language == "toml":
        tomllib.loads(block.text)
    elif language == "json":
        ast.literal_eval(block.text.replace("null", "None"))
    else:
        assert language in UNCHECKED, f"{block}: say which language this is: {language!r}"


def _check_python(text: str, made_up: set[str]) -> None:
    """Compile a block, and look up every name of exprimo that it uses."""
    if ">>>" in text:
        lines = [
            line.lstrip()[4:] for line in text.splitlines() if re.match(r"\s*(>>>|\.\.\.)", line)
        ]
        text = "\n".join(lines)
    tree = ast.parse(text)
    compile(tree, "block", "exec")
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "exprimo"
        ):
            assert node.attr in made_up or hasattr(exprimo, node.attr), f"no exprimo.{node.attr}"
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "exprimo":
            if (node.module or "").split(".")[-1] in made_up:
                continue
            module = import_module(node.module or "")
            for alias in node.names:
                assert hasattr(module, alias.name), f"no {node.module}.{alias.name}"


def _made_up(page: Path) -> set[str]:
    """Name what a guide adds to the package as its example: new modules, and keys in diffs."""
    if not page.name.startswith("adding-"):
        return set()
    text = page.read_text(encoding="utf-8")
    paths = re.findall(r"\bsrc/exprimo/[\w/]+\.py\b", text)
    new = {Path(path).stem for path in paths if not (ROOT / path).exists()}
    return new | set(re.findall(r"^\+\s+\"(\w+)\"", text, flags=re.MULTILINE))


def _check_diff(text: str) -> None:
    """Look for the lines that a diff removes or leaves in the source as it is."""
    source = {
        line.strip()
        for path in [*SOURCE.rglob("*.py"), *SOURCE.rglob("*.pyi")]
        for line in path.read_text(encoding="utf-8").splitlines()
    }
    for line in text.splitlines():
        if line.strip() and not line.startswith(("+", "@@")):
            assert line[1:].strip() in source, f"no such line in the source: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_named_in_the_text_exist(page: Path) -> None:
    text = re.sub(r"^\s*```.*?^\s*```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for span in re.findall(r"`exprimo ([^`]+)`", text):
        if span.split()[0] not in _made_up(page):
            _check_named(span)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def _check_named(span: str) -> None:
    words = [word.strip("[],.…") for word in span.split()]
    command, left = _leaf([word for word in words if word] if words[0].islower() else [])
    known = {name for p in command.params for name in [*p.opts, *p.secondary_opts]}
    for word in left:
        if re.match(r"--?[a-z]", word):
            assert word.split("=")[0] in known | {"-h", "--help", "--debug"}, f"{span}: {word}"


def _all_commands(command: Any, name: str = "") -> list[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        return [(name, command)]
    return [
        found
        for inner, child in command.commands.items()
        for found in _all_commands(child, f"{name} {inner}".strip())
    ]


@pytest.mark.parametrize(
    ("name", "command"), [pytest.param(*c, id=c[0]) for c in _all_commands(get_command(app))]
)
def test_the_help_of_each_command_shows_an_example_that_parses(name: str, command: Any) -> None:
    epilog = command.epilog or ""
    assert epilog.startswith("Example: exprimo "), f"{name}: {epilog!r}"
    words = shlex.split(epilog.removeprefix("Example: exprimo "))
    assert words[: len(name.split())] == name.split()
    _check_exprimo(words)
    assert command.help
    for parameter in command.params:
        if parameter.name != "help":
            assert getattr(parameter, "help", None), f"{name}: {parameter.name} has no help"


def test_commands_in_messages_exist() -> None:
    wrong = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for span in re.findall(r"(?:with: |``)exprimo ([a-z][^`\n]*)", node.value):
                    for choice in _choices(span):
                        try:
                            _check_named(choice)
                        except AssertionError as error:
                            wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {error}")
    assert wrong == []


def _choices(span: str) -> list[str]:
    """Write ``dataset promoters|table ...`` out as one command each."""
    either = re.search(r"\b[a-z]+(?:\|[a-z]+)+\b", span)
    if either is None:
        return [span]
    return [span.replace(either.group(), one) for one in either.group().split("|")]


@pytest.mark.parametrize(
    "line",
    [
        "exprimo tran D.h5 -o RUN",
        "exprimo train D.h5 --modle cnn -o RUN",
        "exprimo train D.h5",
        "exprimo dataset table",
        "make everything",
        "rm -rf demo",
        "exprimo demo && exprimo train",
    ],
)
def test_a_wrong_command_would_be_seen(line: str) -> None:
    block = Block(ROOT / "README.md", 1, "bash", line)

    def check() -> None:
        for words in _commands(block):
            _check_command(words)

    with pytest.raises(Exception, match=r"no command|unknown program|no rule|No such|Missing"):
        check()


def test_a_right_command_passes() -> None:
    text = "$ EXPRIMO_CACHE=x exprimo train D.h5 --model cnn \\\n    -o RUN && make test\nWrote RUN"
    block = Block(ROOT / "README.md", 1, "console", text)
    assert [words[0] for words in _commands(block)] == ["exprimo", "make"]
    for words in _commands(block):
        _check_command(words)
