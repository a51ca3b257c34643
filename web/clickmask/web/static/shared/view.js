// @ts-check
// Zoom and position: which part of the picture is seen, and the way between picture and screen pixels.

const BAR_PX = 76;

export class View {
  constructor() {
    this.scale = 1;
    this.left = 0; // screen position of the picture's corner
    this.top = 0;
    this.fitted = true;
    this.bar = BAR_PX; // what lies over the lower edge of the stage
  }

  fit(picture, screen) {
    const margin = Math.min(24, screen.width * 0.03);
    const bottom = Math.max(margin, Math.min(this.bar, screen.height * 0.16));
    const wide = (screen.width - 2 * margin) / picture.width, high = (screen.height - margin - bottom) / picture.height;
    this.scale = Math.min(wide, high, 8);
    this.left = (screen.width - picture.width * this.scale) / 2;
    this.top = margin + (screen.height - margin - bottom - picture.height * this.scale) / 2;
    this.fitted = true;
  }

  zoomAt(x, y, factor) {
    const scale = Math.min(64, Math.max(0.02, this.scale * factor));
    const change = scale / this.scale;
    this.left = x - (x - this.left) * change;
    this.top = y - (y - this.top) * change;
    this.scale = scale;
    this.fitted = false;
  }

  move(dx, dy) {
    this.left += dx;
    this.top += dy;
    this.fitted = false;
  }

  showBox(box, screen) {
    this.scale = Math.min(8, 0.6 * Math.min(screen.width / box.width, screen.height / box.height));
    this.left = screen.width / 2 - (box.x + box.width / 2) * this.scale;
    this.top = screen.height / 2 - (box.y + box.height / 2) * this.scale;
    this.fitted = false;
  }

  toPicture(x, y) {
    return [(x - this.left) / this.scale, (y - this.top) / this.scale];
  }

  toScreen(x, y) {
    return [x * this.scale + this.left, y * this.scale + this.top];
  }

  apply(context, ratio) {
    const s = this.scale * ratio;
    context.setTransform(s, 0, 0, s, this.left * ratio, this.top * ratio);
  }
}
