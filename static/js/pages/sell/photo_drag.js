/** Reordering by pointer: the picture with a mouse, its handle with a finger (the picture then scrolls the page). */

const FROM_PX = 6; // less is a click with an unsteady hand
const EDGE_PX = 60;
const SCROLL_PX_A_MS = 0.6;

/**
 * @param {HTMLElement} list its items carry data-id; what may be grasped carries data-drag ("mouse" or "any")
 * @param {(id: string, place: number) => void} moveTo
 */
export function addDragging(list, moveTo) {
  let drag = null; // {item, grip, x, y, scrollY, places: [{item, x, y}], to, begun}

  list.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest("[data-drag]");
    const item = grip?.closest("[data-id]");
    if (!item || drag || event.button !== 0 || list.children.length < 2) return;
    if (event.pointerType !== "mouse" && grip.dataset.drag === "mouse") return;
    drag = { item, grip, x: event.clientX, y: event.clientY, scrollY, to: -1, begun: false };
    grip.setPointerCapture(event.pointerId);
  });
  list.addEventListener("dragstart", (event) => event.preventDefault()); // the browser's own dragging of pictures
  list.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const across = event.clientX - drag.x;
    const down = event.clientY - drag.y;
    if (!drag.begun && Math.hypot(across, down) < FROM_PX) return;
    if (!drag.begun) begin();
    event.preventDefault();
    drag.at = { x: event.clientX, y: event.clientY };
    follow();
  });
  document.addEventListener("pointerup", () => end(true));
  document.addEventListener("pointercancel", () => end(false));
  list.addEventListener("lostpointercapture", () => end(false));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && drag?.begun) end(false);
  });

  function begin() {
    drag.begun = true;
    drag.places = [...list.children].map((item) => {
      const { left, top, width, height } = item.getBoundingClientRect();
      return { item, x: left + width / 2, y: top + scrollY + height / 2 };
    });
    drag.item.classList.add("is-dragged");
    drag.at = { x: drag.x, y: drag.y };
    requestAnimationFrame(scrollNearEdge);
  }

  function follow() {
    const { at, item } = drag;
    item.style.transform = `translate(${at.x - drag.x}px, ${at.y - drag.y + scrollY - drag.scrollY}px)`;
    aim(at.x, at.y + scrollY);
  }

  /** Frame by frame while it is held near an edge: a finger that rests there moves no more. */
  function scrollNearEdge(now) {
    if (!drag?.begun) return;
    if (!drag.item.isConnected) return end(false); // a file that turned out to be no photo
    const { y } = drag.at;
    const way = y < EDGE_PX && y < drag.y ? -1 : y > innerHeight - EDGE_PX && y > drag.y ? 1 : 0;
    if (way !== 0) {
      scrollBy(0, way * Math.min(SCROLL_PX_A_MS * (now - (drag.scrolledAt ?? now)), EDGE_PX));
      follow();
    }
    drag.scrolledAt = now;
    requestAnimationFrame(scrollNearEdge);
  }

  function aim(x, y) {
    const distance = (place) => Math.hypot(place.x - x, place.y - y);
    const nearest = drag.places.reduce((best, place) => (distance(place) < distance(best) ? place : best));
    drag.to = drag.places.indexOf(nearest);
    for (const { item } of drag.places) item.classList.toggle("is-target", item === nearest.item && item !== drag.item);
  }

  function end(isDropped) {
    if (!drag) return;
    const { item, to, begun, places } = drag;
    drag = null;
    if (!begun) return;
    item.classList.remove("is-dragged");
    item.style.transform = "";
    for (const place of places) place.item.classList.remove("is-target");
    if (isDropped && to >= 0 && list.children[to] !== item) moveTo(item.dataset.id, to);
  }
}
