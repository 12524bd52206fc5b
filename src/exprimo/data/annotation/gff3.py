"""GFF3: Ensembl's, GENCODE's, NCBI's, and files of transcripts without gene lines."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from urllib.parse import unquote

from exprimo.core.errors import FormatError
from exprimo.data.annotation.collect import Blocks, Collector, Place, tag_rank
from exprimo.data.annotation.lines import NumberedLines, line_error, nine_columns, place_of

_BLOCKS = ("exon", "CDS", "stop_codon")
# Parts of transcripts that are not read; GENCODE has half a million.
_PARTS = {
    "five_prime_UTR", "three_prime_UTR", "UTR", "start_codon", "intron", "match_part",
    "stop_codon_redefined_as_selenocysteine",
}  # fmt: skip
_KEPT = {
    "ID", "gene_id", "transcript_id", "gene_name", "Name", "gene", "gene_biotype", "gene_type",
    "biotype", "tag", "gbkey",
}  # fmt: skip
_TRANSCRIPT_TYPE = re.compile(r".*(RNA|transcript|gene_segment)", re.ASCII)
_PARENT = re.compile(r"(?:^|;)\s*Parent=([^;]*)")
# Transcripts without a gene line are often named after their gene: YAL001C_tx0, YAL003W_id003.
_TRANSCRIPT_SUFFIX = re.compile(r"_(?:tx|id|mRNA)\d*$")


@dataclass(slots=True)
class _Node:
    """A feature that may be a gene or a transcript."""

    identifier: str
    type: str
    place: Place
    parents: list[str]
    tags: list[str]
    values: dict[str, str]
    used: bool = False
    again: Place | None = None

    @property
    def is_gene(self) -> bool:
        # gene, ncRNA_gene, pseudogene, transposable_element_gene, ...
        return self.type.endswith("gene")


class _Tree:
    """The nodes by (chromosome, ID), and the blocks that hang on them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.nodes: dict[tuple[str, str], _Node] = {}
        self.parents: dict[tuple[str, str], int] = {}
        self.parent_lines: list[int] = []
        self.without_parent = 0
        self.blocks = {name: Blocks() for name in _BLOCKS}

    def add_block(self, feature: str, attributes: str, place: Place) -> None:
        match = _PARENT.search(attributes)
        if not match:
            self.without_parent += 1
            return
        for parent in _split(match.group(1)):
            key = (place.chrom, parent)
            code = self.parents.get(key)
            if code is None:
                code = self.parents[key] = len(self.parents)
                self.parent_lines.append(place.line)
            self.blocks[feature].add(code, place.start, place.end)

    def add_node(self, feature: str, values: dict[str, str], place: Place) -> None:
        parents, tags = (_split(values.get(key, "")) for key in ("Parent", "tag"))
        # The transcripts of a gene repeat its values; interned, each is kept once.
        kept = {key: intern(unquote(value)) for key, value in values.items() if key in _KEPT}
        node = _Node(kept["ID"], feature, place, parents, tags, kept)
        known = self.nodes.setdefault((place.chrom, node.identifier), node)
        if known is not node:
            known.again = place

    def gene_of(self, node: _Node) -> tuple[str, _Node, bool]:
        """Climb to the gene: its id, the node that stands for it, and whether that is a gene."""
        seen = {node.identifier}
        while not node.is_gene:
            parent = next(iter(node.parents), None)
            above = self.nodes.get((node.place.chrom, parent)) if parent else None
            if above is None:
                named = node.values.get("gene_id") or (
                    _plain_id(parent, node.values)
                    if parent
                    else _TRANSCRIPT_SUFFIX.sub("", _plain_id(node.identifier, node.values))
                )
                return named, node, False
            if above.identifier in seen:
                raise line_error(
                    self.path, node.place.line, "a feature is its own ancestor",
                    node.identifier, "a gene at the top",
                )  # fmt: skip
            seen.add(above.identifier)
            node = above
        return node.values.get("gene_id") or _plain_id(node.identifier, node.values), node, True


