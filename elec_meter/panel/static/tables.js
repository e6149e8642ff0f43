// Registers, demand, cost, units and events as tables.

import { ask, by, local, make, money, number, quantity, say, table } from "./page.js";

const SHOWN_EVENTS = 200;
let events = [];

export function startTables(page) {
  page.whenRows(registers);
  page.whenRows(demand);
  page.whenRows(cost);
  page.whenLive((shown) => { units(shown.units); showDemand(shown.values); });
  page.whenEvents(loadEvents);
  by("events-log").addEventListener("change", renderEvents);
}

async function registers() {
  const rows = (await ask("api/registers")).filter((row) => row.value !== null);
  const billing = rows.filter((row) => BILLING.test(row.obis));
  const others = rows.filter((row) => !BILLING.test(row.obis) && !row.obis.startsWith("0-0:128.2"));
  const columns = [
    { title: "Register", of: (row) => row.name },
    { title: "Value", number: true, of: (row) => quantity(row.value, row.unit) },
    { title: "Code", code: true, of: (row) => row.obis },
  ];
  const isOpen = by("registers").querySelector("details")?.open ?? false;
  by("registers").replaceChildren(table("What a bill is made of", columns, billing),
    make("details", { open: isOpen }, make("summary", {}, `${others.length} more`), table("As the directory has them", columns, others)));
}

// Totals and rates of import, export and gas.
const BILLING = /^(1-0:[12]\.8\.|0-[1-6]:24\.2\.)/;

// The period that runs is told by the live values, as `Now` does; the others change when it ends.
const RUNNING = { import: "demand_w", export: "demand_export_w" };
const QUANTITIES = { running: "this period", last: "last period", maximum: "maximum", rate: "rate", window: "window", highest: "highest", cumulative: "cumulative" };
let demandRows = [];
let live = null;
let running = new Map();

const isRunning = (row) => row.quantity === "running";
const power = (row) => (isRunning(row) && live !== null ? live[RUNNING[row.channel]] : row.power_w);

async function demand() {
  demandRows = await ask("api/demand");
  renderDemand();
}

function renderDemand() {
  const rows = demandRows.filter((row) => power(row) !== null);
  const drawn = table("Averages over the integration period", [
    { title: "Demand", of: (row) => `${row.channel}, ${QUANTITIES[row.quantity]}${row.number ? ` ${row.number}` : ""}` },
    { title: "W", number: true, of: (row) => number(power(row)) },
    { title: "Period ended", of: (row) => (isRunning(row) ? "so far" : local(row.period_end)) },
  ], rows);
  const lines = [...drawn.querySelectorAll("tbody tr")];
  running = new Map(rows.flatMap((row, at) => (isRunning(row) ? [[row, lines[at].cells[1]]] : [])));
  by("demand").replaceChildren(drawn);
}

function showDemand(values) {
  live = values;
  const told = demandRows.filter((row) => isRunning(row) && power(row) !== null);
  if (told.length !== running.size || !told.every((row) => running.has(row))) renderDemand();
  for (const [row, cell] of running) say(cell, number(power(row)));
}

async function cost() {
  const rows = await ask("api/cost");
  const priced = rows.filter((row) => row.price_p_kwh !== null || row.today_p !== null || row.billing_period_p !== null);
  if (priced.length === 0) {
    by("cost").replaceChildren(make("p", { className: "help" }, "No prices are configured."));
    return;
  }
  by("cost").replaceChildren(table("From the tariff's prices", [
    { title: "Of", of: (row) => row.channel },
    { title: "Today", number: true, of: (row) => money(row.today_p) },
    { title: "Yesterday", number: true, of: (row) => money(row.yesterday_p) },
    { title: "This bill", number: true, of: (row) => money(row.billing_period_p) },
    { title: "p/kWh", number: true, of: (row) => number(row.price_p_kwh) },
  ], priced), ...priced.filter((row) => row.standing_p_day).map((row) =>
    make("p", { className: "help" }, `Standing charge included: of ${row.channel} ${number(row.standing_p_day)} p a day.`)));
}

let unitsShown = "";

function units(rows) {
  const text = JSON.stringify(rows);
  if (text === unitsShown) return;
  unitsShown = text;
  by("units").replaceChildren(...(rows.length ? rows.map(unit) : [make("p", { className: "help" }, "No unit is paired.")]));
}

function unit(row) {
  const facts = [
    ["Channel", row.channel],
    ["Pulses", `${number(row.pulses)} of ${row.pulse_weight.replace("m3", "m\u00b3")}`],
    ["Not final yet", number(row.not_final)],
    ["Last heard", local(row.last_received)],
    ["Signal", row.signal_dbm === null ? "--" : `${row.signal_dbm} dBm, ${strength(row.signal_dbm)}`],
    ["Battery left", row.battery_left_d === null ? "--" : `${(row.battery_left_d / 365.25).toFixed(1)} years`],
    ["Faults", row.faults.join(", ") || "none"],
  ];
  const list = make("dl", { className: "facts" });
  for (const [name, text] of facts) list.append(make("dt", {}, name), make("dd", {}, text));
  return make("div", {}, make("h3", {}, `Unit ${row.serial}`), list);
}

const strength = (dbm) => (dbm >= -70 ? "strong" : dbm >= -90 ? "fair" : "weak");

async function loadEvents() {
  events = await ask("api/events");
  const logs = ["all", ...new Set(events.map((row) => row.log))];
  const select = by("events-log");
  const chosen = select.value;
  select.replaceChildren(...logs.map((log) => make("option", { value: log }, log.replaceAll("_", " "))));
  select.value = logs.includes(chosen) ? chosen : "all";
  renderEvents();
}

function renderEvents() {
  const log = by("events-log").value;
  const rows = events.filter((row) => log === "all" || row.log === log).slice(-SHOWN_EVENTS).reverse();
  by("events").replaceChildren(table("Newest first", [
    { title: "When", code: true, of: (row) => local(row.at) },
    { title: "What", of: (row) => row.text },
    { title: "Code", number: true, of: (row) => String(row.code) },
  ], rows));
}
