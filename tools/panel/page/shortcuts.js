// SPDX-License-Identifier: MIT
// Keyboard shortcuts for what is around the terminal, and the list of all keys below it.
import { send } from "./link.js";
import { tearOff } from "./paper.js";
import { togglePower, toggleRadio } from "./world.js";
import { terminalWord, word } from "./words.js";

const KEPT = "kassa-card"; // the card that was tapped last
const FIRST = "jade";
const DO = {
  k: () => send({ do: "tap", card: sessionStorage.getItem(KEPT) ?? FIRST }),
  t: tearOff,
  w: toggleRadio,
  p: togglePower,
};

/** List every key and what it does. */
export function drawShortcuts() {
  const keys = [["0–9"], ["Enter"], ["↑ ↓"], ["Esc", terminalWord("key_cancel")], ["⌫", terminalWord("key_clear")], ["M", terminalWord("key_menu")],
    ...Object.keys(DO).map((key) => [key.toUpperCase(), word(`shortcut_${key}`)])];
  document.getElementById("shortcuts").replaceChildren(...keys.map(([key, says = ""]) => {
    const item = document.createElement("span"), cap = document.createElement("kbd");
    cap.textContent = key;
    item.append(cap, says);
    return item;
  }));
}

document.addEventListener("pointerdown", (event) => {
  const card = event.target.closest?.("[data-card]");
  if (card) sessionStorage.setItem(KEPT, card.dataset.card);
});
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || document.querySelector("dialog[open]")) return;
  if (event.target.closest?.("select, input")) return;
  DO[event.key.toLowerCase()]?.();
});
