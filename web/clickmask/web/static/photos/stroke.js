// @ts-check
// Brush strokes onto a mask.

import { Mask } from "../shared/mask.js";

// the mask after a stroke (points in picture pixels, radius in picture pixels)
export function paintedMask(mask, points, radius, erases, picture) {
  const box = strokeBox(mask, points, radius, erases, picture);
  if (!box.width || !box.height) return mask;
  const bits = new Uint8Array(box.width * box.height);
  mask.drawInto(bits, box);
  const value = erases ? 0 : 1;
  points.forEach((point, i) => stamp(bits, box, points[Math.max(0, i - 1)], point, radius, value));
  return Mask.fromBits(bits, box.x, box.y, box.width, box.height);
}

function strokeBox(mask, points, radius, erases, picture) {
  let x0 = mask.x, y0 = mask.y, x1 = mask.x + mask.width, y1 = mask.y + mask.height;
  if (!mask.area) [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  if (!erases) {
    for (const [x, y] of points) {
      x0 = Math.min(x0, Math.floor(x - radius)); x1 = Math.max(x1, Math.ceil(x + radius));
      y0 = Math.min(y0, Math.floor(y - radius)); y1 = Math.max(y1, Math.ceil(y + radius));
    }
  }
  x0 = Math.max(0, x0); y0 = Math.max(0, y0);
  x1 = Math.min(picture.width, x1); y1 = Math.min(picture.height, y1);
  return { x: x0, y: y0, width: Math.max(0, x1 - x0) || 0, height: Math.max(0, y1 - y0) || 0 };
}

// every pixel whose centre is within the radius of the line from a to b
function stamp(bits, box, [ax, ay], [bx, by], radius, value) {
  const top = Math.max(box.y, Math.floor(Math.min(ay, by) - radius));
  const bottom = Math.min(box.y + box.height, Math.ceil(Math.max(ay, by) + radius));
  const left = Math.max(box.x, Math.floor(Math.min(ax, bx) - radius));
  const right = Math.min(box.x + box.width, Math.ceil(Math.max(ax, bx) + radius));
  const dx = bx - ax, dy = by - ay, length = dx * dx + dy * dy, reach = radius * radius;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const px = x + 0.5 - ax, py = y + 0.5 - ay;
      const t = length ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0;
      const ex = px - t * dx, ey = py - t * dy;
      if (ex * ex + ey * ey <= reach) bits[(y - box.y) * box.width + x - box.x] = value;
    }
  }
}
