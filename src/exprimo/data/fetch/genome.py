"""A genome and its annotation from Ensembl, checked against the sums that Ensembl publishes."""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from exprimo.core.errors import ConfigError, FetchError, InputError
from exprimo.data.fetch.download import download
from exprimo.data.fetch.web import NotThereError, Pause, list_folder, read_page

ENSEMBL = "https://ftp.ensembl.org/pub"

SPECIES = {
    "human": "homo_sapiens",
    "mouse": "mus_musculus",
    "rat": "rattus_norvegicus",
    "zebrafish": "danio_rerio",
    "chicken": "gallus_gallus",
    "frog": "xenopus_tropicalis",
    "fly": "drosophila_melanogaster",
    "worm": "caenorhabditis_elegans",
    "yeast": "saccharomyces_cerevisiae",
    "pig": "sus_scrofa",
    "cow": "bos_taurus",
    "dog": "canis_lupus_familiaris",
    "macaque": "macaca_mulatta",
    "chimpanzee": "pan_troglodytes",
}

_LATIN_NAME = re.compile(r"[a-z]+(_[a-z0-9]+)+")


class _Kind(NamedTuple):
    """Where a kind of file lies under a release, and how its name ends (best first)."""

    folder: str
    endings: tuple[str, ...]


# The primary assembly leaves out alternative haplotypes, which would be duplicates of genes; where
# a species has none, the toplevel file is the same thing.
_KINDS = {
    "fasta": _Kind(
        "fasta/{species}/dna", (r"\.dna\.primary_assembly\.fa\.gz", r"\.dna\.toplevel\.fa\.gz")
    ),
    "gtf": _Kind("gtf/{species}", (r"\.{release}\.gtf\.gz",)),
    "gff3": _Kind("gff3/{species}", (r"\.{release}\.gff3\.gz",)),
}


class _Listed(NamedTuple):
    name: str
    checksum: str


def fetch_genome(
    species: str,
    release: int,
    out: str | Path,
    *,
    what: Sequence[str] = ("fasta", "gtf"),
    base_url: str = ENSEMBL,
    pause: Pause = time.sleep,
) -> list[Path]:
    """Download genome and annotation of one Ensembl release into a folder.

    Parameters
    ----------
    species
        A common name (`SPECIES` lists them) or a Latin one such as ``homo_sapiens``.
    release
        Ensembl release number; genome and annotation of one release fit together.
    out
        Folder to write to; files that already lie there whole are not fetched again.
    what
        Any of ``fasta``, ``gtf``, ``gff3``.
    base_url
        Another mirror, or a sister site with the same layout, such as
        ``https://ftp.ensemblgenomes.ebi.ac.uk/pub/plants``.
    pause
        Called with the seconds to wait between tries.

    Returns
    -------
    list of Path
        The files, in the order of ``what``.

    Raises
    ------
    InputError
        The species or release does not exist; near names are suggested.
    FetchError
        The network failed, or a file arrived damaged.
    """
    unknown = [kind for kind in what if kind not in _KINDS]
    if unknown:
        raise ConfigError(
            "unknown kind of file", found=", ".join(unknown), expected=", ".join(_KINDS)
        )
    if release < 1:
        raise ConfigError("no such release", found=release, expected="a whole number >= 1")
    latin = latin_name(species)
    base = base_url.rstrip("/")
    # All names are looked up first, so that a wrong release costs no large download.
    plan = [
        (_folder(kind, latin, release, base), _choose(kind, latin, release, base, pause))
        for kind in what
    ]
    return [
        download(
            f"{folder}/{file.name}", Path(out) / file.name, checksum=file.checksum, pause=pause
        )
        for folder, file in plan
    ]


def latin_name(species: str) -> str:
    """Give Ensembl's name of a species.

    Examples
    --------
    >>> latin_name("Human"), latin_name("Homo sapiens")
    ('homo_sapiens', 'homo_sapiens')
    """
    name = re.sub(r"[\s_-]+", "_", species.strip().lower())
    name = SPECIES.get(name, name)
    if _LATIN_NAME.fullmatch(name):
        return name
    raise _unknown_species(species, [*SPECIES, *SPECIES.values()])


def parse_sums(text: str) -> dict[str, str]:
    """Read a CHECKSUMS file: sum, size in KiB and name on each line.

    Examples
    --------
    >>> parse_sums("36979 1 a.gtf.gz\\n")
    {'a.gtf.gz': 'sum:36979:1'}
    """
    sums: dict[str, str] = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[0].isdecimal() and fields[1].isdecimal():
            sums[fields[2].removeprefix("./")] = f"sum:{fields[0]}:{fields[1]}"
    return sums


def _folder(kind: str, species: str, release: int, base: str) -> str:
    return f"{base}/release-{release}/{_KINDS[kind].folder.format(species=species)}"


def _choose(kind: str, species: str, release: int, base: str, pause: Pause) -> _Listed:
    folder = _folder(kind, species, release, base)
    try:
        sums = parse_sums(read_page(f"{folder}/CHECKSUMS", pause=pause))
    except NotThereError as error:
        raise _not_there(kind, species, release, base, pause) from error
    for ending in _KINDS[kind].endings:
        pattern = re.compile(r"[\w.-]+" + ending.replace("{release}", str(release)))
        names = [name for name in sums if pattern.fullmatch(name)]
        if names:
            name = min(names, key=len)
            return _Listed(name, sums[name])
    raise FetchError(
        f"no {kind} file of the whole genome is listed",
        record=f"{folder}/CHECKSUMS",
        found=", ".join(list(sums)[:5]) or "an empty list",
        expected=" or ".join(ending.replace("\\", "") for ending in _KINDS[kind].endings),
        remedy="Look at the folder in a browser, and download the file that you want",
    )


def _not_there(kind: str, species: str, release: int, base: str, pause: Pause) -> InputError:
    """Find out whether the release or the species is wrong."""
    listing = f"{base}/release-{release}/{kind}"
    try:
        _, folders = list_folder(listing, pause=pause)
    except NotThereError:
        return InputError(
            "no such release",
            record=listing,
            found=f"release {release}",
            expected=f"a release that {base} lists",
            remedy="Choose a release number that exists",
        )
    return _unknown_species(species, folders, where=listing)


def _unknown_species(species: str, known: Sequence[str], where: str | None = None) -> InputError:
    near = difflib.get_close_matches(species.lower(), known, n=3, cutoff=0.5)
    return InputError(
        "unknown species",
        record=where,
        found=repr(species),
        expected=f"a Latin name such as homo_sapiens, or one of {', '.join(SPECIES)}",
        remedy=f"Near names: {', '.join(near)}" if near else "Look for its Latin name at Ensembl",
    )
