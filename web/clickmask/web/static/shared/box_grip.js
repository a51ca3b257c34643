// @ts-check
// Where a box is taken hold of, and what it becomes when it is dragged there.

const CORNERS = [["left", "top"], ["right", "top"], ["right", "bottom"], ["left", "bottom"]];

// the sides that follow the pointer: two at a corner, one in the middle of a side, all four elsewhere on the border
export function boxGrip([x0, y0, x1, y1], [x, y], reach) {
  const near = { left: Math.abs(x - x0) <= reach, right: Math.abs(x - x1) <= reach, top: Math.abs(y - y0) <= reach, bottom: Math.abs(y - y1) <= reach };
  const along = { x: x >= x0 - reach && x <= x1 + reach, y: y >= y0 - reach && y <= y1 + reach };
  const corner = CORNERS.find((sides) => sides.every((side) => near[side]));
  if (corner) return corner;
  const side = Object.keys(near).find((name) => near[name] && along[name === "left" || name === "right" ? "y" : "x"]);
  if (!side) return null;
  const middle = side === "left" || side === "right" ? Math.abs(y - (y0 + y1) / 2) : Math.abs(x - (x0 + x1) / 2);
  return middle <= reach ? [side] : ["left", "right", "top", "bottom"];
}

export function draggedBox([x0, y0, x1, y1], sides, dx, dy) {
  const by = (side, d) => (sides.includes(side) ? d : 0);
  const xs = [x0 + by("left", dx), x1 + by("right", dx)], ys = [y0 + by("top", dy), y1 + by("bottom", dy)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}
