// SPDX-License-Identifier: MIT
// On a narrow window the terminal stays on top, and what is around it opens as a sheet over its keys, one part at a time.
const KEYS = "keys";
const LEAST_PX = 250; // of the sheet
const bar = document.getElementById("panes");
const narrow = matchMedia("(max-width: 900px)");

/** Whether the window is narrow. */
export const isNarrow = () => narrow.matches;

/** Open a part: "cards", "phone", "world", "host"; "keys" closes the sheet. */
export function openPane(name) {
  document.body.dataset.pane = name;
  for (const button of bar.children) button.setAttribute("aria-pressed", button.dataset.pane === name);
  document.getElementById("around").scrollTop = 0;
  if (name !== KEYS) fit();
}

/** The sheet begins below the display, if that leaves enough room for it. */
function fit() {
  const glass = document.querySelector(".glass").getBoundingClientRect();
  const below = innerHeight - (glass.bottom + scrollY) - bar.offsetHeight - 6;
  if (narrow.matches) scrollTo({ top: Math.max(0, LEAST_PX - below) });
  document.body.style.setProperty("--sheet", `${Math.max(LEAST_PX, below)}px`);
}

for (const button of bar.children) {
  button.addEventListener("click", () => openPane(document.body.dataset.pane === button.dataset.pane ? KEYS : button.dataset.pane));
}
addEventListener("resize", () => document.body.dataset.pane !== KEYS && fit());
openPane(KEYS);
