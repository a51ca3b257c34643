// @ts-check
// Masks as run lengths inside their box: [x0, y0, width, height, run, run, ...], uint32, base64.
// Runs go row by row and alternate between background and object, starting with background.

import { borderPath } from "./border.js";

export class Mask {
  constructor(numbers) {
    this.numbers = numbers;
    this.x = numbers[0];
    this.y = numbers[1];
    this.width = numbers[2];
    this.height = numbers[3];
    this.images = new Map();
    this.copies = [];
  }

  static fromText(text) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return new Mask(new Uint32Array(bytes.buffer));
  }

  // bits: one byte per pixel of the box (x, y, width, height)
  static fromBits(bits, x, y, width, height) {
    const box = tightBox(bits, width, height);
    if (!box) return new Mask(new Uint32Array(4));
    const runs = [x + box.x, y + box.y, box.width, box.height];
    let value = 0, run = 0;
    for (let row = box.y; row < box.y + box.height; row++) {
      for (let i = row * width + box.x; i < row * width + box.x + box.width; i++) {
        if (bits[i] === value) run++;
        else { runs.push(run); value = bits[i]; run = 1; }
      }
    }
    runs.push(run);
    return new Mask(Uint32Array.from(runs));
  }

  get text() {
    if (!this.encoded) {
      const bytes = new Uint8Array(this.numbers.buffer, this.numbers.byteOffset, this.numbers.byteLength);
      let binary = "";
      for (let i = 0; i < bytes.length; i += 8192) binary += String.fromCharCode(...bytes.subarray(i, i + 8192));
      this.encoded = btoa(binary);
    }
    return this.encoded;
  }

  get area() {
    if (this.pixels === undefined) {
      this.pixels = 0;
      for (let i = 5; i < this.numbers.length; i += 2) this.pixels += this.numbers[i];
    }
    return this.pixels;
  }

  // calls visit(start, end) for every run of object pixels, as offsets inside the box
  eachRun(visit) {
    let at = 0;
    for (let i = 4; i < this.numbers.length; i++) {
      const end = at + this.numbers[i];
      if (i % 2 === 1) visit(at, end);
      at = end;
    }
  }

  contains(x, y) {
    const column = Math.floor(x) - this.x, row = Math.floor(y) - this.y;
    if (column < 0 || row < 0 || column >= this.width || row >= this.height) return false;
    const wanted = row * this.width + column;
    let at = 0;
    for (let i = 4; i < this.numbers.length; i++) {
      at += this.numbers[i];
      if (wanted < at) return i % 2 === 1;
    }
    return false;
  }

  // calls visit(row, left, right) for every stretch of object pixels in a row of the box
  eachSpan(visit) {
    const { width } = this;
    this.eachRun((start, end) => {
      for (let at = start; at < end;) {
        const row = Math.floor(at / width), stop = Math.min(end, (row + 1) * width);
        visit(row, at - row * width, stop - row * width);
        at = stop;
      }
    });
  }

  // writes the mask into a byte buffer that covers box (x, y, width, ...)
  drawInto(bits, box) {
    this.eachSpan((row, left, right) => {
      const at = (this.y + row - box.y) * box.width + this.x - box.x;
      bits.fill(1, at + left, at + right);
    });
  }

  // the mask in pixels of 2 ** depth, for a picture that is shown that much smaller; nothing small gets lost
  coarser(depth) {
    if (!depth || !this.area) return this;
    return this.copies[depth] ||= coarserMask(this, depth);
  }

  // the mask as a canvas of its box in one opaque colour, kept for the next frame
  image(color) {
    if (!this.images.has(color)) this.images.set(color, this.painted(color));
    return this.images.get(color);
  }

  painted(color) {
    const canvas = new OffscreenCanvas(Math.max(1, this.width), Math.max(1, this.height));
    const context = canvas.getContext("2d");
    const data = context.createImageData(canvas.width, canvas.height);
    const pixels = new Uint32Array(data.data.buffer);
    const [red, green, blue] = rgbOf(color);
    const value = (255 << 24 | blue << 16 | green << 8 | red) >>> 0;
    this.eachRun((start, end) => pixels.fill(value, start, end));
    context.putImageData(data, 0, 0);
    return canvas;
  }

  // the pixel edges between mask and background, in picture coordinates
  get border() {
    if (!this.path) this.path = borderPath(this);
    return this.path;
  }
}

function rgbOf(color) {
  return [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
}

function tightBox(bits, width, height) {
  let left = width, right = -1, top = -1, bottom = -1;
  for (let row = 0; row < height; row++) {
    const line = bits.subarray(row * width, (row + 1) * width);
    const first = line.indexOf(1);
    if (first < 0) continue;
    if (top < 0) top = row;
    bottom = row;
    left = Math.min(left, first);
    right = Math.max(right, line.lastIndexOf(1));
  }
  return top < 0 ? null : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

function coarserMask(mask, depth) {
  const x = mask.x >> depth, y = mask.y >> depth;
  const width = ((mask.x + mask.width - 1) >> depth) - x + 1, height = ((mask.y + mask.height - 1) >> depth) - y + 1;
  const bits = new Uint8Array(width * height);
  mask.eachSpan((row, left, right) => {
    const at = (((mask.y + row) >> depth) - y) * width - x;
    bits.fill(1, at + ((mask.x + left) >> depth), at + ((mask.x + right - 1) >> depth) + 1);
  });
  return Mask.fromBits(bits, x, y, width, height);
}
