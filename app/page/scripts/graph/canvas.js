/**
 * The canvas: paints a scene when it must, keeps the view fitting until it is moved, and tells what is pointed at.
 *
 * Of a heavy scene, frames of a movement show the last picture shifted and scaled; it is painted anew as often as a
 * share of the time allows, and when the movement rests.
 */

import { h } from "../dom.js";
import { Camera } from "./camera.js";
import { followGestures } from "./gestures.js";
import { paletteOf, watchTheme } from "./palette.js";
import { Scene } from "./scene.js";

const HEAVY = 4000;
const LEAST_WAIT_MS = 150;
const SHARE_OF_TIME = 5;
const SHARE_AT_REST = 2;
const REST_MS = 140;
const GLIDE_MS = 260;
const STEP = 1.35;

/** Tells `pick` (detail `{node, link}`; both empty for the ground). */
export class GraphCanvas extends EventTarget {
  scene = new Scene();
  element = h("canvas", { class: "graph-canvas", tabindex: "0", role: "img", label: "graph.canvas" });
  /** Pixels at the edges that other things cover: `{left, top, right, bottom}`. */
  margins = { left: 70, top: 70, right: 70, bottom: 60 };
  /** Hears the new width before the view is fitted to it. */
  onResize = () => {};
  #tip = h("p", { class: "graph-tip", hidden: true, "aria-hidden": "true" });
  #context = this.element.getContext("2d");
  #picture = document.createElement("canvas");
  #pictured = null;
  /** When the whole was painted, and how long that took (milliseconds); `unweighed` until the frame after. */
  #painted = { at: -Infinity, cost: 0 };
  #stale = true;
  #hasty = false;
  #frame = 0;
  #movedAt = -Infinity;
  #seen = { width: 0, height: 0 };
  /** What is kept in view: `all`, indices of nodes, or null once the reader has moved the view. */
  #target = "all";
  #glide = null;
  #tipOf;

