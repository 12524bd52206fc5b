"""The house's own rules: sizes, names, reasons, and what is never written."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import tokenize
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "exprimo"
MODULES = sorted(SOURCE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
SCRIPTS = sorted((ROOT / "benchmarks").rglob("*.py"))
ALL = [*MODULES, *TESTS, *SCRIPTS]

FILE_LINES = 400
FUNCTION_LINES = 60
INIT_LINES = 40
TOP_INIT_LINES = 100  # it holds the lazy exports
FOLDER_FILES = 12
BANNED_NAMES = {"utils", "util", "helpers", "helper", "misc", "common"}
SILENCERS = re.compile(r"type:\s*ignore|noqa|pragma:\s*no cover|no cover")


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _without_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def test_there_is_something_to_check() -> None:
    assert len(MODULES) > 80
    assert len(TESTS) > 40


def test_files_end_before_400_lines() -> None:
    lengths = {_shown(p): len(p.read_text(encoding="utf-8").splitlines()) for p in ALL}
    assert {name: n for name, n in lengths.items() if n >= FILE_LINES} == {}


def test_functions_end_before_60_lines() -> None:
    long = {
        f"{_shown(path)}:{node.name}": _without_docstring(node)
        for path in ALL
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and _without_docstring(node) >= FUNCTION_LINES
    }
    assert long == {}


def test_inits_only_re_export() -> None:
    wrong = []
    for path in MODULES:
        if path.name != "__init__.py":
            continue
        top = path.parent == SOURCE
        if len(path.read_text(encoding="utf-8").splitlines()) >= (
            TOP_INIT_LINES if top else INIT_LINES
        ):
            wrong.append(f"{_shown(path)}: too long")
        if not top and not all(_re_exports(node) for node in _tree(path).body):
            wrong.append(f"{_shown(path)}: does more than re-export")
    assert wrong == []


def _re_exports(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)  # its docstring
    if isinstance(node, ast.Assign):
        return [getattr(target, "id", "") for target in node.targets] == ["__all__"]
    return isinstance(node, ast.Import | ast.ImportFrom)


def test_folders_hold_at_most_12_files() -> None:
    counts = Counter(p.parent for p in MODULES if p.name != "__init__.py")
    assert {_shown(f): n for f, n in counts.items() if n > FOLDER_FILES} == {}


def test_nothing_is_named_after_nothing() -> None:
    named = [
        _shown(path)
        for path in ALL
        if BANNED_NAMES & {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}
    ]
    assert named == []


def test_what_is_silenced_has_a_reason_on_its_line() -> None:
    bare = []
    for path in ALL:
        with tokenize.open(path) as handle:
            comments = [
                t for t in tokenize.generate_tokens(handle.readline) if t.type == tokenize.COMMENT
            ]
        for comment in comments:
            if SILENCERS.search(comment.string) and not _has_reason(comment.string):
                bare.append(f"{_shown(path)}:{comment.start[0]}: {comment.string}")
    contract = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    bare += [f"pyproject.toml: {x}" for x in contract.splitlines() if _ignored_import(x)]
    assert bare == []


def _has_reason(comment: str) -> bool:
    rest = re.sub(
        r"#\s*(type:\s*ignore|noqa|pragma:\s*no cover)(\[[^]]*\]|:\s*[A-Z0-9, ]+)?", "", comment
    )
    return re.search(r"[A-Za-z]{3,}", rest) is not None


def _ignored_import(line: str) -> bool:
    return "ignore_imports" in line and "#" not in line


@pytest.mark.parametrize(
    ("comment", "has"),
    [
        ("# type: ignore[arg-type]", False),
        ("# noqa: N801, E501", False),
        ("# type: ignore", False),
        ("# type: ignore[arg-type]  # h5py has no stubs", True),
        ("# noqa: N801 -- used like a function", True),
    ],
)
def test_a_reason_is_told_from_a_code(comment: str, has: bool) -> None:
    assert _has_reason(comment) is has


def _calls(tree: ast.Module) -> list[tuple[str, ast.Call]]:
    return [(ast.unparse(n.func), n) for n in ast.walk(tree) if isinstance(n, ast.Call)]


def _keyword(call: ast.Call, name: str) -> object:
    for keyword in call.keywords:
        if keyword.arg == name and isinstance(keyword.value, ast.Constant):
            return keyword.value.value
    return None


def _dangers(tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        found += [
            f"{node.lineno}: import {name}"
            for name in names
            if name.split(".")[0]
            in {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve"}
        ]
    for name, call in _calls(tree):
        last = name.split(".")[-1]
        wrong = (
            name in {"eval", "exec", "os.system", "os.popen"}
            or last in {"extractall", "read_pickle", "to_pickle"}
            or (name == "torch.load" and _keyword(call, "weights_only") is not True)
            or _keyword(call, "shell") is True
            or _keyword(call, "allow_pickle") is True
        )
        if wrong:
            found.append(f"{call.lineno}: {name}")
    return found


def test_nothing_dangerous_is_called() -> None:
    found = [f"{_shown(path)}:{danger}" for path in MODULES for danger in _dangers(_tree(path))]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "eval('1')",
        "subprocess.run('ls', shell=True)",
        "np.load(f, allow_pickle=True)",
        "torch.load(f)",
        "archive.extractall(folder)",
        "pd.read_pickle(f)",
    ],
)
def test_each_danger_would_be_seen(code: str) -> None:
    assert _dangers(ast.parse(code))
    assert not _dangers(ast.parse("model.eval(); torch.load(f, weights_only=True); np.load(f)"))


def test_the_library_neither_prints_nor_exits() -> None:
    found = [
        f"{_shown(path)}:{call.lineno}: {name}"
        for path in MODULES
        if "cli" not in path.parts
        for name, call in _calls(_tree(path))
        if name in {"print", "exit", "quit", "sys.exit", "os._exit"}
    ]
    assert found == []


def test_no_error_is_swallowed() -> None:
    found = [
        f"{_shown(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or (
                ast.unparse(node.type) in {"Exception", "BaseException"}
                and all(isinstance(inner, ast.Pass) for inner in node.body)
            )
        )
    ]
    assert found == []


def test_nothing_is_left_to_do() -> None:
    # Written in pieces, so that this file does not hold what it looks for.
    marks = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error"]))
    found = [
        f"{_shown(path)}:{number}: {line.strip()}"
        for path in ALL
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert found == []


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:  # an unpacked archive has no history
        return [*ALL, *ROOT.glob("*.*"), *(ROOT / "docs").rglob("*.md")]
    names = listed.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


# Written in pieces, so that this file does not hold what it looks for.
PRIVATE = re.compile(
    rb"/(?:work|home|root|Users)/[a-z]|/tmp/[a-z]|"
    rb"(?:pkgs|pypi|registry|artifactory|nexus|proxy)[\w.-]*\.(?:internal|local|corp|lan)\b|"
    rb"\b(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3}:\d+"
)


def test_no_machine_is_named() -> None:
    found = [
        f"{_shown(path)}: {match.group().decode()}"
        for path in _tracked()
        if path != Path(__file__)
        for match in PRIVATE.finditer(path.read_bytes())
    ]
    assert found == []
