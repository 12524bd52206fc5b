"""The files of a series at the Gene Expression Omnibus."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import quote

from exprimo.core.errors import FetchError, InputError
from exprimo.data.fetch.download import download
from exprimo.data.fetch.web import NotThereError, Pause, list_folder, read_page

GEO = "https://ftp.ncbi.nlm.nih.gov/geo/series"

_FILE_LIST = "filelist.txt"


def fetch_geo(
    accession: str,
    out: str | Path,
    *,
    matrix: bool = False,
    base_url: str = GEO,
    pause: Pause = time.sleep,
) -> list[Path]:
    """Download the supplementary files of a GEO series into a folder.

    Parameters
    ----------
    accession
        A series, such as ``GSE248760``.
    out
        Folder to write to; files that already lie there whole are not fetched again.
    matrix
        Fetch the series matrix (sample descriptions) as well.
    base_url
        Another place with the same layout.
    pause
        Called with the seconds to wait between tries.

    Returns
    -------
    list of Path
        The files in alphabetical order, matrix files last. Sizes are checked where GEO lists
        them, and gzip files are read through, since GEO publishes no checksums.

    Raises
    ------
    InputError
        This is no accession of a series, or there is no such series.
    FetchError
        The series has no supplementary files, the network failed, or a file arrived damaged.
    """
    folder = f"{base_url.rstrip('/')}/{series_folder(accession)}"
    files = _listed(folder, "suppl", pause)
    sizes: dict[str, int] = {}
    if _FILE_LIST in files:
        sizes = parse_file_list(read_page(f"{folder}/suppl/{_FILE_LIST}", pause=pause))
        files.remove(_FILE_LIST)
    places = {name: f"{folder}/suppl/{quote(name)}" for name in files}
    if matrix:
        for name in _listed(folder, "matrix", pause):
            places[name] = f"{folder}/matrix/{quote(name)}"
    if not places:
        raise FetchError(
            "this series has no supplementary files",
            record=f"{folder}/suppl/",
            remedy="Its counts may lie in the series of which it is a part, or in the SRA",
        )
    return [
        download(
            url,
            Path(out) / name,
            size=sizes.get(name),
            gzip=name.endswith(".gz"),
            pause=pause,
        )
        for name, url in places.items()
    ]


def series_folder(accession: str) -> str:
    """Give the folder of a series: GEO keeps a thousand series together.

    Examples
    --------
    >>> series_folder("gse248760"), series_folder("GSE7")
    ('GSE248nnn/GSE248760', 'GSEnnn/GSE7')
    """
    name = accession.strip().upper()
    if not re.fullmatch(r"GSE[1-9]\d*", name):
        sample = name.startswith(("GSM", "GPL", "GDS"))
        raise InputError(
            "not the accession of a GEO series",
            found=repr(accession),
            expected="GSE and a number, such as GSE248760",
            remedy="Look up the series that it belongs to" if sample else None,
        )
    return f"{name[:-3] if len(name) > 6 else 'GSE'}nnn/{name}"


def parse_file_list(text: str) -> dict[str, int]:
    """Read a ``filelist.txt`` of GEO: name -> bytes.

    Examples
    --------
    >>> parse_file_list("#Archive/File\\tName\\tTime\\tSize\\nArchive\\ta.tar\\tx\\t90\\n")
    {'a.tar': 90}
    """
    rows = (line.rstrip("\r").split("\t") for line in text.splitlines())
    return {row[1]: int(row[3]) for row in rows if len(row) >= 4 and row[3].isdecimal()}


def _listed(folder: str, part: str, pause: Pause) -> list[str]:
    try:
        files, _ = list_folder(f"{folder}/{part}", pause=pause)
    except NotThereError as error:
        try:
            list_folder(folder, pause=pause)
        except NotThereError:
            raise InputError(
                "no such series, or it is not public yet",
                record=folder,
                found=folder.rpartition("/")[2],
                remedy="Check the accession in a browser",
            ) from error
        return []
    return files
