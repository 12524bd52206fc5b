"""Fixtures that every test may use, and the rule that CI skips nothing silently."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import write_dataset
from exprimo.core.sequence import encode

ALLOWED_SKIPS = Path(__file__).with_name("allowed_skips.txt")


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of real data, or a skip that says where it was looked for."""
    named = os.environ.get("EXPRIMO_REALDATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "realdata"
    if not folder.is_dir():
        pytest.skip("real data absent: set EXPRIMO_REALDATA, or put it at ../shared/realdata")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a headless browser, or a skip."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no Chromium on this machine: install Debian's package chromium")
    return found


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail in CI on a skip whose reason is not on the committed list."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or os.environ.get("CI") != "true" or hasattr(session.config, "workerinput"):
        return
    allowed = [
        line.strip()
        for line in ALLOWED_SKIPS.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]
    for report in reporter.stats.get("skipped", []):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if not any(part in reason for part in allowed):
            reporter.write_line(f"CI: this skip is not on the list: {report.nodeid}: {reason}")
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Let two test workers share two cores: two teams on them spin against each other."""
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    threadpool_limits(1, user_api="blas")
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of 600 sequences of 120 bp in which one motif adds 2 to ``y``.

    Targets: ``y`` (numbers) and ``high`` (1 where the motif stands). Five chromosomes; the last
    60 examples are copies of the first 60 with a tenth of the bases changed.
    """
    rng = np.random.default_rng(11)
    n, copies, length = 600, 60, 120
    codes = rng.integers(0, 4, (n, length)).astype(np.uint8)
    motif = encode("TGACTCAT")
    with_motif = rng.random(n) < 0.5
    for row in np.flatnonzero(with_motif):
        at = rng.integers(0, length - len(motif))
        codes[row, at : at + len(motif)] = motif
    changed = rng.random((copies, length)) < 0.1
    codes[-copies:] = np.where(changed, rng.integers(0, 4, (copies, length)), codes[:copies])
    with_motif[-copies:] = with_motif[:copies]
    path = tmp_path_factory.mktemp("planted") / "planted.h5"
    with write_dataset(path, {"made": "for tests"}) as out:
        out.examples(
            pd.DataFrame(
                {
                    "example_id": [f"e{i}" for i in range(n)],
                    "gene_id": [f"g{i}" for i in range(n)],
                    "chrom": [f"chr{i % 5 + 1}" for i in range(n)],
                }
            )
        )
        out.input("sequence", [codes])
        out.target("y", 2 * with_motif + rng.normal(0, 0.4, n), kind="regression", units="log2")
        out.target("high", with_motif.astype(float), kind="classification")
    return path
