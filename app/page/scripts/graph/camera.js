/** Where on the canvas a place of the graph stands. Places of the graph have no unit; the canvas counts CSS pixels. */

const LEAST_SCALE = 0.02;
const MOST_SCALE = 8;

/** A view of the plane: `x`, `y` is the pixel of the plane's origin, `scale` pixels per unit. */
export class Camera {
  scale = 1;
  x = 0;
  y = 0;

  /** The pixel of a place. */
  toPixel(x, y) {
    return [x * this.scale + this.x, y * this.scale + this.y];
  }

  /** The place under a pixel. */
  toPlace(x, y) {
    return [(x - this.x) / this.scale, (y - this.y) / this.scale];
  }

  /** Move what is seen by so many pixels. */
  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
  }

  /** Zoom, and keep the place under pixel (x, y) where it is. */
  zoom(factor, x, y) {
    const scale = Math.min(MOST_SCALE, Math.max(LEAST_SCALE, this.scale * factor));
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
  }

  /** The view that shows the box of places in an area of pixels `{left, top, right, bottom}`, no closer than `most`. */
  static showing([x0, y0, x1, y1], area, most = 1.6) {
    const camera = new Camera();
    const [width, height] = [area.right - area.left, area.bottom - area.top];
    const scale = Math.min(most, width / Math.max(1, x1 - x0), height / Math.max(1, y1 - y0));
    camera.scale = Math.min(MOST_SCALE, Math.max(LEAST_SCALE, scale));
    camera.x = (area.left + area.right) / 2 - ((x0 + x1) / 2) * camera.scale;
    camera.y = (area.top + area.bottom) / 2 - ((y0 + y1) / 2) * camera.scale;
    return camera;
  }

  /** Take another view's place, `share` of the way there. */
  approach({ scale, x, y }, share) {
    const next = this.scale * (scale / this.scale) ** share;
    const way = scale === this.scale ? share : (next - this.scale) / (scale - this.scale);
    this.x += (x - this.x) * way;
    this.y += (y - this.y) * way;
    this.scale = next;
  }
}
