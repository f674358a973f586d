// SPDX-License-Identifier: MIT
// The note on the wall: the numbers and codes of the people who may log in at this terminal.
import { terminalWord } from "./words.js";

const ROLES = { c: "role_c", s: "role_s", a: "role_a" };

/** Draw the note; without staff there is none. */
export function drawNote({ staff }) {
  const note = document.getElementById("note");
  note.hidden = !staff.length;
  note.replaceChildren(...staff.map(({ number, role, code }) => {
    const line = document.createElement("li"), secret = document.createElement("b");
    secret.textContent = `${String(number).padStart(2, "0")} · ${code}`;
    line.append(terminalWord(ROLES[role]), secret);
    return line;
  }));
}
