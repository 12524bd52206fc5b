"""Reference windows, and each with one variant put in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.compiled import compiled
from exprimo.core.sequence import N_CODE, Codes
from exprimo.data.fasta import Genome
from exprimo.features.windows import cut_intervals, promoter_table
from exprimo.scoring.variants.windows.alleles import Alleles
from exprimo.scoring.variants.windows.edits import Edits, Ints


class VariantWindows(NamedTuple):
    """Windows in gene orientation, the anchor at index ``upstream`` of each.

    Attributes
    ----------
    reference
        (places, length): one for each place.
    alternate
        (variants, length): the window of the variant's place with the variant in it.
    edits
        What each variant replaces and moves, (variants,).
    """

    reference: Codes
    alternate: Codes
    edits: Edits


def variant_windows(
    genome: Genome,
    places: pd.DataFrame,
    place: Ints,
    alleles: Alleles,
    *,
    upstream: int,
    downstream: int,
) -> VariantWindows:
    """Cut the reference window of each place, and put each variant into its own.

    The window keeps its length, and the anchor base its index. What an indel moves, moves away
    from the anchor; a window that becomes too short is filled with the bases that follow on the
    chromosome, and N beyond its ends. See `Edits.of` for an anchor that is itself replaced. For
    one place this is `exprimo.features.haplotypes.one_variant_windows`.

    Parameters
    ----------
    genome
        An opened FASTA file.
    places
        Columns chrom, anchor (0-based forward position), strand; one row a window.
    place
        The row of ``places`` that each variant is put into, (variants,).
    alleles
        The variants, on the chromosomes of their places.
    upstream, downstream
        Bases before the anchor, and from the anchor on.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from exprimo.core.sequence import decode
    >>> fasta = pathlib.Path(tempfile.mkdtemp()) / "tiny.fa"
    >>> _ = fasta.write_text(">I\\nAACCGGGTTT\\n")
    >>> places = pd.DataFrame({"chrom": ["I"], "anchor": [4], "strand": ["-"]})
    >>> sites = pd.DataFrame({"start": [5, 2], "ref": ["G", "CC"], "alt": ["A", "C"]})
    >>> with Genome.open(fasta) as genome:
    ...     found = variant_windows(genome, places, np.array([0, 0]), Alleles.of(sites),
    ...                             upstream=2, downstream=4)
    >>> decode(found.reference[0]), [decode(row) for row in found.alternate]
    ('CCCGGT', ['CTCGGT', 'CCCGTT'])
    """
    length = upstream + downstream
    anchor = places["anchor"].to_numpy(np.int64)[place]
    minus = (places["strand"] == "-").to_numpy(np.bool_)[place]
    ahead = alleles.start - anchor + upstream
    # Read from the other strand, the last of the replaced bases comes first.
    back = anchor + upstream - alleles.start - alleles.n_ref + 1
    first = np.where(minus, back, ahead)
    edits = Edits.of(first, alleles.n_ref, alleles.n_alt, minus, anchor=upstream)
    room = int(max(np.abs(edits.left).max(initial=0), np.abs(edits.right).max(initial=0)))
    table = promoter_table(
        places.rename(columns={"anchor": "tss"}),
        upstream=upstream + room,
        downstream=downstream + room,
    )
    wide = next(cut_intervals(genome, table, chunk=max(1, len(table)))).codes
    alternate = np.empty((len(place), length), dtype=np.uint8)
    _put_in(
        wide,
        room,
        place,
        edits.alt_first,
        edits.left,
        edits.right,
        minus,
        *_new(alleles),
        alternate,
    )
    return VariantWindows(np.ascontiguousarray(wide[:, room : room + length]), alternate, edits)


def unknown_in(codes: Codes) -> npt.NDArray[np.bool_]:
    """Tell in which windows, (n, length), an N stands; (n,)."""
    return np.asarray((codes == N_CODE).any(axis=1))


def _new(alleles: Alleles) -> tuple[Ints, Ints, Codes]:
    return alleles.n_alt, alleles.offset, alleles.codes


@compiled
def _put_in(
    wide: Codes,
    room: int,
    place: Ints,
    alt_first: Ints,
    left: Ints,
    right: Ints,
    minus: npt.NDArray[np.bool_],
    n_alt: Ints,
    offset: Ints,
    codes: Codes,
    out: Codes,
) -> None:
    length = out.shape[1]
    for row in range(out.shape[0]):
        bases, new = wide[place[row]], out[row]
        begin = alt_first[row]
        low = min(max(begin, 0), length)
        high = min(max(begin + n_alt[row], low), length)
        moved = room - left[row]
        new[:low] = bases[moved : moved + low]
        moved = room - right[row]
        new[high:] = bases[moved + high : moved + length]
        for at in range(low, high):
            rank = at - begin
            if minus[row]:
                code = codes[offset[row] + n_alt[row] - 1 - rank]
                new[at] = code if code == N_CODE else 3 - code
            else:
                new[at] = codes[offset[row] + rank]
