// A month as a map: a line for each day, a cell for each half-hour.

import { ask, by, draw, make, say } from "./page.js";
import { channelName, written } from "./channels.js";
import { openDay } from "./day.js";

const CELL = 10;
const SHADES = 5;
// What is not known is a strip, so that nobody has to tell it from a shade by its colour.
const GAP_Y = 3;
let month = null;
let shown = null;
let channel = "import_wh";

export function startMonth(page) {
  by("month-channel").closest("label").hidden = true;
  page.whenRows(load);
  by("month").addEventListener("change", () => open(by("month").value || null));
  by("month-before").addEventListener("click", () => open(moved(-1)));
  by("month-after").addEventListener("click", () => open(moved(1)));
  by("month-channel").addEventListener("change", () => { channel = by("month-channel").value; render(); });
}

function moved(months) {
  const at = new Date(`${by("month").value || new Date().toISOString().slice(0, 7)}-15T00:00:00Z`);
  at.setUTCMonth(at.getUTCMonth() + months);
  return at.toISOString().slice(0, 7);
}

async function open(wanted) {
  month = wanted;
  await load().catch((refusal) => by("month-map").replaceChildren(make("p", { className: "answer refused" }, refusal.message)));
}

async function load() {
  const wanted = month ?? (await ask("api/clock"))[0].settlement_date?.slice(0, 7);
  if (!wanted) return;
  const told = await ask(`api/month?month=${wanted}`);
  if (month !== null && month !== wanted) return;
  shown = told;
  by("month").value = wanted;
  choices();
  render();
}

function choices() {
  const keys = [...new Set(shown.flatMap((day) => Object.keys(day.channels)))];
  if (keys.length && !keys.includes(channel)) channel = keys[0];
  const select = by("month-channel");
  if ([...select.options].map((each) => each.value).join() !== keys.join()) {
    select.replaceChildren(...keys.map((key) => make("option", { value: key }, channelName(key))));
  }
  select.value = channel;
  select.closest("label").hidden = keys.length === 0;
}

function render() {
  const top = Math.max(1, ...shown.flatMap((day) => (day.channels[channel] ?? []).map((value) => value ?? 0)));
  const lines = shown.filter((day) => day.before < day.periods);
  by("month-map").replaceChildren(...beginning(lines), ...lines.map((day) => line(day, top)));
  const most = top > 1 ? written(channel, top) : "most";
  by("month-legend").replaceChildren(
    make("li", {}, swatch("gap"), "no data, or not for the whole half-hour"),
    make("li", {}, swatch("none"), "nothing"),
    make("li", {}, ...Array.from({ length: SHADES }, (_, at) => swatch("shade", (at + 1) / SHADES)), `little to ${most}`));
}

// Days before the meter's first row are no gaps, and no lines.
function beginning(lines) {
  if (lines.length === shown.length) return [];
  const words = lines.length ? `The meter began on ${dayName(lines[0])}.` : "The meter began later.";
  return [make("p", { className: "help" }, words)];
}

function dayName(day) {
  return new Date(`${day.date}T12:00:00Z`).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", timeZone: "UTC" });
}

function swatch(kind, opacity = 1) {
  const y = kind === "gap" ? GAP_Y : 0;
  const box = draw("rect", { class: kind, y, width: CELL, height: CELL - 2 * y, ...(kind === "shade" ? { opacity: opacity.toFixed(1) } : {}) });
  return draw("svg", { viewBox: `0 0 ${CELL} ${CELL}`, "aria-hidden": "true" }, box);
}

function line(day, top) {
  const cells = day.channels[channel] ?? [];
  const gaps = new Set(day.gaps[channel] ?? []);
  const total = cells.reduce((sum, value) => sum + (value ?? 0), 0);
  const name = make("button", { type: "button", "aria-label": `Open ${day.date}` }, dayName(day));
  name.addEventListener("click", () => { openDay(day.date); by("day-title").scrollIntoView(); });
  const sum = make("span", { className: "sum" });
  const isKnown = cells.some((value, at) => value !== null && !gaps.has(at + 1)) || total > 0;
  say(sum, isKnown ? short(total) : gaps.size ? "no data" : "");
  const lacking = gaps.size === 0 ? "" : `, ${gaps.size} half-hours without data`;
  const words = isKnown ? `${written(channel, total)}${lacking}` : gaps.size ? "no data" : "yet to come";
  const picture = draw("svg", { viewBox: `0 0 ${day.periods * CELL} ${CELL}`, preserveAspectRatio: "none", role: "img", "aria-label": `${day.date}: ${words}` });
  for (const [from, to] of stretches(gaps)) picture.append(draw("rect", { class: "gap", x: (from - 1) * CELL, y: GAP_Y, width: (to - from + 1) * CELL, height: CELL - 2 * GAP_Y }));
  cells.forEach((value, at) => {
    if (value === null || gaps.has(at + 1)) return;
    if (value === 0) {
      picture.append(draw("rect", { class: "none", x: at * CELL, y: 0, width: CELL, height: CELL }));
      return;
    }
    const shade = Math.ceil((value / top) * SHADES) / SHADES;
    picture.append(draw("rect", { x: at * CELL, y: 0, width: CELL, height: CELL, opacity: shade.toFixed(1) }));
  });
  return make("div", { className: "line" }, name, picture, sum);
}

// Neighbours in one piece: a week without power is a rectangle a day.
function stretches(numbers) {
  const found = [];
  for (const each of [...numbers].sort((a, b) => a - b)) {
    if (found.length && found.at(-1)[1] === each - 1) found.at(-1)[1] = each;
    else found.push([each, each]);
  }
  return found;
}

function short(total) {
  if (channel.endsWith("h")) return `${(total / 1000).toFixed(1)} k${channel.endsWith("varh") ? "varh" : "Wh"}`;
  return String(total);
}
