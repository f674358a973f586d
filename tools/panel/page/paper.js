// SPDX-License-Identifier: MIT
// The paper: hangs from the slot as it is printed, until it is torn off; a torn piece is kept in the list of receipts.
import { again, send } from "./link.js";
import { line } from "./receipt-line.js";
import { fileReceipts, read } from "./torn.js";
import { whenTranslated } from "./words.js";

const outlet = document.getElementById("paper");
const tear = document.getElementById("tear");
const PULL_PX = 36; // a pull this long tears
let receipts = [];
let shown = -1;

/** Draw the paper at the slot and the list of what was torn off. */
export function drawPaper(all) {
  const fresh = shown >= 0 || all.length === 1;
  receipts = all;
  for (const { lines } of all) while (lines.length && !lines.at(-1).text.trim()) lines.pop();
  const hanging = all.filter((one) => !one.torn), newest = all.at(-1);
  outlet.hidden = tear.hidden = !hanging.length;
  document.body.classList.toggle("hanging", hanging.length > 0);
  outlet.replaceChildren(...hanging.map(piece));
  fileReceipts(all);
  if (!newest || newest.number === shown) return;
  shown = newest.number;
  if (fresh && hanging.length) feed(outlet.lastChild.offsetHeight);
}

/** Move the paper out of the slot by the length of what was printed, in CSS pixels. */
function feed(length) {
  outlet.style.setProperty("--feed", `${length}px`);
  outlet.classList.remove("printing");
  void outlet.offsetWidth;
  outlet.classList.add("printing");
}

function piece({ lines }) {
  const element = document.createElement("span");
  element.className = "piece";
  element.append(...lines.map(line));
  return element;
}

/** Tear off what hangs from the slot. */
export function tearOff() {
  if (outlet.hidden) return;
  const gone = outlet.cloneNode(true);
  gone.removeAttribute("id");
  gone.classList.add("gone");
  gone.inert = true;
  outlet.after(gone);
  gone.addEventListener("animationend", () => gone.remove());
  send({ do: "tear_off" });
}

whenTranslated(() => again("paper"));
tear.addEventListener("click", tearOff);
let pulled = null;
outlet.addEventListener("pointerdown", (event) => { pulled = [event.clientX, event.clientY]; outlet.setPointerCapture(event.pointerId); });
outlet.addEventListener("click", (event) => {
  const far = pulled && event.detail && Math.hypot(event.clientX - pulled[0], event.clientY - pulled[1]) > PULL_PX;
  pulled = null;
  if (far) tearOff();
  else read(receipts.length - 1);
});
