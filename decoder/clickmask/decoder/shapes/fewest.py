"""The fewest points that still decode exactly, on the fifths of a pixel that COCO's filling knows.

Filling looks only at where a side crosses the middles of pixel columns, rounded to a pixel
row. So each column a ring crosses is a gate (column, row), sides may run as they like between
gates, and the task is the shortest path, in sides, through all gates in order. The search
goes side by side from all good corners at once: each sees through a cone of slopes that
narrows gate by gate until it closes.

Units: u = 5 x and v = 5 y are whole numbers.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes.filling import fill_rings
from clickmask.decoder.shapes.fitting import Floats, Indices
from clickmask.decoder.shapes.keyholes import find_cuts, join_rings, nearest_cuts
from clickmask.decoder.shapes.masks import mask_size
from clickmask.decoder.shapes.rings import find_rings

PER_PX = 5
BEAM = 64  # corners the search goes on from
LOOK_BACK = np.array([0, 1, 2, 4, 8])  # gates before the farthest one that may be better places
PLACES = np.linspace(0, 1, 3)  # across the cone
MARGIN = 1e-7  # keeps slopes off the ties that rounding decides
FIRST_LOOK = 32  # gates looked at
STALLED = 4  # layers without progress, after which there is none
TALL_TURN_PX = 3
REMEMBERED_CORNERS = 24  # noise repeats its small rings thousands of times


@dataclass(frozen=True, slots=True, eq=False)
class Gates:
    """Where a ring crosses the middles of pixel columns, in order, beginning after a turn.

    Args:
        columns, rows: The filling counts a crossing of this column at this row, shape (n,).
        directions: +1 rightward, -1 leftward.
        chain_ends: For each gate the last gate, itself or later, before the direction changes.
        size: Of the mask, which corners may not leave.
        v_range: Least and largest v of corners: not much beyond the ring.
    """

    columns: Indices
    rows: Indices
    directions: Indices
    chain_ends: Indices
    size: Size
    v_range: tuple[int, int]

    def __len__(self) -> int:
        return len(self.columns)


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Corners reached with one number of sides.

    Args:
        gates: The last gate passed, shape (S,).
        u, v: Where the corner is, between that gate and the next.
        origins: Index of the corner before it in the layer before.
    """

    gates: Indices
    u: Indices
    v: Indices
    origins: Indices


def fewest_rings(pixels: NDArray[np.uint8]) -> list[Floats]:
    """One ring of few corners per 8-connected part with its holes joined, shape (N, 2) each [px]."""
    rings = find_rings(pixels)
    size = mask_size(pixels)
    seen: dict[bytes, Floats] = {}
    corners = [_remembered(rings.ring(index), size, seen) for index in range(len(rings))]
    pairs = [(cut.hole, cut.target) for cut in find_cuts(rings, pixels)]
    return join_rings(corners, nearest_cuts(corners, pairs))


def _remembered(ring: NDArray[np.int32], size: Size, seen: dict[bytes, Floats]) -> Floats:
    """``fewest_corners``, worked out once for small rings of one form that stay off the border."""
    corner = ring.min(axis=0)
    if len(ring) > REMEMBERED_CORNERS or (corner < 1).any() or (ring.max(axis=0) >= (size.width, size.height)).any():
        return fewest_corners(ring, size)
    form = (ring - corner).tobytes()
    if form not in seen:
        seen[form] = fewest_corners(ring, size) - corner
    return np.asarray(seen[form] + corner)


def fewest_corners(ring: NDArray[np.int32], size: Size) -> Floats:
    """The ring with few corners that fill to the same pixels, shape (N, 2) [px], N >= 3."""
    exact = ring.astype(np.float64)
    gates = find_gates(ring, size)
    path = _search(gates, _first_layer(gates))
    if path is None:
        return exact
    if path[0] != path[-1]:
        u, v = path[-1]
        again = _search(gates, Layer(np.array([-1]), np.array([u]), np.array([v]), np.array([0])))
        path = min(_closed(path), _closed(again or path), key=len)
    corners = np.array(path[:-1], np.float64) / PER_PX
    same = len(corners) < len(exact) and fill_rings([corners], size) == fill_rings([exact], size)
    return corners if same else exact


