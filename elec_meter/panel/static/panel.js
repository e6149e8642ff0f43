// The page's beginning: who looks, the live stream, and which views are loaded when.

import { ask, by, keepToken, once, say, whenRefused } from "./page.js";
import { showFace, startFace } from "./face.js";
import { showNow } from "./now.js";
import { startDay } from "./day.js";
import { startMonth } from "./month.js";
import { startTables } from "./tables.js";
import { startUse } from "./use.js";
import { startAccess } from "./access.js";
import { darkness, startDemo } from "./demo.js";
import { startPairing } from "./pairing.js";

const HIDDEN_GRACE_MS = 2000;
const RETRY_MS = 2000;
const RELOAD_MS = 3000;
const pending = new Map();
const loaded = {};
const views = [];
const shows = [];
const sessions = [];
let session = null;
let stream = null;
let retry = null;
let last = { rows: null, events: null, day: null };

const page = {
  whenRows(load) { views.push({ load: once(load), on: "rows" }); },
  whenEvents(load) { views.push({ load: once(load), on: "events" }); },
  whenLive(show) { shows.push(show); },
  whenSession(told) { sessions.push(told); },
  renew(isWanted = false) { resume(isWanted); },
};

// In a demo a half-hour may pass twice a second: views are then loaded less often.
function reload(kind) {
  if (pending.has(kind)) return;
  const wait = Math.max(0, (loaded[kind] ?? -RELOAD_MS) + RELOAD_MS - performance.now());
  pending.set(kind, setTimeout(() => {
    pending.delete(kind);
    loaded[kind] = performance.now();
    for (const view of views) if (view.on === kind) view.load();
  }, wait));
}

// Who was signed on and is no more is told why, unless it was their own wish.
async function begin(isWanted) {
  const before = session;
  session = await ask("api/session");
  session.ended = "";
  if (before?.level && !session.level && !isWanted) {
    session.ended = before.run === session.run ? "Your sign-on has ended: sign on again." : "The meter has restarted: sign on again.";
  }
  keepToken(session.token);
  by("hold").hidden = !session.is_demo;
  say(by("serial"), session.serial);
  document.title = `Meter ${session.serial}`;
}

function linked(text, isLost = false) {
  const link = by("link");
  say(link, text);
  link.classList.toggle("lost", isLost);
}

function take(message) {
  const shown = JSON.parse(message.data);
  linked("live");
  showFace(shown);
  showNow(shown);
  for (const show of shows) show(shown);
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
    linked(darkness() || "no connection to the meter, trying again", !darkness());
    close();
    retry = setTimeout(resume, RETRY_MS);
  });
}

function close() {
  clearTimeout(retry);
  stream?.close();
  stream = null;
}

async function resume(isWanted = false) {
  try {
    await begin(isWanted);
    for (const told of sessions) told(session);
    if (session.reading_level < 1) { close(); linked("sign on to see live values", true); return; }
    if (!document.hidden && stream === null) open();
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

whenRefused(resume);
startFace();
for (const start of [startUse, startDay, startMonth, startTables, startAccess, startDemo, startPairing]) start(page);
resume();
