// SPDX-License-Identifier: MIT
// Cards to click (a tap) or to drag onto the reader and leave there. The server decides which cards are on the reader.
import { latest, send } from "./link.js";
import { isNarrow } from "./panes.js";
import { whenTranslated, cardWord, terminalWord, word } from "./words.js";

const CHIP = '<svg class="chip" viewBox="0 0 36 28" aria-hidden="true"><rect x="1" y="1" width="34" height="26" rx="5"/><path d="M1 10h11v8H1M35 10H24v8h11M12 1v26M24 1v26"/></svg>';
const WAVES = '<svg class="mark" viewBox="0 0 48 40" aria-hidden="true"><path d="M10 14q5 6 0 12M18 9q9 11 0 22M26 5q12 15 0 30M34 1q16 19 0 38"/></svg>';
const MOVED_PX = 6;
const reader = document.getElementById("reader");
let drawn = [];
let lying = [];

/** Draw the good cards and the drawer of bad ones. */
export function drawCards(cards) {
  drawn = cards;
  const fan = document.getElementById("fan"), bad = document.getElementById("bad");
  fan.replaceChildren(...cards.filter((card) => card.good).map((card) => plastic(card)));
  bad.replaceChildren(...cards.filter((card) => !card.good).map(row));
  document.getElementById("bad-count").textContent = bad.children.length;
  label();
}

function row(card) {
  const line = document.createElement("div");
  line.className = "bad-row";
  line.append(plastic(card));
  line.insertAdjacentHTML("beforeend", "<p><b></b><span></span></p>");
  line.querySelector("p").addEventListener("click", () => send({ do: "tap", card: card.name }));
  return line;
}

function plastic(card) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "card";
  element.dataset.card = card.name;
  element.style.setProperty("--colour", card.colour);
  element.innerHTML = `${CHIP}${WAVES}<span class="title"></span><small class="does"></small><span class="number"></span><span class="tail"></span>`;
  element.querySelector(".number").textContent = card.number;
  element.querySelector(".tail").textContent = card.number && `•• ${card.number.slice(-4)}`;
  element.addEventListener("pointerdown", (event) => grab(event, element, card.name));
  element.addEventListener("pointerenter", () => hint(card));
  element.addEventListener("pointerleave", () => hint(null));
  element.addEventListener("focus", () => hint(card));
  element.addEventListener("blur", () => hint(null));
  element.addEventListener("click", (event) => { if (event.detail === 0) send({ do: "tap", card: card.name }); });
  return element;
}

const find = (name) => document.querySelector(`[data-card="${name}"]`);

whenTranslated(label);
document.querySelector(".drawer").addEventListener("toggle", () => { if (latest("world")) moveCards(latest("world")); });
function label() {
  hint(null);
  for (const card of drawn) {
    const element = find(card.name);
    const title = cardWord(card.name, card.title);
    element.querySelector(".title").textContent = title;
    element.setAttribute("aria-label", `${title} ${card.number} ${says(card)}`);
    element.querySelector(".does").textContent = card.offline === "approved_card" ? terminalWord(card.offline) : "";
    const beside = element.nextElementSibling;
    if (!card.good && beside) {
      beside.querySelector("b").textContent = title;
      beside.querySelector("span").textContent = says(card);
    }
  }
}

/** What a card does: what is wrong with a bad one, what becomes of a small sale offline with a good one. */
const says = (card) => (card.says ? cardWord(`${card.name}_says`, card.says) : word("without_wifi", { result: terminalWord(card.offline) }));

/** Below the cards: what the card under the pointer does, or else how to use them. */
function hint(card) {
  document.getElementById("cards-hint").textContent = card ? `${cardWord(card.name, card.title)} · ${says(card)}` : word("cards_hint");
}

