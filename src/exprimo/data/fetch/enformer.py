"""Enformer's published weights, and the table that describes its tracks."""

from __future__ import annotations

import time
from pathlib import Path

from exprimo.core.errors import FetchError, InputError
from exprimo.data.fetch.download import download
from exprimo.data.fetch.web import Pause
from exprimo.data.fetch.weights import HUB, fetch_weights, weights_path
from exprimo.data.tracks import read_tracks

TABLES = "https://raw.githubusercontent.com/calico/basenji/master/manuscripts/cross2020"
"""Where the authors keep the tables of tracks."""
TRACK_TABLE = "targets_human.txt"
N_TRACKS = 5313


def fetch_enformer(
    out: str | Path | None = None,
    *,
    base_url: str = HUB,
    table_url: str = TABLES,
    pause: Pause = time.sleep,
) -> list[Path]:
    """Download the weights of Enformer (1 GB) and the table of its human tracks.

    Both are resumed after a cut. The weights count only when their SHA-256 is the one that the
    hub keeps, the table when it describes 5,313 tracks.

    Parameters
    ----------
    out
        Folder to write to; by default the cache, where ``enformer`` alone finds both.
    base_url, table_url
        Other servers with the paths of the hub, and of the folder of tables.
    pause
        Called with the seconds to wait between tries.

    Returns
    -------
    list[Path]
        The weights, and the table.

    Examples
    --------
    >>> fetch_enformer()                                         # doctest: +SKIP
    """
    # The small one first: what is wrong with the network shows at once.
    target = tracks_path() if out is None else Path(out) / TRACK_TABLE
    address = f"{table_url.rstrip('/')}/{TRACK_TABLE}"
    table = download(address, target, pause=pause)
    try:
        read_tracks(table).check_number(N_TRACKS, "enformer")
    except InputError as error:
        table.unlink()
        raise FetchError(
            "what arrived is not the table of Enformer's tracks, and was removed",
            file=table,
            record=address,
            found=error,
            expected=f"{N_TRACKS:,} rows",
            remedy="Fetch the table in another way, and give it as --track-table FILE",
        ) from error
    return [fetch_weights("enformer", out, base_url=base_url, pause=pause), table]


def tracks_path() -> Path:
    """Give the place of the fetched table: beside the weights.

    Examples
    --------
    >>> tracks_path().parts[-2:]
    ('enformer', 'targets_human.txt')
    """
    return weights_path("enformer").with_name(TRACK_TABLE)
