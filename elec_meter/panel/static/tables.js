// Registers, demand, cost, units and events as tables.

import { ask, by, local, make, money, number, quantity, table } from "./page.js";

const SHOWN_EVENTS = 200;
let events = [];

export function startTables(page) {
  page.whenRows(registers);
  page.whenRows(demand);
  page.whenRows(cost);
  page.whenLive((shown) => units(shown.units));
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

async function demand() {
  const rows = (await ask("api/demand")).filter((row) => row.power_w !== null);
  const what = { running: "this period", last: "last period", maximum: "maximum", rate: "rate", window: "window", highest: "highest", cumulative: "cumulative" };
  by("demand").replaceChildren(table("Averages over the integration period", [
    { title: "Demand", of: (row) => `${row.channel}, ${what[row.quantity]}${row.number ? ` ${row.number}` : ""}` },
    { title: "W", number: true, of: (row) => number(row.power_w) },
    { title: "Period ended", of: (row) => local(row.period_end) },
  ], rows));
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