/** Move the cards to where the world reports them. */
export function moveCards(world) {
  for (const name of lying) if (!world.lying.includes(name)) place(find(name), null);
  lying = world.lying;
  visit();
  lying.forEach((name, index) => {
    const element = find(name);
    if (element && !element.classList.contains("held")) place(element, index);
  });
  reader.classList.toggle("waiting", world.waiting);
  reader.classList.toggle("occupied", lying.length > 0);
}

/** Show on the reader, without animation, each lying card that is bad or has no visible element. */
function visit() {
  const guests = drawn.filter((card) => lying.includes(card.name) && (!card.good || isNarrow() || !find(card.name).offsetParent));
  for (const guest of reader.querySelectorAll(".guest")) if (!guests.some((card) => card.name === guest.dataset.guest)) guest.remove();
  for (const card of guests) if (!reader.querySelector(`[data-guest="${card.name}"]`)) {
    const guest = document.createElement("button");
    guest.type = "button";
    guest.className = "card guest";
    guest.dataset.guest = card.name;
    guest.style.setProperty("--colour", card.colour);
    guest.innerHTML = `${CHIP}${WAVES}<span class="title"></span><span class="number"></span>`;
    guest.querySelector(".title").textContent = cardWord(card.name, card.title);
    guest.querySelector(".number").textContent = card.number;
    guest.addEventListener("click", () => send({ do: "take", card: card.name }));
    reader.append(guest);
  }
}

function place(element, index) {
  if (!element) return;
  element.classList.toggle("on-reader", index !== null);
  element.style.transform = "";
  if (index === null || isNarrow() || element.closest(".bad-row") || !element.offsetParent) return;
  const from = untouched(element), to = reader.getBoundingClientRect();
  const x = to.left + to.width * 0.66 - (from.left + from.width / 2) + index * 14;
  const y = to.top + to.height * 0.4 - (from.top + from.height / 2) + index * 10;
  const size = 155 / from.width;
  element.style.transform = `translate(${x}px, ${y}px) rotate(${-4 + index * 5}deg) scale(${size})`;
}

/** The element's box without its transform. */
function untouched(element) {
  const kept = [element.style.transform, element.style.transition];
  element.style.transition = "none";
  element.style.transform = "none";
  const box = element.getBoundingClientRect();
  element.style.transform = kept[0];
  void element.offsetWidth; // force a layout, so that the animation starts from the current place
  element.style.transition = kept[1];
  return box;
}

function grab(down, element, name) {
  if (down.button !== 0) return;
  down.preventDefault();
  if (lying.includes(name)) return send({ do: "take", card: name });
  element.setPointerCapture(down.pointerId);
  let moved = false, over = false, carried = null; // in a sheet that scrolls a copy is carried, as the card itself would be clipped
  const move = (event) => {
    const x = event.clientX - down.clientX, y = event.clientY - down.clientY;
    if (!moved && Math.hypot(x, y) < MOVED_PX) return;
    moved = true;
    element.classList.add("held");
    if (isNarrow()) carried = carry(carried ?? element.cloneNode(true), event);
    else element.style.transform = `translate(${x}px, ${y}px) rotate(-3deg) scale(.9)`;
    const box = reader.getBoundingClientRect();
    const inside = event.clientX > box.left && event.clientX < box.right && event.clientY > box.top && event.clientY < box.bottom;
    if (inside !== over) send({ do: inside ? "lay" : "take", card: name });
    over = inside;
  };
  let scrolled = false;
  element.addEventListener("pointercancel", () => { scrolled = true; }, { once: true });
  const up = () => {
    element.removeEventListener("pointermove", move);
    element.classList.remove("held");
    carried?.remove();
    if (!moved && !scrolled) send({ do: "tap", card: name });
    else if (!moved) return;
    else place(element, over ? 0 : null);
  };
  element.addEventListener("pointermove", move);
  element.addEventListener("lostpointercapture", up, { once: true });
}

function carry(copy, event) {
  copy.className = "card carried";
  copy.removeAttribute("data-card");
  copy.style.left = `${event.clientX}px`;
  copy.style.top = `${event.clientY}px`;
  document.body.append(copy);
  return copy;
}
