// What flows now, and the last five minutes of it.

import { by, make, money, number, say } from "./page.js";

const TRACE_POINTS = 300;
const unit = (value, name) => (value === null || value === undefined ? "--" : `${number(value)} ${name}`);
const FACTS = [
  ["Voltage", (v) => unit(v.voltage_v, "V")],
  ["Current", (v) => unit(v.current_a, "A")],
  ["Power factor", (v) => number(v.power_factor)],
  ["Frequency", (v) => unit(v.frequency_hz, "Hz")],
  ["Reactive power", (v) => unit(v.reactive_var, "var")],
  ["Demand, this period", (v) => unit(v.demand_w, "W")],
  ["Rate in force", (v) => number(v.rate)],
  ["Price of a kWh", (v) => (v.price_p_kwh === null ? "--" : `${number(v.price_p_kwh)} p`)],
  ["Cost today", (v) => `${money(v.cost_today_p)}${v.cost_today_p !== null && v.standing_p_day ? `, ${number(v.standing_p_day)} p of it standing charge` : ""}`],
];
const trace = new Array(TRACE_POINTS).fill(null);
let filled = 0;
const places = [];

export function showNow(shown) {
  const values = shown.values;
  if (places.length === 0) {
    for (const [name] of FACTS) {
      const place = make("dd");
      places.push(place);
      by("now").append(make("dt", {}, name), place);
    }
  }
  FACTS.forEach(([, of], at) => say(places[at], of(values)));
  const power = values.power_w;
  say(by("power"), power === null ? "--" : number(Math.abs(power)));
  say(by("direction"), power === null ? "nothing is measured" : power < 0 ? "going out to the network" : "coming in from the network");
  say(by("clock"), shown.clock.local ? `${shown.clock.local}, period ${shown.clock.settlement_period}` : "the time is not known");
  drawTrace(power);
}

function drawTrace(power) {
  trace.copyWithin(0, 1);
  trace[TRACE_POINTS - 1] = power;
  filled = Math.min(TRACE_POINTS, filled + 1);
  const known = trace.slice(TRACE_POINTS - filled).map((each) => each ?? 0);
  const top = Math.max(100, ...known);
  const bottom = Math.min(0, ...known);
  const y = (each) => (58 - ((each - bottom) / (top - bottom)) * 56).toFixed(1);
  const points = known.map((each, at) => `${TRACE_POINTS - filled + at} ${y(each)}`);
  by("trace").firstElementChild.setAttribute("d", `M${points.join("L")}`);
}
