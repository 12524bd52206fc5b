"""One form for each variant: trimmed and as far left as it goes (Tan et al. 2015, vt)."""

from __future__ import annotations

from exprimo.core.sequence import decode
from exprimo.data.fasta.genome import Genome

# Bases fetched at once; most indels move by fewer.
_STRETCH = 200


def needs_normalising(ref: str, alt: str) -> bool:
    """Tell whether a pair of alleles may have another form: all but single-base changes.

    Examples
    --------
    >>> needs_normalising("A", "G"), needs_normalising("A", "AT"), needs_normalising("CA", "TG")
    (False, True, False)
    """
    if len(ref) == 1 == len(alt):
        return False
    return len(ref) != len(alt) or ref[-1] == alt[-1] or ref[0] == alt[0]


def normalise_allele(
    genome: Genome, chrom: str, start: int, ref: str, alt: str
) -> tuple[int, str, str]:
    """Give start, REF and ALT trimmed and moved left, as `bcftools norm` does.

    At least one base of each remains. An indel is anchored on the base before it; at the very
    start of a chromosome, on the base behind it. Alleles that are equal come back as they are.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> fasta = Path(tempfile.mkdtemp()) / "g.fa"
    >>> _ = fasta.write_text(">1\\nGCACACAT\\n")
    >>> with Genome.open(fasta) as genome:
    ...     normalise_allele(genome, "1", 3, "CAC", "C")
    (0, 'GCA', 'G')
    """
    if ref == alt:
        return start, ref, alt
    before, known_from = "", start
    while True:
        if ref and alt and ref[-1] == alt[-1]:
            ref, alt = ref[:-1], alt[:-1]
        if ref and alt:
            if ref[-1] == alt[-1]:
                continue
            break
        if start == 0:
            behind = decode(genome.fetch(chrom, len(ref), len(ref) + 1))
            ref, alt = ref + behind, alt + behind
            break
        if not before:
            known_from = max(0, start - _STRETCH)
            before = decode(genome.fetch(chrom, known_from, start))
        base, before = before[-1], before[:-1]
        ref, alt, start = base + ref, base + alt, start - 1
    while len(ref) > 1 and len(alt) > 1 and ref[0] == alt[0]:
        ref, alt, start = ref[1:], alt[1:], start + 1
    return start, ref, alt
