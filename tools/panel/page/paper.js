// SPDX-License-Identifier: MIT
// The receipt: scrolls out of the slot as it is printed, opens for reading, and leads back to earlier receipts.
const outlet = document.getElementById("paper");
const dialog = document.getElementById("receipts");
const sheet = document.getElementById("sheet");
const WIDE = /[^\x00-\x7f]/; // two bytes of GBK, two columns wide
let receipts = [];
let shown = -1;
let open = 0;

/** Show the newest receipt at the slot. */
export function drawPaper(all) {
  const fresh = shown >= 0 || all.length === 1;
  receipts = all;
  for (const { lines } of all) while (lines.length && !lines.at(-1).text.trim()) lines.pop();
  const newest = all.at(-1);
  outlet.hidden = !newest;
  if (!newest || newest.number === shown) return;
  shown = newest.number;
  outlet.replaceChildren(...newest.lines.map(line));
  outlet.classList.remove("printing");
  if (fresh) {
    void outlet.offsetWidth;
    outlet.classList.add("printing");
  }
}

function line({ text, align, bold, size }) {
  const element = document.createElement("span");
  element.className = `line a${align}${bold ? " bold" : ""}${size === 2 ? " double" : ""}`;
  for (const part of text.match(/[^\x00-\x7f]|[\x00-\x7f]+/g) ?? [" "]) {
    if (WIDE.test(part)) {
      const cell = document.createElement("i");
      cell.textContent = part;
      element.append(cell);
    } else element.append(part);
  }
  return element;
}

function show(index) {
  open = Math.max(0, Math.min(index, receipts.length - 1));
  sheet.replaceChildren(...receipts[open].lines.map(line));
  document.getElementById("receipt-before").disabled = open === 0;
  document.getElementById("receipt-after").disabled = open === receipts.length - 1;
}

outlet.addEventListener("click", () => { show(receipts.length - 1); dialog.showModal(); });
document.getElementById("receipt-before").addEventListener("click", () => show(open - 1));
document.getElementById("receipt-after").addEventListener("click", () => show(open + 1));
dialog.addEventListener("click", (event) => { if (event.target === dialog || event.target.closest("#sheet")) dialog.close(); });
addEventListener("keydown", (event) => {
  if (!dialog.open) return;
  if (event.key === "ArrowLeft") show(open - 1);
  if (event.key === "ArrowRight") show(open + 1);
});
