// SPDX-License-Identifier: MIT
// The websocket: receives news by topic, sends commands, reconnects automatically. Keeps the newest value of each topic.
const listeners = {};
const known = {};
let socket;
let pause = 300;

/** Call `listener` with each value of `topic`, starting with the current one; "picture" is bytes. */
export function on(topic, listener) {
  (listeners[topic] ||= []).push(listener);
  if (topic in known) listener(known[topic]);
}

/** The newest value of a topic. */
export const latest = (topic) => known[topic];

/** Send a command; see tools/panel/commands.py. */
export function send(command) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(command));
}

/** Notify the listeners of these topics again, for example after a change of language. */
export function again(...topics) {
  for (const topic of topics) if (topic in known) tell(topic, known[topic]);
}

/** Connect, and reconnect whenever the connection is lost. */
export function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/link`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => { pause = 300; lost(false); };
  socket.onmessage = ({ data }) => {
    if (typeof data !== "string") return tell("picture", new Uint8Array(data));
    const { topic, value } = JSON.parse(data);
    if (topic !== "event") known[topic] = value;
    tell(topic, value);
  };
  socket.onclose = () => {
    lost(true);
    setTimeout(connect, pause);
    pause = Math.min(pause * 2, 3000);
  };
}

function tell(topic, value) {
  for (const listener of listeners[topic] ?? []) listener(value);
}

function lost(is) {
  document.getElementById("lost").hidden = !is;
  document.body.classList.toggle("is-lost", is);
}
