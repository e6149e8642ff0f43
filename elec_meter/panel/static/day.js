// The half-hours of one settlement day: a chart for each channel, or a table.

import { ask, by, draw, hour, hourOfZone, make, say, table } from "./page.js";
import { channelKind, channelName, standing, written } from "./channels.js";

const WIDTH = 960;
const HEIGHT = 112;
const FLOOR = 104;
const CEILING = 12;
// A few Wh are no mountain, and a day of no more than that needs little room.
const LEAST_TOP_WH = 20;
const LEGEND = [["ok", "measured"], ["late", "interpolated, adjusted or final late"], ["doubt", "doubtful"], ["off", "power off"], ["unknown", "not known yet"]];
let asked = null;
let shown = null;
let charts = [];
let cursor = -1;

export function startDay(page) {
  page.whenRows(load);
  by("day-legend").replaceChildren(...LEGEND.map(([kind, words]) => make("li", {}, make("i", { className: kind }), words)));
  by("day").addEventListener("change", () => openDay(by("day").value || null));
  by("day-today").addEventListener("click", () => openDay(null));
  by("day-before").addEventListener("click", () => openDay(moved(-1)));
  by("day-after").addEventListener("click", () => openDay(moved(1)));
  by("day-table").addEventListener("change", render);
}

export async function openDay(day) {
  asked = day;
  cursor = -1;
  try {
    await load();
  } catch (refusal) {
    say(by("day-summary"), refusal.message);
  }
}

function moved(days) {
  const day = new Date(`${by("day").value || shown?.date}T12:00:00Z`);
  day.setUTCDate(day.getUTCDate() + days);
  return day.toISOString().slice(0, 10);
}

async function load() {
  const wanted = asked;
  const told = await ask(`api/day${wanted ? `?date=${wanted}` : ""}`);
  if (wanted !== asked) return;
  shown = told;
  by("day").value = told.date;
  render();
}

function render() {
  if (shown === null) return;
  const keys = [...new Set(shown.rows.flatMap((row) => Object.keys(row.channels)))];
  const ordinary = shown.periods === 48 ? "" : shown.periods < 48 ? ", an hour less: the clocks go forward" : ", an hour more: the clocks go back";
  const name = new Date(`${shown.date}T12:00:00Z`).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
  const none = asked === null ? "the first is not over yet" : "nothing is known of them";
  say(by("day-summary"), `${name}: ${shown.periods} half-hours${ordinary}; ${shown.rows.length ? `${shown.rows.length} rows` : none}`);
  charts = [];
  const useTable = by("day-table").checked;
  by("day-charts").replaceChildren(...(useTable ? [asTable(keys)] : keys.map(asChart)));
  say(by("day-reading"), "");
  if (!useTable && cursor >= 0) point(cursor);
}

function asTable(keys) {
  const columns = [
    { title: "From", of: (row) => hourOfZone(row.start) },
    { title: "Period", number: true, of: (row) => String(row.settlement_period) },
    ...keys.map((key) => ({ title: channelName(key), number: true, of: (row) => (key in row.channels ? written(key, row.channels[key]) : "") })),
    { title: "Status", of: (row) => [...new Set(keys.filter((key) => key in row.channels).map((key) => standing(row, key).words).filter(Boolean))].join("; ") || "measured" },
  ];
  return make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Half-hours as a table" }, table(`Half-hours of ${shown.date}`, columns, shown.rows));
}

