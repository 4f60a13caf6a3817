"""Neighbouring word pieces as rows of a table: the same hash in PyTorch and in a graph."""

from __future__ import annotations

from torch import Tensor

from models.recipes.listing_text.graph import Graph

# int64 throughout, below 2 ** 40 before the first remainder.
FIRST, SECOND, PRIME = 1_299_721, 15_485_863, 2_147_483_647
FAR = 2**31 - 1


def pair_ids(input_ids: Tensor, rows: int) -> Tensor:
    """int64 [n, t - 1]: the row of each piece with the next."""
    return (input_ids[:, :-1] * FIRST + input_ids[:, 1:] * SECOND) % PRIME % rows


def pair_rows(g: Graph, input_ids: str, rows: int) -> str:
    """`pair_ids` as nodes."""
    first, second = but_last(g, input_ids), but_first(g, input_ids)
    return g.mod(g.mod(g.add(g.mul(first, FIRST), g.mul(second, SECOND)), PRIME), rows)


def both_seen(g: Graph, seen: str) -> str:
    """float32 [n, t - 1]: 1 where a piece and the next are there."""
    return g.op("Mul", but_last(g, seen), but_first(g, seen))


def but_last(g: Graph, x: str) -> str:
    return g.op("Slice", x, g.constant([0]), g.constant([-1]), g.constant([1]))


def but_first(g: Graph, x: str) -> str:
    return g.op("Slice", x, g.constant([1]), g.constant([FAR]), g.constant([1]))
