"""Full disks, killed writers and two writers at once leave whole datasets or none."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import LockedError
from exprimo.core.files.atomic import partial_path

WRITE = """
    import resource, signal, sys
    import numpy as np, pandas as pd
    from exprimo.core.dataset import write_dataset
    from exprimo.core.errors import ExprimoError

    def chunks(pause):
        rng = np.random.default_rng(0)
        for number in range(10):
            yield rng.integers(0, 4, (200, 100), np.uint8)
            if pause and number == 5:
                print("writing", flush=True)
                sys.stdin.readline()

    def write(path, pause):
        with write_dataset(path, {}) as out:
            out.examples(pd.DataFrame({"example_id": np.arange(2000).astype(str)}))
            if pause:
                print("started", flush=True)
                sys.stdin.readline()
            out.input("sequence", chunks(pause))
            out.target("y", np.arange(2000), kind="regression")
"""
PAUSING = WRITE + "    write(sys.argv[1], True)\n"
FULL = (
    WRITE
    + """
    from pathlib import Path
    path = Path(sys.argv[1])
    write(path, False)
    size = path.stat().st_size
    path.unlink()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that a write fails, as on a full disk
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    for share in map(float, sys.argv[2:]):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(size * share), most))
        try:
            write(path, False)
        except ExprimoError as error:
            print(type(error).__name__, error, flush=True)
        else:
            print("written", flush=True)
"""
)


def _fill(path: Path) -> None:
    with write_dataset(path, {}) as out:
        out.examples(pd.DataFrame({"example_id": ["a"]}))
        out.input("sequence", [np.zeros((1, 4), np.uint8)])


def test_a_full_disk_is_named_wherever_it_strikes(tmp_path: Path, start) -> None:
    # In the head, the table of examples, the scratch file, the values, the index, the last bytes.
    shares = [0.004, 0.02, 0.4, 0.86, 0.95, 0.9999, 1.0]
    process = start(FULL, tmp_path / "D.h5", *shares)
    told, complaint = process.communicate()
    lines = told.splitlines()
    assert (process.returncode, complaint) == (0, "")
    assert len(lines) == len(shares)
    for line in lines[:-1]:
        assert line.startswith("StorageError"), line
        assert "D.h5: the disk is full" in line
        assert "nothing half-written was left" in line
    assert lines[-1] == "written"
    assert [path.name for path in tmp_path.iterdir()] == ["D.h5"]
    with Dataset.open(tmp_path / "D.h5") as data:
        assert len(data) == 2000
        expected = np.random.default_rng(0).integers(0, 4, (200, 100), np.uint8)
        np.testing.assert_array_equal(data.rows("sequence", np.arange(200)), expected)


def test_a_killed_writer_leaves_no_dataset_and_the_next_one_works(tmp_path: Path, start) -> None:
    path = tmp_path / "D.h5"
    process = start(PAUSING, path)
    assert process.stdout.readline() == "started\n"
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "writing\n"
    assert partial_path(path).exists()
    with pytest.raises(LockedError, match=f"process {process.pid}"):
        Dataset.open(path)
    with pytest.raises(LockedError, match=f"process {process.pid}"):
        _fill(path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not path.exists()
    visible = [p.name for p in tmp_path.iterdir() if not p.name.startswith(".")]
    assert visible == []
    _fill(path)
    with Dataset.open(path) as data:
        assert len(data) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_the_first_of_two_writers_ends_undisturbed(tmp_path: Path, start) -> None:
    path = tmp_path / "D.h5"
    process = start(PAUSING, path)
    assert process.stdout.readline() == "started\n"
    with pytest.raises(LockedError):
        _fill(path)
    told, complaint = process.communicate("\n\n")
    assert (told, process.returncode) == ("writing\n", 0), complaint
    with Dataset.open(path) as data:
        assert len(data) == 2000
