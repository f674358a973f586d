// SPDX-License-Identifier: MIT
// The terminal's surroundings: Wi-Fi switch, power plug, the host's mood.
import { again, latest, send } from "./link.js";
import { whenTranslated, word } from "./words.js";

const MOODS = ["normal", "decline 51", "decline 05", "silent", "slow 2000", "late 5000", "cut", "bad_mac", "html", "mismatch", "twice", "wrong_amount"];
const plug = document.getElementById("plug"), cut = document.getElementById("cut"), mood = document.getElementById("mood");

for (const button of document.querySelectorAll("[data-radio]")) {
  button.addEventListener("click", () => send({ do: "radio", state: button.dataset.radio }));
}
plug.addEventListener("click", () => togglePower());
cut.addEventListener("click", () => send({ do: "cut" }));
document.getElementById("line-cut").addEventListener("click", () => send({ do: "line", bytes: Number(document.getElementById("line-bytes").value) }));
for (const button of document.querySelectorAll("[data-clock]")) {
  const step = button.dataset.clock;
  button.addEventListener("click", () => send({ do: "clock", ...(step === "morning" ? { until: step } : { hours: Number(step) }) }));
}
mood.addEventListener("change", () => { send({ do: "mood", mood: mood.value }); mood.blur(); });

/** Fill the list of moods. */
export function listMoods() {
  whenTranslated(() => {
    mood.replaceChildren(...MOODS.map((value) => new Option(word(`mood_${value.replace(" ", "_")}`), value)));
    again("world");
  });
}

/** Switch the Wi-Fi on or off; pull or insert the plug. */
export const toggleRadio = () => send({ do: "radio", state: latest("world")?.radio === "on" ? "off" : "on" });
export const togglePower = () => send({ do: "power", on: !latest("world")?.power });

/** Show the shop's time. */
function drawClock(moment) {
  const hour = Number(moment.slice(11, 13)), time = document.getElementById("shop-time");
  time.dateTime = moment;
  time.textContent = `${hour >= 6 && hour < 19 ? "☀" : "☾"} ${moment.slice(5, 10)} ${moment.slice(11, 16)}`;
}

/** Show the current state. */
export function drawWorld(world) {
  for (const button of document.querySelectorAll("[data-radio]")) {
    button.setAttribute("aria-pressed", button.dataset.radio === world.radio);
  }
  plug.setAttribute("aria-pressed", world.power);
  plug.querySelector("span").textContent = word(world.power ? "plug_pull" : "plug_in");
  cut.disabled = !world.power || world.cut;
  cut.classList.toggle("armed", world.cut);
  document.getElementById("line-cut").disabled = world.line_cut;
  document.getElementById("line-cut").classList.toggle("armed", world.line_cut);
  drawClock(world.clock);
  if (document.activeElement !== mood) mood.value = world.mood;
  document.getElementById("device").classList.toggle("off", !world.power);
  const road = document.getElementById("road");
  road.dataset.air = world.power ? world.radio : "dark";
  document.getElementById("air-word").textContent = word(world.power ? `air_${world.radio}` : "air_dark");
}
