/** How a drawing is moved: dragged, wheeled, pinched, or by keys. */

const STILL = 4;
const KEY_PIXELS = 60;
const KEY_ZOOM = 1.25;
const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** `on`: `pan(dx, dy)`, `zoom(factor, x, y)`, `point(x, y)`, `pick(x, y, touch)`, `leave()`, `fit()`; pixels of `element`. */
export function followGestures(element, on) {
  const fingers = new Map();
  let [moved, spread] = [0, 0];
  const at = (event) => {
    const { left, top } = element.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };

  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    if (fingers.size === 0) moved = 0;
    fingers.set(event.pointerId, at(event));
    spread = spreadOf(fingers);
  });
  element.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    const before = fingers.get(event.pointerId);
    if (!before) return event.pointerType === "mouse" && on.point(x, y);
    const [dx, dy] = [x - before[0], y - before[1]];
    moved += Math.abs(dx) + Math.abs(dy);
    if (fingers.size === 1 && moved <= STILL) return;
    fingers.set(event.pointerId, [x, y]);
    element.classList.add("dragging");
    on.pan(dx / fingers.size, dy / fingers.size);
    if (fingers.size > 1) spread = pinch(fingers, spread, on);
  });
  const up = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    element.classList.remove("dragging");
    spread = spreadOf(fingers);
    if (event.type === "pointerup" && fingers.size === 0 && moved <= STILL)
      on.pick(...at(event), event.pointerType !== "mouse");
  };
  element.addEventListener("pointerup", up);
  element.addEventListener("pointercancel", up);
  element.addEventListener("pointerleave", () => fingers.size === 0 && on.leave());
  element.addEventListener("wheel", (event) => onWheel(event, at(event), on), { passive: false });
  element.addEventListener("keydown", (event) => onKey(event, element, on));
}

function onWheel(event, [x, y], on) {
  event.preventDefault();
  const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
  const quick = event.ctrlKey ? 0.01 : 0.0018; // a pinch on a touch pad comes as a wheel with Ctrl
  on.zoom(Math.exp(-Math.max(-300, Math.min(300, pixels)) * quick), x, y);
}

function onKey(event, element, on) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { clientWidth: width, clientHeight: height } = element;
  const arrow = ARROWS[event.key];
  const far = event.shiftKey ? 3 * KEY_PIXELS : KEY_PIXELS;
  if (arrow) on.pan(arrow[0] * far, arrow[1] * far);
  else if (event.key === "+" || event.key === "=") on.zoom(KEY_ZOOM, width / 2, height / 2);
  else if (event.key === "-") on.zoom(1 / KEY_ZOOM, width / 2, height / 2);
  else if (event.key === "0") on.fit();
  else return;
  event.preventDefault();
}

function spreadOf(fingers) {
  const [a, b] = [...fingers.values()];
  return b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : 0;
}

function pinch(fingers, before, on) {
  const [a, b] = [...fingers.values()];
  const now = spreadOf(fingers);
  if (before > 0 && now > 0) on.zoom(now / before, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
  return now;
}
