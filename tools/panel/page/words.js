// SPDX-License-Identifier: MIT
// The page's words in both languages, and the listeners for a change of language.
import { EN } from "./words-en.js";
import { ZH } from "./words-zh.js";

const TABLES = { en: EN, zh: ZH };
const KEPT = "kassa-language";
const listeners = [];
let terminal = {}; // the terminal's own texts, by language
let menu = {};
let language = localStorage.getItem(KEPT) ?? (navigator.language.startsWith("zh") ? "zh" : "en");

/** The text of a key, with its {places} filled in; {menu:entry} is a way through the terminal's menu, {says:key} a text of
 * its display. A key without a text is shown as it is. */
export function word(key, places = {}) {
  const table = TABLES[language];
  const text = (places.count === 1 && table[`${key}_one`]) || (table[key] ?? EN[key] ?? key);
  return text.replace(/\{(\w+):(\w+)\}/g, (_, what, name) => (what === "menu" ? menuPath(name) : terminalWord(name)))
    .replace(/\{(\w+)\}/g, (_, name) => places[name] ?? "–");
}

/** Take over the terminal's texts; they are shown from now on. */
export function learnTerminal(texts) {
  terminal = texts;
  translate();
}

/** Take over the terminal's menu. */
export function learnMenu(entries) {
  menu = entries;
  translate();
}

/** A text of the terminal's display. */
export const terminalWord = (key) => terminal[language]?.[key] ?? key;

/** The same text in every language: the terminal's language need not be the page's. */
export const terminalTexts = (key) => Object.values(terminal).map((texts) => texts[key]);

/** The keys that open an entry of the terminal's menu from its home page. */
export const menuKeys = (entry) => menu[entry].keys;

/** The way to an entry of the terminal's menu, in its own words. */
export const menuPath = (entry) => (menu[entry]?.path ?? []).map(terminalWord).join(" › ");

/** A card's title or fault. Without a translation: the catalogue's English. */
export const cardWord = (name, english) => (language === "en" ? english : TABLES[language].cards_by_name[name] ?? english) ?? name;

/** Minor units as ¥12.80; negative ones as -¥12.80. */
export function money(minor) {
  const size = Math.abs(minor);
  return `${minor < 0 ? "-" : ""}¥${Math.floor(size / 100).toLocaleString("en")}.${String(size % 100).padStart(2, "0")}`;
}

/** Call now and after each change of language. */
export function whenTranslated(listener) {
  listeners.push(listener);
  listener();
}

export function chooseLanguage(chosen) {
  language = chosen;
  localStorage.setItem(KEPT, chosen);
  translate();
}

/** Fill in every text of the page. */
export function translate() {
  document.documentElement.lang = language;
  document.title = `Kassa · ${word("claim")}`;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = word(element.dataset.t);
  for (const element of document.querySelectorAll("[data-title]")) element.title = word(element.dataset.title);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", word(element.dataset.label));
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", button.dataset.language === language);
  }
  for (const listener of listeners) listener();
}
