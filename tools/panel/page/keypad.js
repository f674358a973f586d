// SPDX-License-Identifier: MIT
// The 4x4 keypad, by mouse, touch and keyboard.
import { send } from "./link.js";
import { whenTranslated, word } from "./words.js";

const KEYS = "123C456B789UM0DE";
const KINDS = { C: "cancel", B: "clear", E: "enter", U: "up", D: "down", M: "menu" };
const ICONS = {
  C: "M6 6l12 12M18 6L6 18", B: "M9 5h11v14H9l-6-7zM12 9.5l5 5M17 9.5l-5 5", E: "M19 6v6H6M10 8l-4 4 4 4",
  U: "M12 19V6M6.5 11.5L12 6l5.5 5.5", D: "M12 5v13M6.5 12.5L12 18l5.5-5.5", M: "M5 7h14M5 12h14M5 17h14",
};
const KEYBOARD = { Enter: "E", Escape: "C", Backspace: "B", Delete: "B", ArrowUp: "U", ArrowDown: "D", m: "M", M: "M" };
const SHOWN_MS = 110;

/** Draw the keys; listen to the pointer and to the keyboard. */
export function drawKeys() {
  const pad = document.getElementById("keys");
  for (const key of KEYS) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.key = key;
    button.className = `key ${KINDS[key] ?? "digit"}`;
    button.innerHTML = ICONS[key] ? `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[key]}"/></svg>${"UD".includes(key) ? "" : `<small>${key}</small>`}` : key;
    button.addEventListener("pointerdown", (event) => { event.preventDefault(); press(key); });
    button.addEventListener("click", (event) => { if (event.detail === 0) press(key); }); // by Tab and Space
    pad.append(button);
  }
  whenTranslated(() => {
    for (const button of pad.children) if (KINDS[button.dataset.key]) {
      button.title = word(`key_${KINDS[button.dataset.key]}`);
      button.setAttribute("aria-label", button.title);
    }
  });
  addEventListener("keydown", typed);
}

/** Press a key of the terminal. */
export function press(key) {
  send({ do: "key", key });
  const button = document.querySelector(`[data-key="${key}"]`);
  button.classList.add("pressed");
  setTimeout(() => button.classList.remove("pressed"), SHOWN_MS);
}

function typed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest?.("select, input")) return;
  if (event.key === "Enter" && event.target.closest?.("button, summary")) return;
  const key = /^[0-9]$/.test(event.key) ? event.key : KEYBOARD[event.key];
  if (!key) return;
  event.preventDefault();
  press(key);
}
