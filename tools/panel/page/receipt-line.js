// SPDX-License-Identifier: MIT
// A printed line: a Chinese character takes two columns.
const WIDE = /[^\x00-\x7f]/; // two bytes of GBK, two columns wide

/** The element of a line {text, align, bold, size}. */
export function line({ text, align, bold, size }) {
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
