// SPDX-License-Identifier: MIT
// "Try this": each story plays itself on the terminal, using only commands that a visitor has too.
import { latest, on, send } from "./link.js";
import { press } from "./keypad.js";
import { menuKeys, terminalTexts, word } from "./words.js";

const PATIENCE_MS = 30000;
const shows = (key) => terminalTexts(key).some((text) => latest("screen")?.some((line) => line.includes(text)));
const world = () => latest("world"), till = () => latest("till");
let running = null;

const radio = (state) => [`radio_${state}`, async (play) => { send({ do: "radio", state }); await play.until(() => world().radio === state); }];
const type = (keys) => ["amount", async (play) => { await play.keys(`${keys}E`); await play.until(() => world().waiting); await play.rest(500); }];
const tap = (card) => ["tap", async (play) => { send({ do: "tap", card }); await play.until(() => !world().waiting); }];
const rest = (step, ms) => [step, (play) => play.rest(ms)];
const online = ["ready", async (play) => {
  send({ do: "mood", mood: "normal" });
  send({ do: "radio", state: "on" });
  send({ do: "power", on: true });
  await play.until(() => world().power && latest("screen")?.length > 2 && till().waiting.count === 0 && !till().reversing);
  await play.home();
  await play.logIn();
}];

const STORIES = {
  offline: [online, radio("off"), rest("radio_off", 2500), type("1280"), tap("jade"),
    ["look", async (play) => { await play.until(() => till().waiting.count > 0); await play.rest(3500); await play.keys("E"); }],
    radio("on"), ["settle", async (play) => { await play.until(() => till().waiting.count === 0); await play.rest(1500); }]],
  plug: [online, type("3350"),
    ["cut", async (play) => { send({ do: "cut" }); await play.rest(900); send({ do: "tap", card: "coral" }); await play.until(() => !world().power); }],
    rest("dark", 1800),
    ["plug", async (play) => { send({ do: "power", on: true }); await play.until(() => world().power && latest("screen")?.length > 4); }],
    rest("fate", 3500)],
  forged: [online, type("4900"), tap("forged"), rest("answer", 3500)],
  decline: [online, ["mood", async (play) => { send({ do: "mood", mood: "decline 51" }); await play.rest(900); }],
    type("8800"), tap("lotus"), rest("answer", 3500), ["done", async () => send({ do: "mood", mood: "normal" })]],
  phone: [online,
    ["code", async (play) => { phone("mood", { wallet: "wechat", mood: "asks" }); await play.open("qr_scan"); await play.keys("1250E"); await play.rest(900); }],
    ["hold", async (play) => {
      phone("code", { wallet: "wechat" });
      await play.until(() => latest("phone").code);
      await play.rest(1800);
      phone("hold");
      await play.until(() => latest("phone").waiting);
    }],
    ["agree", async (play) => { await play.rest(2500); phone("pay", latest("phone").waiting); await play.until(paid); }],
    ["paid", async (play) => { phone("mood", { wallet: "wechat", mood: "pays" }); await play.rest(3000); }]],
  lightning: [online,
    ["show", async (play) => { await play.open("qr_show"); await play.keys("DDE"); await play.rest(900); await play.keys("880E"); await play.until(() => latest("phone").sees); await play.rest(1500); }],
    ["scan", async (play) => { phone("scan"); await play.until(() => latest("phone").waiting); await play.rest(2500); }],
    ["agree", async (play) => { phone("pay", latest("phone").waiting); await play.until(paid); }],
    rest("paid", 3000)],
  batch: [online, ["menu", async (play) => { await play.open("settle"); }],
    ["confirm", async (play) => { await play.keys("E"); await play.rest(3500); }]],
};

const phone = (act, more = {}) => send({ do: "phone", act, ...more });
const paid = () => !latest("phone").waiting && !till().waiting.count && latest("ledger").payments[0]?.state === "APPROVED";

class Play {
  constructor() { this.stopped = false; }
  async rest(ms) {
    await new Promise((done) => setTimeout(done, ms));
    if (this.stopped) throw new Error("stopped");
  }
  async until(ready) {
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await this.rest(60)) if (ready()) return;
    throw new Error("late");
  }
  async keys(keys) {
    for (const key of keys) { press(key); await this.rest(220); }
  }
  /** Open an entry of the terminal's menu. */
  async open(entry) {
    for (const key of menuKeys(entry)) {
      await this.keys(key);
      await this.rest(500);
    }
    await this.rest(400);
  }
  /** Log in as the first of the staff on the note, if the terminal asks. */
  async logIn() {
    const staff = latest("shop").staff[0];
    if (!staff || !shows("log_in")) return;
    await this.keys(`${staff.number}E`);
    await this.rest(900);
    await this.keys(`${staff.code}E`);
    await this.until(() => shows("home_hint"));
  }
  /** Go to the home page from anywhere: Cancel leaves a question, Enter a message, Cancel an amount. */
  async home() {
    await this.keys("CEC");
    await this.rest(300);
  }
}

async function run(name, button) {
  if (running) return void (running.stopped = true);
  const play = (running = new Play());
  document.body.classList.add("playing");
  button.classList.add("running");
  try {
    for (const [title, act] of STORIES[name]) {
      say(`step_${title}`, "step");
      await act(play);
    }
    say("played", "step");
  } catch (error) {
    say(play.stopped ? "try_hint" : error.message, "step");
  }
  running = null;
  document.body.classList.remove("playing");
  button.classList.remove("running");
}

function say(key, kind = "") {
  const line = document.getElementById("story-says");
  line.textContent = word(key);
  line.classList.toggle("step", kind === "step");
}

/** Draw the list of stories. */
export function drawStories() {
  say("try_hint");
  document.getElementById("stories").replaceChildren(...Object.keys(STORIES).map((name) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "story";
    button.textContent = word(`story_${name}`);
    button.title = word(`story_${name}_says`);
    button.dataset.story = name;
    button.addEventListener("click", () => run(name, button));
    button.addEventListener("pointerenter", () => running || say(`story_${name}_says`));
    button.addEventListener("focus", () => running || say(`story_${name}_says`));
    return button;
  }));
}