def _closed(path: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The path back at its first corner: both ends lie between the same two gates, a side between them crosses none."""
    return path if path[0] == path[-1] else [*path, path[0]]


def find_gates(ring: NDArray[np.int32], size: Size) -> Gates:
    """List the column middles a pixel-edge ring crosses."""
    begin, end = ring.astype(np.int64), np.roll(ring, -1, axis=0).astype(np.int64)
    level = begin[:, 1] == end[:, 1]
    begin, end = begin[level], end[level]
    lengths = np.abs(end[:, 0] - begin[:, 0])
    nth = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    direction = np.repeat(np.sign(end[:, 0] - begin[:, 0]), lengths)
    column = np.repeat(begin[:, 0], lengths) + direction * nth - (direction < 0)
    row = np.repeat(begin[:, 1], lengths)
    turn = int(np.flatnonzero(direction != np.roll(direction, 1))[0])
    column, row, direction = (np.roll(values, -turn) for values in (column, row, direction))
    ends = np.flatnonzero(np.append(direction[1:] != direction[:-1], True))
    chain_ends = ends[np.searchsorted(ends, np.arange(len(column)))]
    v_range = (max(0, PER_PX * int(row.min()) - 2), min(PER_PX * size.height, PER_PX * int(row.max()) + 2))
    return Gates(column, row, direction, chain_ends, size, v_range)


def _first_layer(gates: Gates) -> Layer:
    """Corners to begin with: between the last gate and the first, where the ring turns."""
    column, direction = int(gates.columns[-1]), int(gates.directions[-1])
    low, high = sorted((int(gates.rows[-1]) * PER_PX, int(gates.rows[0]) * PER_PX))
    u = _between(np.array([column]), np.array([direction]), gates.size)[0]
    v = np.unique(np.linspace(low - 2, high + 2, 12).astype(np.int64).clip(*gates.v_range))
    u, v = (grid.reshape(-1) for grid in np.meshgrid(u, v))
    return Layer(np.full(len(u), -1), u, v, np.zeros(len(u), np.int64))


def _between(columns: Indices, directions: Indices, size: Size) -> Indices:
    """The five u between this column's middle and the next one's, shape (S, 5), kept inside the image."""
    u = PER_PX * columns[:, None] + np.where(directions[:, None] > 0, np.arange(3, 8), np.arange(-2, 3))
    return np.asarray(u.clip(0, PER_PX * size.width))


def _search(gates: Gates, first: Layer) -> list[tuple[int, int]] | None:
    """Corners of a path through all gates, back to a lone first corner where that can be; None if there is no way."""
    layers = [first]
    look = FIRST_LOOK
    while layers[-1].gates[0] < len(gates) - 1:
        layer, farthest = _next_layer(gates, layers[-1], look)
        if not len(layer.gates):
            return None
        look = max(FIRST_LOOK, 2 * farthest)
        layers.append(layer)
        if len(layers) > STALLED and layer.gates.max() <= layers[-STALLED].gates.max():
            return None  # corners at a tall turn that no side leaves: it would go round in circles
    if len(first.gates) == 1:
        layers[-1] = _closing_layer(gates, layers[-2], first) or layers[-1]
    at, path = 0, []
    for layer in reversed(layers):
        path.append((int(layer.u[at]), int(layer.v[at])))
        at = int(layer.origins[at])
    return path[::-1]


def _closing_layer(gates: Gates, layer: Layer, first: Layer) -> Layer | None:
    """The first corner again, if any corner of the last layer but one sees it."""
    sources = np.flatnonzero(gates.chain_ends[np.minimum(layer.gates + 1, len(gates) - 1)] == len(gates) - 1)
    layer = Layer(layer.gates[sources], layer.u[sources], layer.v[sources], layer.origins[sources])
    if not len(sources):
        return None
    lows, highs, passed = _cones(gates, layer, int((len(gates) - layer.gates).max()))
    across = np.abs(first.u[0] - layer.u)
    slope = (first.v[0] - layer.v) / np.maximum(across, 1)
    at = np.arange(len(sources)), passed - 1
    sees = (layer.gates + passed == len(gates) - 1) & (slope > lows[at]) & (slope < highs[at]) & (across > 0)
    if not sees.any():
        return None
    return Layer(np.array([len(gates) - 1]), first.u, first.v, sources[sees.argmax(), None])


def _cones(gates: Gates, layer: Layer, look: int) -> tuple[Floats, Floats, Indices]:
    """Slopes that pass all of the next 1, 2, ... gates, low and high of shape (S, L), and how many gates can be."""
    ahead = layer.gates[:, None] + np.arange(1, look + 1)
    last = gates.chain_ends[layer.gates + 1]
    within = ahead <= last[:, None]
    ahead = np.minimum(ahead, last[:, None])
    across = np.abs(PER_PX * gates.columns[ahead] + 2.5 - layer.u[:, None])
    below = PER_PX * gates.rows[ahead] - layer.v[:, None]
    low = np.maximum.accumulate(_slope_through(across, below - 2.5), axis=1) + MARGIN
    high = np.minimum.accumulate(_slope_through(across, below + 2.5), axis=1) - MARGIN
    passed = (within & (low < high)).argmin(axis=1)
    full = within[:, -1] & (low[:, -1] < high[:, -1])
    if full.any():
        return _cones(gates, layer, 4 * look)
    return low, high, passed


def _slope_through(across: Floats, down: Floats) -> Floats:
    """The slope whose crossing the filling counts at ``down``, seen from a corner ``across`` before the column middle.

    The filling takes the smaller of two roundings, half a fifth to either side of the
    middle: a slope of up to 1 is counted half of itself too high, a steeper one by one half.
    """
    steep = (down + 0.5) / across
    falling = down / np.maximum(across - 0.5, 0.25)
    rising = down / (across + 0.5)
    return np.where(
        down >= across - 0.5, steep, np.where(down >= 0, falling, np.where(down >= -across - 0.5, rising, steep))
    )


def _next_layer(gates: Gates, layer: Layer, look: int) -> tuple[Layer, int]:
    """Good corners one side further, farthest gate first, and how many gates were passed at most."""
    lows, highs, passed = _cones(gates, layer, look)
    seen = passed[:, None] - LOOK_BACK  # (S, B) gates passed on the way to a corner there
    source, back = np.nonzero(seen >= 1)
    seen = seen[source, back]
    gate = layer.gates[source] + seen
    low, high = lows[source, seen - 1], highs[source, seen - 1]
    u = _between(gates.columns[gate], gates.directions[gate], gates.size)  # (P, 5)
    across = np.abs(u - layer.u[source, None])
    first = np.ceil(layer.v[source, None] + low[:, None] * across).clip(*gates.v_range)
    last = np.floor(layer.v[source, None] + high[:, None] * across).clip(*gates.v_range)
    v = np.round(first[..., None] + (last - first)[..., None] * PLACES).astype(np.int64)  # (P, 5, 3)
    slope = (v - layer.v[source, None, None]) / np.maximum(across, 1)[..., None]
    good = (slope > low[:, None, None]) & (slope < high[:, None, None]) & (across > 0)[..., None]
    pair, column, place = np.nonzero(good)
    ahead = _farthest(gate[pair], u[pair, column], v[pair, column, place], source[pair], BEAM)
    beside = _around_turns(gates, layer)
    together = Layer(*(np.concatenate(pair) for pair in zip(astuple(ahead), astuple(beside), strict=True)))
    return together, int(passed.max())


def _around_turns(gates: Gates, layer: Layer) -> Layer:
    """Corners straight up or down from corners at tall turns: before the next gate, where no slanted side may fit."""
    following = np.minimum(layer.gates + 1, len(gates) - 1)
    tall = np.abs(gates.rows[following] - gates.rows[layer.gates]) >= TALL_TURN_PX
    source = np.flatnonzero((layer.gates >= 0) & tall & (gates.chain_ends[layer.gates] == layer.gates))
    gate = layer.gates[source]
    u = _between(gates.columns[gate], gates.directions[gate], gates.size)  # (T, 5)
    v = (PER_PX * gates.rows[following[source], None] + np.array([-2, 0, 2])).clip(*gates.v_range)  # (T, 3)
    shape = (len(source), u.shape[1], v.shape[1])
    grids = (gate[:, None, None], u[:, :, None], v[:, None, :], source[:, None, None])
    gate, across, down, origin = (np.broadcast_to(grid, shape).reshape(-1) for grid in grids)
    return _farthest(gate, across, down, origin, BEAM // 4)


def _farthest(gates: Indices, u: Indices, v: Indices, sources: Indices, count: int) -> Layer:
    """The corners that passed the most gates, without doubles; an even choice of those that passed as many."""
    shuffled = (u * 7_919 + v * 104_729) % 1_009
    order = np.lexsort((v, u, shuffled, -gates))
    same = (np.diff(gates[order]) == 0) & (np.diff(u[order]) == 0) & (np.diff(v[order]) == 0)
    chosen = order[np.append(True, ~same)[: len(order)]][:count]
    return Layer(gates[chosen], u[chosen], v[chosen], sources[chosen])
