// SPDX-License-Identifier: MIT
// Connects each topic of the link to the part of the page that shows it.
import { again, connect, on } from "./link.js";
import { band, readAloud } from "./display.js";
import { drawKeys } from "./keypad.js";
import { drawCards, moveCards } from "./cards.js";
import "./panes.js";
import { drawPaper } from "./paper.js";
import { drawPhone, drawWallets } from "./phone.js";
import { drawWorld, listMoods } from "./world.js";
import { drawLedger, drawTill } from "./ledger.js";
import { addEvent, drawEvents } from "./events.js";
import { drawNote } from "./note.js";
import { drawShortcuts } from "./shortcuts.js";
import { drawStories } from "./stories.js";
import { chooseLanguage, learnMenu, learnTerminal, translate, whenTranslated } from "./words.js";

drawKeys();
listMoods();
whenTranslated(drawWallets);
whenTranslated(drawStories);
whenTranslated(drawShortcuts);
whenTranslated(() => again("shop"));
on("words", learnTerminal);
on("menu", learnMenu);
on("picture", band);
on("screen", readAloud);
on("cards", drawCards);
on("world", (world) => { drawWorld(world); moveCards(world); });
on("shop", (shop) => { document.getElementById("supervisor").textContent = shop.supervisor;
  document.querySelector(".world .code").hidden = shop.staff.length > 0; });
on("shop", drawNote);
on("paper", drawPaper);
on("phone", drawPhone);
on("till", drawTill);
on("ledger", drawLedger);
on("events", drawEvents);
on("event", addEvent);

for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => chooseLanguage(button.dataset.language));
}
// A clicked button gives up the focus, so that Enter still goes to the terminal.
document.addEventListener("click", (event) => {
  if (event.detail > 0 && event.target.closest("button, summary")) document.activeElement?.blur();
});
translate();
connect();