function asChart(key) {
  const rows = shown.rows.filter((row) => key in row.channels);
  const known = rows.map((row) => row.channels[key]).filter((value) => value !== null);
  const highest = Math.max(0, ...known);
  const least = key.endsWith("h") ? LEAST_TOP_WH : 1;
  const [total, most] = known.length ? [written(key, known.reduce((sum, value) => sum + value, 0)), written(key, highest)] : [written(key, null), null];
  const start = Date.parse(shown.start);
  const x = (utc) => ((Date.parse(utc) - start) / (Date.parse(shown.end) - start)) * WIDTH;
  const bars = draw("g", { class: "bars" });
  for (const row of rows) bars.append(bar(row, key, x, Math.max(highest, least)));
  const mark = draw("rect", { class: "cursor", y: CEILING, height: FLOOR - CEILING, width: 0 });
  const summary = `${channelName(key)} on ${shown.date}: ${total} in ${rows.length} rows${most ? `, at most ${most} in one` : ""}`;
  const picture = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", tabindex: "0", "aria-label": `${summary}. Arrow keys read them one by one.`, preserveAspectRatio: "none" }, bars, mark, ...axis(x));
  const at = (event) => {
    const box = picture.getBoundingClientRect();
    const place = ((event.clientX - box.left) / box.width) * WIDTH;
    point(rows.findIndex((row) => x(row.start) <= place && place < x(row.end)), key);
  };
  picture.addEventListener("pointermove", at);
  picture.addEventListener("pointerdown", at);
  picture.addEventListener("keydown", (event) => step(event, rows, key));
  charts.push({ key, rows, mark, x });
  const isIdle = known.length > 0 && highest < least;
  return make("figure", { className: `chart ${channelKind(key)}${isIdle ? " idle" : ""}` },
    make("figcaption", {}, make("strong", {}, channelName(key)), make("span", {}, `${total}${most ? `, highest ${most}` : ""}`)), picture, hours(x));
}

// Without a value there is no bar: what is to be known of the half-hour stands beneath the axis.
function bar(row, key, x, top) {
  const { kind } = standing(row, key);
  const value = row.channels[key];
  const isBeneath = kind === "unknown" || (kind === "off" && !value);
  const height = isBeneath ? HEIGHT - FLOOR - 1 : (value / top) * (FLOOR - CEILING);
  const y = isBeneath ? FLOOR + 1 : FLOOR - height;
  const left = x(row.start);
  return draw("rect", { class: kind, x: (left + 1).toFixed(1), width: Math.max(1, x(row.end) - left - 2).toFixed(1), y: y.toFixed(1), height: height.toFixed(1) });
}

// Ticks at local hours: on a day of 50 half-hours one of them comes twice.
function axis(x) {
  const parts = [draw("line", { class: "axis", x1: 0, x2: WIDTH, y1: FLOOR, y2: FLOOR })];
  for (const utc of marks()) parts.push(draw("line", { class: "axis", x1: x(utc), x2: x(utc), y1: FLOOR, y2: FLOOR + 6 }));
  return parts;
}

// Text beside the picture, not in it: a picture that is drawn wide would stretch its letters.
function hours(x) {
  const line = make("div", { className: "hours", "aria-hidden": "true" });
  for (const utc of marks()) {
    const label = make("span", {}, hour(utc).slice(0, 2));
    label.style.left = `${(x(utc) / WIDTH) * 100}%`;
    line.append(label);
  }
  return line;
}

function marks() {
  const found = [];
  for (let at = Date.parse(shown.start); at < Date.parse(shown.end); at += 3_600_000) {
    const utc = new Date(at).toISOString();
    if (Number(hour(utc).slice(0, 2)) % 4 === 0) found.push(utc);
  }
  return found;
}

function step(event, rows, key) {
  const moves = { ArrowLeft: cursor - 1, ArrowRight: cursor + 1, Home: 0, End: rows.length - 1 };
  if (!(event.key in moves)) return;
  event.preventDefault();
  point(Math.max(0, Math.min(rows.length - 1, moves[event.key])), key);
}

function point(index, key = charts[0]?.key) {
  const chart = charts.find((each) => each.key === key);
  const row = chart?.rows[index];
  if (!row) return;
  cursor = index;
  for (const { mark, x } of charts) {
    mark.setAttribute("x", x(row.start));
    mark.setAttribute("width", x(row.end) - x(row.start));
  }
  const each = Object.keys(row.channels).map((name) => {
    const { words } = standing(row, name);
    return `${channelName(name)} ${written(name, row.channels[name])}${words && words !== "not known yet" ? ` (${words})` : ""}`;
  });
  const clock = shown.periods === 48 ? hour : hourOfZone;
  say(by("day-reading"), `${clock(row.start)}\u2013${clock(row.end)}, period ${row.settlement_period}: ${each.join(", ")}`);
}
