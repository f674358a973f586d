// SPDX-License-Identifier: MIT
// The receipts that were torn off: listed, and opened for reading one after another.
import { clock } from "./ledger.js";
import { line } from "./receipt-line.js";
import { terminalTexts } from "./words.js";

const MONEY = /-?[¥￥][\d,.]+/;
const dialog = document.getElementById("receipts");
const sheet = document.getElementById("sheet");
let receipts = [];
let open = 0;

/** The list of what was torn off, newest first. */
export function fileReceipts(all) {
  receipts = all;
  const torn = all.filter((one) => one.torn);
  document.getElementById("torn").hidden = !torn.length;
  document.getElementById("torn-rows").replaceChildren(...torn.toReversed().map((one) => {
    const row = document.createElement("li"), button = document.createElement("button"), time = document.createElement("time"), sum = document.createElement("b");
    time.textContent = clock(one.at);
    sum.textContent = amount(one);
    button.type = "button";
    button.append(time, title(one), sum);
    button.addEventListener("click", () => read(receipts.indexOf(one)));
    row.append(button);
    return row;
  }));
}

/** The kind of transaction it names, or its first line that is no large print. */
function title({ lines }) {
  for (const label of terminalTexts("r_type")) {
    const found = lines.find(({ text }) => text.startsWith(`${label} `));
    if (found) return found.text.slice(label.length).trim();
  }
  return (lines.find(({ text, size }) => text.trim() && size === 1) ?? lines[0]).text.trim();
}

const amount = ({ lines }) => lines.find(({ text }) => MONEY.test(text))?.text.match(MONEY)[0].replace("￥", "¥") ?? "";

function show(index) {
  open = Math.max(0, Math.min(index, receipts.length - 1));
  sheet.replaceChildren(...receipts[open].lines.map(line));
  document.getElementById("receipt-before").disabled = open === 0;
  document.getElementById("receipt-after").disabled = open === receipts.length - 1;
}

/** Open a receipt for reading, by its place among all. */
export function read(index) {
  show(index);
  dialog.showModal();
}

document.getElementById("receipt-before").addEventListener("click", () => show(open - 1));
document.getElementById("receipt-after").addEventListener("click", () => show(open + 1));
dialog.addEventListener("click", (event) => { if (event.target === dialog || event.target.closest("#sheet")) dialog.close(); });
addEventListener("keydown", (event) => {
  if (!dialog.open) return;
  if (event.key === "ArrowLeft") show(open - 1);
  if (event.key === "ArrowRight") show(open + 1);
});
