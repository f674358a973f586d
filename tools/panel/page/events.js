// SPDX-License-Identifier: MIT
// The list of events, newest first.
import { again, latest } from "./link.js";
import { cardWord, money, whenTranslated, word } from "./words.js";
import { clock } from "./ledger.js";

const MOST = 60;
const COLOURS = {
  host_approved: "green", host_declined: "red", host_reversed: "orange", host_received: "blue", batch: "green",
  till_accepted: "amber", till_prepared: "blue", power_on: "plain", power_off: "red", power_cut: "red", fault: "red", reset: "red",
  radio_on: "plain", radio_off: "red", radio_half_open: "orange", radio_slow: "orange", line_cut: "orange", radio_portal: "orange",
};
const list = document.getElementById("events");

/** Draw all events. */
export function drawEvents(events) {
  list.replaceChildren(...events.slice(-MOST).reverse().map(line));
}

/** Add one event. */
export function addEvent(event) {
  latest("events")?.push(event);
  const element = line(event);
  element.classList.add("fresh");
  list.prepend(element);
  while (list.children.length > MOST) list.lastChild.remove();
}

whenTranslated(() => again("events", "world", "till", "ledger"));

function line(event) {
  const element = document.createElement("li");
  element.className = COLOURS[event.what] ?? "plain";
  const time = document.createElement("time");
  time.textContent = clock(event.at);
  element.append(time, word(`event_${event.what}`, {
    ...event,
    amount: event.amount === undefined ? "" : money(event.amount),
    card: event.card ? cardWord(event.card, latest("cards")?.find((card) => card.name === event.card)?.title) : "",
    mood: event.mood ? word(`mood_${event.mood.replace(" ", "_")}`) : "",
  }));
  return element;
}