def read_gff3(lines: NumberedLines, path: Path) -> Collector:
    """Collect genes, transcripts, exons and CDS, whatever the order of the lines."""
    tree = _Tree(path)
    for number, text in lines:
        if text[0] == "#":
            if text.startswith("##FASTA"):
                break
            continue
        if text.isspace():
            continue
        fields = nine_columns(text, number, path)
        feature = fields[2]
        if feature in _BLOCKS:
            tree.add_block(feature, fields[8], place_of(fields, number, path))
        elif feature not in _PARTS and (
            feature.endswith("gene")
            or "Parent=" in fields[8]
            or _TRANSCRIPT_TYPE.fullmatch(feature)
        ):
            values = parse_attributes(fields[8])
            if "ID" in values:
                tree.add_node(feature, values, place_of(fields, number, path))
            elif feature.endswith("gene"):
                raise line_error(path, number, "a gene without an ID", fields[8], "ID=...")
    return _collect(tree)


def parse_attributes(text: str) -> dict[str, str]:
    """Split column 9 into values by key, still percent-encoded.

    Examples
    --------
    >>> parse_attributes("ID=gene:ENSG1;Name=A%2CB")
    {'ID': 'gene:ENSG1', 'Name': 'A%2CB'}
    """
    pairs = (item.partition("=") for item in text.split(";"))
    return {key.strip(): value.strip() for key, _, value in pairs}


def _split(value: str) -> list[str]:
    return [unquote(item) for item in value.strip().split(",") if item]


def _plain_id(identifier: str, values: dict[str, str]) -> str:
    """Remove what Ensembl (gene:, transcript:) and NCBI (gene-, rna-) put before an id."""
    for prefix in ("gene:", "transcript:"):
        identifier = identifier.removeprefix(prefix)
    if "gbkey" in values:
        identifier = identifier.removeprefix("gene-").removeprefix("rna-")
    return identifier


def _collect(tree: _Tree) -> Collector:
    found = Collector(tree.path, "gff3")
    found.notes["blocks_without_parent"] = tree.without_parent
    for key, code in tree.parents.items():
        node = tree.nodes.get(key)
        if node is None:
            raise FormatError(
                "Parent names no gene or transcript of this file",
                file=tree.path,
                record=f"line {tree.parent_lines[code]}",
                found=f"Parent={key[1]}",
                expected="the ID of another line",
            )
        node.used = True
    numbers: dict[tuple[str, str], int] = {}
    for key, node in tree.nodes.items():
        if node.used or node.is_gene or _TRANSCRIPT_TYPE.fullmatch(node.type):
            number = _add_node(found, tree, node)
            if number is not None:
                numbers[key] = number
    transcript_of = [numbers[key] for key in tree.parents]
    for name, target in zip(_BLOCKS, (found.exons, found.cds, found.stops), strict=True):
        blocks = tree.blocks[name]
        target.transcript = _translated(blocks.transcript, transcript_of)
        target.start, target.end = blocks.start, blocks.end
    return found


def _translated(codes: Iterable[int], numbers: list[int]) -> array[int]:
    return array("q", (numbers[code] for code in codes))


def _add_node(found: Collector, tree: _Tree, node: _Node) -> int | None:
    gene_id, top, is_gene = tree.gene_of(node)
    values = top.values
    if node.again is not None:
        kind = "gene" if node.is_gene else "transcript"
        raise found.two_places(kind, node.identifier, node.place, node.again)
    before = len(found.genes)
    gene = found.gene(
        gene_id,
        top.place if is_gene else node.place,
        _first(values, "gene_name", "Name", "gene") if is_gene else "",
        _first(values, "gene_biotype", "gene_type", "biotype"),
        declared=node is top and is_gene,
    )
    found.notes["implied_genes"] += not is_gene and len(found.genes) > before
    if node.is_gene and not node.used:
        return None
    identifier = node.values.get("transcript_id") or _plain_id(node.identifier, node.values)
    return found.transcript(identifier, gene, node.place, tag_rank(node.tags), declared=True)


def _first(values: dict[str, str], *keys: str) -> str:
    return next((values[key] for key in keys if values.get(key)), "")
