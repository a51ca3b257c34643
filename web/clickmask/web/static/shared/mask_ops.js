// @ts-check
// New masks from masks, exact to the pixel: join, take away, parts, holes, cuts.

import { Mask } from "./mask.js";

// a byte per pixel of the box around all masks
function canvasOf(masks, margin = 0) {
  const shown = masks.filter((mask) => mask.area);
  if (!shown.length) return { box: { x: 0, y: 0, width: 0, height: 0 }, bits: new Uint8Array(0) };
  const x = Math.min(...shown.map((mask) => mask.x)) - margin, y = Math.min(...shown.map((mask) => mask.y)) - margin;
  const width = Math.max(...shown.map((mask) => mask.x + mask.width)) - x + margin;
  const height = Math.max(...shown.map((mask) => mask.y + mask.height)) - y + margin;
  return { box: { x, y, width, height }, bits: new Uint8Array(width * height) };
}

function maskOf(bits, { x, y, width, height }) {
  return Mask.fromBits(bits, x, y, width, height);
}

export function union(...masks) {
  const { box, bits } = canvasOf(masks);
  for (const mask of masks) mask.drawInto(bits, box);
  return maskOf(bits, box);
}

export function minus(mask, other) {
  const { box, bits } = canvasOf([mask]);
  if (!bits.length) return mask;
  mask.drawInto(bits, box);
  other.eachSpan((row, left, right) => {
    const y = other.y + row - box.y;
    if (y < 0 || y >= box.height) return;
    const from = Math.max(0, other.x + left - box.x), to = Math.min(box.width, other.x + right - box.x);
    if (from < to) bits.fill(0, y * box.width + from, y * box.width + to);
  });
  return maskOf(bits, box);
}

// the part of a mask inside a picture of this size
export function clipped(mask, { width, height }) {
  const bits = new Uint8Array(width * height);
  mask.eachSpan((row, left, right) => {
    const y = mask.y + row, from = Math.max(0, mask.x + left), to = Math.min(width, mask.x + right);
    if (y < height && from < to) bits.fill(1, y * width + from, y * width + to);
  });
  return Mask.fromBits(bits, 0, 0, width, height);
}

// marks the 4-connected region of equal bytes around a place with a number; gives its size
function flood(bits, labels, start, width, label) {
  const value = bits[start], height = bits.length / width, stack = [start];
  let size = 0;
  labels[start] = label;
  while (stack.length) {
    const at = stack.pop(), x = at % width, y = (at - x) / width;
    size++;
    const visit = (next) => { if (!labels[next] && bits[next] === value) { labels[next] = label; stack.push(next); } };
    if (x > 0) visit(at - 1);
    if (x < width - 1) visit(at + 1);
    if (y > 0) visit(at - width);
    if (y < height - 1) visit(at + width);
  }
  return size;
}

// the 4-connected regions of object pixels: labels from 1, and their sizes
function regions(bits, width) {
  const labels = new Int32Array(bits.length), sizes = [0];
  for (let i = 0; i < bits.length; i++) if (bits[i] && !labels[i]) sizes.push(flood(bits, labels, i, width, sizes.length));
  return { labels, sizes };
}

// the same mask where it has one part only
export function largestPart(mask) {
  const { box, bits } = canvasOf([mask]);
  mask.drawInto(bits, box);
  const { labels, sizes } = regions(bits, box.width);
  if (sizes.length <= 2) return mask;
  const largest = sizes.indexOf(Math.max(...sizes));
  return maskOf(Uint8Array.from(labels, (label) => (label === largest ? 1 : 0)), box);
}

// the same mask where it has none
export function withoutHoles(mask) {
  const { box, bits } = canvasOf([mask], 1); // a margin: all that is outside is one region
  if (!bits.length) return mask;
  mask.drawInto(bits, box);
  const outside = new Int32Array(bits.length);
  flood(bits, outside, 0, box.width, 1);
  const filled = maskOf(Uint8Array.from(outside, (label) => 1 - label), box);
  return filled.area === mask.area ? mask : filled;
}

// The pieces of a mask cut along a line of places [x, y], largest first; parts that the line does not
// touch stay with the largest. One piece: the line did not cut it.
export function cutAlong(mask, line) {
  const { box, bits } = canvasOf([mask]);
  if (!bits.length) return [mask];
  mask.drawInto(bits, box);
  const cut = lineBits(line, box), rest = bits.map((bit, i) => (bit && !cut[i] ? 1 : 0));
  const { labels, sizes } = regions(rest, box.width);
  const touched = touchedBy(cut, bits, labels, box.width);
  if (touched.size < 2) return [mask];
  growInto(bits, labels, box.width);
  const order = [...touched].sort((one, other) => sizes[other] - sizes[one]);
  const pieceOf = (label) => (touched.has(label) ? label : order[0]);
  return order.map((piece) => maskOf(Uint8Array.from(labels, (label) => (label && pieceOf(label) === piece ? 1 : 0)), box));
}

// a line that no 4-connected way leads through: between two pixels of a step the corner is filled too
function lineBits(line, box) {
  const bits = new Uint8Array(box.width * box.height);
  const set = (x, y) => { if (x >= box.x && y >= box.y && x < box.x + box.width && y < box.y + box.height) bits[(y - box.y) * box.width + x - box.x] = 1; };
  line.forEach(([x1, y1], i) => {
    const [x0, y0] = line[Math.max(0, i - 1)];
    const steps = Math.max(1, Math.ceil(2 * Math.hypot(x1 - x0, y1 - y0)));
    let lastX = null, lastY = null;
    for (let step = 0; step <= steps; step++) {
      const x = Math.floor(x0 + (x1 - x0) * step / steps), y = Math.floor(y0 + (y1 - y0) * step / steps);
      if (lastX !== null && x !== lastX && y !== lastY) set(x, lastY);
      set(x, y);
      [lastX, lastY] = [x, y];
    }
  });
  return bits;
}

// the regions beside the line
function touchedBy(cut, bits, labels, width) {
  const touched = new Set();
  cut.forEach((isCut, at) => {
    if (!isCut || !bits[at]) return;
    const x = at % width;
    for (const next of [x > 0 ? at - 1 : -1, x < width - 1 ? at + 1 : -1, at - width, at + width]) {
      if (next >= 0 && next < labels.length && labels[next]) touched.add(labels[next]);
    }
  });
  return touched;
}

// pixels without a region, of the line, go to the region beside them
function growInto(bits, labels, width) {
  let open = [...bits.keys()].filter((at) => bits[at] && !labels[at]);
  while (open.length) {
    const found = [];
    for (const at of open) {
      const x = at % width;
      const beside = [x > 0 ? at - 1 : -1, x < width - 1 ? at + 1 : -1, at - width, at + width].find((next) => next >= 0 && next < labels.length && labels[next] > 0);
      if (beside !== undefined) found.push([at, labels[beside]]);
    }
    if (!found.length) return;
    for (const [at, label] of found) labels[at] = label;
    open = open.filter((at) => !labels[at]);
  }
}
