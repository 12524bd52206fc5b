"""Tables of associations of variants with a trait or with genes, in the forms they come in."""

from exprimo.genetics.associations.files import association_files, read_pieces
from exprimo.genetics.associations.header import ROLES, TEXT_ROLES, Roles, find_columns
from exprimo.genetics.associations.mapping import people_of_mapping
from exprimo.genetics.associations.reading import (
    Associations,
    genes_there,
    placed_rows,
    read_associations,
)
from exprimo.genetics.associations.region import Places, Region, bare_chrom, places_of
from exprimo.genetics.associations.strength import refuse_shares, size_of_p
from exprimo.genetics.associations.traits import of_one_trait

__all__ = [
    "ROLES",
    "TEXT_ROLES",
    "Associations",
    "Places",
    "Region",
    "Roles",
    "association_files",
    "bare_chrom",
    "find_columns",
    "genes_there",
    "of_one_trait",
    "people_of_mapping",
    "placed_rows",
    "places_of",
    "read_associations",
    "read_pieces",
    "refuse_shares",
    "size_of_p",
]
