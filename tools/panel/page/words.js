// SPDX-License-Identifier: MIT
// The page's words in both languages, and the listeners for a change of language.
import { EN } from "./words-en.js";
import { ZH } from "./words-zh.js";

const TABLES = { en: EN, zh: ZH };
const KEPT = "kassa-language";
const listeners = [];
let language = localStorage.getItem(KEPT) ?? (navigator.language.startsWith("zh") ? "zh" : "en");

/** The text of a key, with its {places} filled in. A key without a text is shown as it is. */
export function word(key, places = {}) {
  const table = TABLES[language];
  const text = (places.count === 1 && table[`${key}_one`]) || (table[key] ?? EN[key] ?? key);
  return text.replace(/\{(\w+)\}/g, (_, name) => places[name] ?? "–");
}

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
