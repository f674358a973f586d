// SPDX-License-Identifier: MIT
// The host's ledger, and the payments still waiting on the terminal.
import { latest } from "./link.js";
import { money, terminalWord, word } from "./words.js";

const STATES = { RECEIVED: "blue", APPROVED: "green", DECLINED: "red", REVERSED: "orange" };
const SHADES = { authorising: "blue", approved_card: "green", cash_taken: "green", cash_returned: "green" }; // waiting: amber
const at = (id) => document.getElementById(id);
let seen = null;

/** Draw the terminal's side: the waiting payments, read from its flash. */
export function drawTill(till) {
  at("waiting-sum").textContent = money(till.waiting.sum);
  at("waiting-count").textContent = word("payments_count", { count: till.waiting.count });
  at("road").classList.toggle("waits", till.waiting.count > 0);
  at("queue").hidden = !till.waiting.rows.length;
  at("queue-rows").replaceChildren(...till.waiting.rows.map((row) => {
    const line = document.createElement("li");
    line.append(text("time", clock(row.at * 1000, true)), text("pan", masked(row.card)), text("amount", money(row.amount)),
      pill(SHADES[row.word] || "amber", terminalWord(row.word)));
    return line;
  }));
  at("flash").textContent = word("flash", till);
  agree();
}

/** Draw the host's side. */
export function drawLedger(ledger) {
  const batch = openBatch(ledger);
  at("settled-sum").textContent = money(batch ? batch.amount : 0);
  at("settled-count").textContent = word("payments_count", { count: batch ? batch.count : 0 });
  at("batch-word").textContent = batch ? word("batch_open", { number: batch.number }) : "";
  at("no-payments").hidden = ledger.payments.length > 0;
  const known = seen;
  seen = new Map(ledger.payments.map((payment) => [payment.id, payment.state + payment.closed]));
  at("payments").replaceChildren(...ledger.payments.slice(0, 100).map((payment) => {
    const row = paymentRow(payment);
    if (known && known.get(payment.id) !== seen.get(payment.id)) row.classList.add("fresh");
    return row;
  }));
  const closed = ledger.batches.filter((one) => one.state === "closed");
  at("closed").hidden = !closed.length;
  at("batches").replaceChildren(...closed.slice(0, 5).map((one) => {
    const line = document.createElement("li");
    line.append(text("number", one.number), text("count", word("payments_count", { count: one.count })),
      text("amount", money(one.amount)), pill("closed", word("state_closed")));
    return line;
  }));
  agree();
}

const openBatch = (ledger) => ledger.batches.find((batch) => batch.state === "open");

function paymentRow(payment) {
  const row = document.createElement("tr");
  const kind = payment.kind === "card" ? "" : word(`kind_${payment.kind.replaceAll(" ", "_").replaceAll("-", "_")}`);
  const card = cell("pan", masked(payment.card) || kind);
  if (payment.card && kind) card.append(text("under", kind));
  card.append(text("under", word("trace", payment) + (payment.rrn ? ` · ${word("reference", payment)}` : "")));
  const state = payment.closed && payment.state === "APPROVED" ? pill("closed", word("state_closed"))
    : pill(STATES[payment.state], word(`state_${payment.state}`));
  const last = cell("state", "");
  last.append(state);
  if (payment.quarantined) last.append(pill("orange", word("state_held")));
  last.append(text("under", payment.code ? word("code", payment) : word("code_none")));
  row.title = payment.text ?? "";
  row.append(cell("time", clock(payment.received)), card, cell("amount right", money(payment.amount)), last);
  return row;
}

/** Show whether both sides have the same total. */
function agree() {
  const till = latest("till"), ledger = latest("ledger");
  if (!till || !ledger) return;
  const batch = openBatch(ledger);
  const there = batch ? batch.amount : 0;
  const same = there === till.settled.sum;
  at("agree").className = `agree ${same ? "yes" : "no"}`;
  at("agree").textContent = till.waiting.count ? word("agree_waits", { count: till.waiting.count, sum: money(till.waiting.sum) })
    : same ? word("agree_yes", { sum: money(there) }) : word("agree_no", { here: money(till.settled.sum), there: money(there) });
}

const masked = (card) => (card ? `${card.slice(0, 4)} ${card.slice(4, 6)}•• •••• ${card.slice(-4)}` : "");

/** Time of day. `local`: the moment is already in the terminal's local time. */
export function clock(moment, local = false) {
  return new Date(moment).toLocaleTimeString("en-GB", local ? { timeZone: "UTC" } : {});
}

function text(kind, content) {
  const element = document.createElement("span");
  element.className = kind;
  element.textContent = content;
  return element;
}

function cell(kind, content) {
  const element = document.createElement("td");
  element.className = kind;
  element.textContent = content;
  return element;
}

function pill(colour, content) {
  return text(`pill ${colour}`, content);
}
