// The page's beginning: who looks, the live stream, and which views are loaded when.

import { ask, by, keepToken, once } from "./page.js";
import { showFace, startFace } from "./face.js";
import { showNow } from "./now.js";

const HIDDEN_GRACE_MS = 2000;
const RETRY_MS = 2000;
const views = [];
const modules = [];
let session = null;
let stream = null;
let retry = null;
let last = { rows: null, events: null, day: null };

export function whenRows(load) { views.push({ load: once(load), on: "rows" }); }
export function whenEvents(load) { views.push({ load: once(load), on: "events" }); }

function reload(...kinds) {
  for (const view of views) if (kinds.includes(view.on)) view.load();
}

async function begin() {
  session = await ask("api/session");
  keepToken(session.token);
  by("hold").hidden = !session.is_demo;
  by("serial").textContent = session.serial;
  document.title = `Meter ${session.serial}`;
}

function linked(text, isLost = false) {
  const link = by("link");
  if (link.textContent !== text) link.textContent = text;
  link.classList.toggle("lost", isLost);
}

function take(message) {
  const shown = JSON.parse(message.data);
  linked("live");
  showFace(shown);
  showNow(shown);
  for (const module of modules) module.show?.(shown);
  if (shown.rows !== last.rows || shown.clock.settlement_date !== last.day) reload("rows");
  if (shown.events !== last.events) reload("events");
  last = { rows: shown.rows, events: shown.events, day: shown.clock.settlement_date };
}

function open() {
  close();
  stream = new EventSource("api/live");
  stream.addEventListener("snapshot", take);
  stream.addEventListener("trouble", (message) => linked(JSON.parse(message.data).error, true));
  stream.addEventListener("error", () => {
    linked("no connection to the meter, trying again", true);
    close();
    retry = setTimeout(resume, RETRY_MS);
  });
}

function close() {
  clearTimeout(retry);
  stream?.close();
  stream = null;
}

async function resume() {
  try {
    await begin();
    for (const module of modules) module.signedOn?.(session);
    if (session.reading_level < 1) { linked("sign on to see live values", true); return; }
    if (!document.hidden) open();
  } catch {
    retry = setTimeout(resume, RETRY_MS);
  }
}

let hiding = null;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (document.hidden) hiding = setTimeout(() => { close(); linked("paused"); }, HIDDEN_GRACE_MS);
  else if (stream === null) resume();
});
addEventListener("pagehide", close);
addEventListener("pageshow", (shown) => { if (shown.persisted) resume(); });

startFace();
resume();