  /** `tipOf({node, link})` gives the children of the small note beside the pointer. */
  constructor(tipOf) {
    super();
    this.#tipOf = tipOf;
    this.scene.camera = new Camera();
    this.figure = h("div", { class: "graph-figure" }, this.element, this.#tip);
    followGestures(this.element, {
      pan: (dx, dy) => this.#move((camera) => camera.pan(dx, dy)),
      zoom: (factor, x, y) => this.#move((camera) => camera.zoom(factor, x, y)),
      point: (x, y, touch) => this.#point(x, y, touch),
      pick: (x, y, touch) => this.#pick(x, y, touch),
      leave: () => this.#point(-1e6, -1e6),
      fit: () => this.fit(),
    });
    new ResizeObserver(() => this.#resize()).observe(this.figure);
    watchTheme(() => this.restyle());
  }

  /** Show another model; `keepView` leaves the camera where it is. */
  show(model, places, keepView) {
    this.scene.setModel(model, places);
    this.#pictured = null;
    this.#painted = { at: -Infinity, cost: 0 };
    if (!keepView) this.#target = "all";
    this.paint();
  }

  /** Nodes have moved. */
  setPlaces(places) {
    this.scene.places = places;
    if (this.#target) this.#look(this.#fitting(), false);
    this.paint();
  }

  /** Bring all of it into view, and keep it there while it is being laid out. */
  fit() {
    this.#target = "all";
    this.#look(this.#fitting(), true);
  }

  /** Bring these nodes into view. */
  focusOn(indices) {
    this.#target = indices;
    this.#look(this.#fitting(), true);
  }

  /** Zoom in (`+1`) or out (`-1`) on the middle. */
  step(direction) {
    const { width, height } = this.#size();
    this.#glide = null;
    this.#move((camera) => camera.zoom(STEP ** direction, width / 2, height / 2));
  }

  /** Colours or fonts have changed. */
  restyle() {
    this.scene.palette = null;
    this.paint();
  }

  /** Paint with one of the next frames. */
  paint() {
    this.#stale = true;
    this.#request();
  }

  #request() {
    this.#frame ||= requestAnimationFrame((now) => this.#onFrame(now));
  }

  #onFrame(now) {
    this.#frame = 0;
    if (!this.#prepare()) return;
    if (this.#painted.unweighed) this.#painted = { at: this.#painted.at, cost: now - this.#painted.at };
    if (this.#glide) this.#glideOn(now);
    const moving = this.#glide !== null || now - this.#movedAt < REST_MS;
    const heavy = this.scene.weight > HEAVY;
    const stale = this.#stale || this.#hasty || moving;
    if (stale && (!heavy || this.#due(now, moving))) this.#paintWhole(now, heavy, moving);
    else if (moving) this.#shift();
    if (moving || this.#stale || this.#hasty || this.#painted.unweighed) this.#request();
  }

  /** Whether there is a canvas to paint on; it gets its size and its colours. */
  #prepare() {
    const { width, height } = this.#size();
    if (width === 0) return false;
    const [w, t] = [Math.round(width * this.#ratio()), Math.round(height * this.#ratio())];
    if (this.element.width !== w) this.element.width = w;
    if (this.element.height !== t) this.element.height = t;
    this.scene.palette ??= paletteOf(this.figure);
    return true;
  }

  /** Whether painting anew is worth its time already. */
  #due(now, moving) {
    const share = moving ? SHARE_OF_TIME : SHARE_AT_REST;
    return now - this.#painted.at >= Math.max(moving ? LEAST_WAIT_MS : 0, share * this.#painted.cost);
  }

  #paintWhole(now, heavy, moving) {
    const { width, height } = this.#size();
    this.#stale = false;
    this.#hasty = heavy && moving;
    this.scene.paint(this.#context, width, height, this.#ratio(), this.#hasty);
    this.#painted = { at: now, cost: this.#painted.cost, unweighed: heavy };
    if (heavy) this.#keepPicture();
  }

  #keepPicture() {
    const { width, height } = this.element;
    if (this.#picture.width !== width) this.#picture.width = width;
    if (this.#picture.height !== height) this.#picture.height = height;
    const context = this.#picture.getContext("2d");
    context.clearRect(0, 0, width, height);
    context.drawImage(this.element, 0, 0);
    this.#pictured = { ...this.scene.camera };
  }

  /** Show the last picture where it belongs in the view of now. */
  #shift() {
    if (!this.#pictured) return;
    const { camera } = this.scene;
    const ratio = this.#ratio();
    const grown = camera.scale / this.#pictured.scale;
    const [x, y] = [camera.x - this.#pictured.x * grown, camera.y - this.#pictured.y * grown];
    this.#context.setTransform(1, 0, 0, 1, 0, 0);
    this.#context.clearRect(0, 0, this.element.width, this.element.height);
    this.#context.setTransform(grown, 0, 0, grown, x * ratio, y * ratio);
    this.#context.drawImage(this.#picture, 0, 0);
  }

  #ratio() {
    return Math.min(2, devicePixelRatio || 1);
  }

  #size() {
    return { width: this.figure.clientWidth, height: this.figure.clientHeight };
  }

  #resize() {
    const { width, height } = this.#size();
    const [dx, dy] = [width - this.#seen.width, height - this.#seen.height];
    if (width > 0) this.#seen = { width, height };
    if (width > 0 && this.scene.model) {
      this.onResize(width);
      if (this.#target) this.#look(this.#fitting(), false);
      else this.scene.camera.pan(dx / 2, dy / 2);
    }
    this.paint();
  }

  #move(change) {
    this.#target = null;
    this.#glide = null;
    this.#movedAt = performance.now();
    change(this.scene.camera);
    this.#tip.hidden = true;
    this.paint();
  }

  #fitting() {
    const { places, model } = this.scene;
    const indices = this.#target === "all" ? (model?.nodes.map(({ index }) => index) ?? []) : this.#target;
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (const index of indices) {
      const [x, y] = [places[2 * index], places[2 * index + 1]];
      if (Number.isNaN(x)) continue;
      box[0] = Math.min(box[0], x);
      box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x);
      box[3] = Math.max(box[3], y);
    }
    if (box[0] > box[2]) return this.scene.camera;
    const { width, height } = this.#size();
    const { left, top, right, bottom } = this.margins;
    const area = { left, top, right: Math.max(left + 80, width - right), bottom: Math.max(top + 80, height - bottom) };
    return Camera.showing(box, area);
  }

  #look(target, gently) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#glide = gently && !still ? { target, until: performance.now() + GLIDE_MS } : null;
    if (!this.#glide) this.scene.camera.approach(target, 1);
    this.paint();
  }

  #glideOn(now) {
    const left = this.#glide.until - now;
    this.scene.camera.approach(this.#glide.target, left <= 16 ? 1 : Math.min(1, 32 / left));
    if (left <= 16) this.#glide = null;
  }

  #under(x, y, touch) {
    const node = this.scene.nodeAt(x, y, touch ? 16 : 5);
    return { node, link: node >= 0 ? null : this.scene.linkAt(x, y, touch ? 12 : 5) };
  }

  #point(x, y, touch = false) {
    if (!this.scene.model) return;
    const found = this.#under(x, y, touch);
    const { hovered } = this.scene;
    this.element.classList.toggle("pointing", found.node >= 0 || found.link !== null);
    if (found.node >= 0 || found.link) this.#showTip(found, x, y);
    else this.#tip.hidden = true;
    if (found.node === hovered.node && found.link === hovered.link) return;
    this.scene.hovered = found;
    this.paint();
  }

  #showTip(found, x, y) {
    this.#tip.replaceChildren(...this.#tipOf(found));
    this.#tip.hidden = false;
    const { width, height } = this.#size();
    const below = y + 16 + this.#tip.offsetHeight < height;
    this.#tip.style.left = `${Math.min(x + 14, width - this.#tip.offsetWidth - 8)}px`;
    this.#tip.style.top = `${below ? y + 16 : y - 12 - this.#tip.offsetHeight}px`;
  }

  #pick(x, y, touch) {
    if (!this.scene.model) return;
    this.dispatchEvent(new CustomEvent("pick", { detail: this.#under(x, y, touch) }));
  }

  /** Where a node stands, in pixels of the page. */
  pixelOf(index) {
    const { left, top } = this.element.getBoundingClientRect();
    const { places, camera } = this.scene;
    const [x, y] = camera.toPixel(places[2 * index], places[2 * index + 1]);
    return [left + x, top + y];
  }
}
