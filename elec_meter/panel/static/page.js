// Building the page: elements, numbers as people write them, and requests to the meter.

export const by = (id) => document.getElementById(id);

export function make(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in node && key !== "list") node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

export function draw(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// Text that did not change is left alone: a page that is open for days makes no garbage of it.
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// The meter's words come without a capital and a full stop; a question has its mark.
export const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? "" : "."}`;

export function table(caption, columns, rows) {
  const kind = (column) => (column.number ? "number" : column.code ? "code" : "");
  const head = columns.map((column) => make("th", { scope: "col", className: kind(column) }, column.title));
  const body = rows.map((row) =>
    make("tr", {}, ...columns.map((column) => make("td", { className: kind(column) }, column.of(row) ?? "-"))),
  );
  return make("table", {}, make("caption", {}, caption), make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body));
}

const NUMBER = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 3 });
const LOCAL = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/London", day: "2-digit", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
const HOUR = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/London", hour: "2-digit", minute: "2-digit" });

const ZONED = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/London", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });

export const number = (value) => (value === null || value === undefined ? "--" : NUMBER.format(value));
export const kwh = (wh, decimals = 2) => (wh === null || wh === undefined ? "--" : `${(wh / 1000).toFixed(decimals)} kWh`);
export const local = (utc) => (utc ? LOCAL.format(new Date(utc)) : "-");
export const hour = (utc) => HOUR.format(new Date(utc));
export const hourOfZone = (utc) => ZONED.format(new Date(utc));

export function money(pence) {
  if (pence === null || pence === undefined) return "--";
  return `${pence < 0 ? "\u2212" : ""}\u00a3${(Math.abs(pence) / 100).toFixed(2)}`;
}

export function quantity(value, unit) {
  if (value === null || value === undefined) return "--";
  if (unit === "Wh") return `${(value / 1000).toFixed(3)} kWh`;
  if (unit === "varh") return `${(value / 1000).toFixed(3)} kvarh`;
  if (unit === "p") return money(value);
  return `${number(value)}${unit ? ` ${unit === "m3" ? "m\u00b3" : unit}` : ""}`;
}

class Refusal extends Error {
  constructor(status, told) {
    super(told.error ?? `the meter answered ${status}`);
    this.status = status;
  }
}

let token = "";
let refused = () => {};
export const whenRefused = (told) => { refused = told; };
export const keepToken = (given) => { token = given; };

async function reached(path, how) {
  try {
    return await fetch(path, how);
  } catch {
    throw new Error("the meter does not answer; the page goes on trying");
  }
}

async function answered(response) {
  const told = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(response.status, told);
  return told;
}

export async function ask(path) {
  return answered(await reached(path, { headers: { accept: "application/json" } }));
}

export async function change(path, given, method = "POST") {
  const headers = { "content-type": "application/json", "x-csrf-token": token };
  try {
    return await answered(await reached(path, { method, headers, body: method === "DELETE" ? undefined : JSON.stringify(given) }));
  } catch (refusal) {
    if (refusal.status === 401 || refusal.status === 403) refused();
    throw refusal;
  }
}

// Puts what `work` answers, or why it was refused, where the person looks.
export async function attempt(place, work, done = "done") {
  place.className = "answer";
  say(place, "...");
  try {
    const reply = await work();
    say(place, typeof done === "function" ? done(reply) : done);
    return reply;
  } catch (refusal) {
    place.className = "answer refused";
    say(place, refusal.message);
    return null;
  }
}

// A view that is asked for again while it still loads is loaded once more afterwards, not twice at once.
export function once(load) {
  let running = false;
  let again = false;
  return async () => {
    if (running) { again = true; return; }
    running = true;
    try {
      do { again = false; await load().catch((error) => console.warn(error.message)); } while (again);
    } finally { running = false; }
  };
}
