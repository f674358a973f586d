// SPDX-License-Identifier: MIT
// The customer's phone: payment codes, payments to confirm, and what became of them. The server decides what it shows.
import { latest, send } from "./link.js";
import { clock } from "./ledger.js";
import { money, word } from "./words.js";

const WALLETS = ["wechat", "alipay", "lightning"];
const MOODS = ["pays", "asks", "refuses", "silent", "late"];
const ICONS = {
  wechat: "M9.5 4C5.4 4 2 6.7 2 10c0 1.9 1.1 3.6 2.9 4.7L4.2 17l2.6-1.3c.9.2 1.8.3 2.7.3M15.5 9.5c-3.6 0-6.5 2.3-6.5 5.2s2.9 5.2 6.5 5.2c.8 0 1.5-.1 2.2-.3l2.2 1.1-.6-1.9c1.6-1 2.7-2.4 2.7-4.1 0-2.9-2.9-5.2-6.5-5.2z",
  alipay: "M6 8h12M12 5v3M8 12h8c-.9 3-3.4 5.6-8.500 5.600C5.500 17.600 4.500 16.500 4.500 15.300c0-1.300 1.200-2.300 3-2.300 4 0 7.500 2.500 12 4.200",
  lightning: "M13 3L5 14h6l-1 7 8-11h-6z",
};
const KEPT = "kassa-wallet";
const tabs = document.getElementById("wallets"), app = document.getElementById("app"), mood = document.getElementById("phone-mood");
let wallet = WALLETS.includes(localStorage.getItem(KEPT)) ? localStorage.getItem(KEPT) : WALLETS[0];
let shows = wallet; // the wallet of the code or question on the phone comes first
let drawn = "";
let seen = ""; // the code or question that was last on the phone

mood.addEventListener("change", () => { act("mood", { wallet: shows, mood: mood.value }); mood.blur(); });

const act = (what, more = {}) => send({ do: "phone", act: what, ...more });

/** Draw everything in the page's language. */
export function drawWallets() {
  tabs.replaceChildren(...WALLETS.map((name) => {
    const tab = button("tab", word(`wallet_${name}`), () => choose(name));
    tab.dataset.wallet = name;
    tab.prepend(icon(name));
    return tab;
  }));
  mood.replaceChildren(...MOODS.map((name) => new Option(word(`phone_mood_${name}`), name)));
  drawn = "";
  if (latest("phone")) drawPhone(latest("phone"));
}

function choose(name) {
  wallet = name;
  localStorage.setItem(KEPT, name);
  act("home");
  drawPhone(latest("phone"));
}

/** Show what the phone displays now. */
export function drawPhone(phone) {
  const now = JSON.stringify([phone, wallet]);
  if (now === drawn) return;
  drawn = now;
  shows = phone.code?.wallet ?? phone.waiting?.wallet ?? wallet;
  for (const tab of tabs.children) tab.setAttribute("aria-pressed", tab.dataset.wallet === shows);
  if (document.activeElement !== mood) mood.value = phone.moods[shows];
  document.getElementById("phone").dataset.shows = shows;
  const news = phone.code?.digits ?? phone.waiting?.id ?? "";
  if (news && news !== seen) document.getElementById("phone").scrollIntoView({ block: "nearest" });
  seen = news;
  app.replaceChildren(...(phone.code ? payCode(phone.code) : phone.waiting ? question(phone.waiting, phone.shop) : home(phone)));
}

function home(phone) {
  const code = button("big", word("phone_code"), () => act("code", { wallet }));
  const scan = button("big", word("phone_scan"), () => act("scan"));
  code.id = "phone-code";
  scan.id = "phone-scan";
  code.disabled = wallet === "lightning";
  scan.classList.toggle("sees", phone.sees);
  const said = text("p", "said", phone.said ? word(`phone_said_${phone.said}`) : code.disabled ? word("phone_no_code") : "");
  return [code, scan, said, list(phone.items)];
}

function payCode(code) {
  const size = code.rows.length;
  const path = code.rows.map((row, y) => [...row].map((dark, x) => (dark === "1" ? `M${x} ${y}h1v1h-1z` : "")).join("")).join("");
  const picture = document.createElement("div");
  picture.className = "qr";
  picture.innerHTML = `<svg viewBox="-3 -3 ${size + 6} ${size + 6}" shape-rendering="crispEdges" role="img"><path d="${path}"/></svg>`;
  picture.firstChild.setAttribute("aria-label", word("phone_digits"));
  const digits = text("p", "digits", code.digits.replace(/(\d{4})(?=\d)/g, "$1 "));
  const hold = button("pay", word("phone_hold"), () => act("hold"));
  hold.id = "phone-hold";
  return [picture, digits, row(button("plain", word("phone_close"), () => act("home")), hold)];
}

function question(item, shop) {
  const pay = button("pay", word("phone_pay"), () => act("pay", item)), refuse = button("plain", word("phone_refuse"), () => act("refuse", item));
  pay.id = "phone-pay";
  refuse.id = "phone-refuse";
  const by = text("p", "by", word(`wallet_${item.wallet}`));
  by.prepend(icon(item.wallet));
  return [by, text("p", "shop", shop), text("p", "sum", money(item.amount)), text("p", "satoshi", satoshi(item)), row(refuse, pay)];
}

function list(items) {
  const rows = document.createElement("ul");
  rows.className = "items";
  for (const item of items) {
    const line = document.createElement("li");
    line.dataset.state = item.state;
    const part = item.state === "back" && item.back < item.amount;
    const state = word(part ? "phone_back_part" : `phone_${item.state}`, { back: money(item.back) });
    const mark = icon(item.wallet);
    mark.setAttribute("class", `icon ${item.wallet}`);
    line.title = [clock(item.at), satoshi(item)].filter(Boolean).join(" · ");
    line.append(mark, text("span", "amount", money(item.amount)), text("span", "state", state));
    rows.append(line);
  }
  if (!items.length) rows.append(text("li", "none", word("phone_empty")));
  return rows;
}

const satoshi = (item) => (item.satoshi ? `${item.satoshi.toLocaleString("en")} sat` : "");

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

function button(kind, label, then) {
  const element = text("button", kind, label);
  element.type = "button";
  element.addEventListener("click", then);
  return element;
}

function row(...children) {
  const element = document.createElement("div");
  element.className = "row";
  element.append(...children);
  return element;
}

function text(tag, kind, content) {
  const element = document.createElement(tag);
  element.className = kind;
  element.textContent = content;
  return element;
}
