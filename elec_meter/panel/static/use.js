// What helps to use less: comparisons, what is always on, and warnings at limits that people choose.

import { ask, by, kwh, make, money, number, say } from "./page.js";

const LIMITS = { budget: "halfhourly budget kWh", ceiling: "halfhourly ceiling W" };
let use = null;
let live = null;

export function startUse(page) {
  page.whenRows(load);
  for (const [id, name] of Object.entries(LIMITS)) {
    by(id).value = kept(name);
    by(id).addEventListener("input", () => { keep(name, by(id).value); warn(); });
  }
  by("limits").addEventListener("submit", (event) => event.preventDefault());
  page.whenLive((shown) => { live = shown.values; warn(); });
}

// A browser that keeps nothing for pages still shows this one.
function kept(name) {
  try { return localStorage.getItem(name) ?? ""; } catch { return ""; }
}

function keep(name, value) {
  try { localStorage.setItem(name, value); } catch { /* it counts until the page is closed */ }
}

async function load() {
  use = await ask("api/use");
  render();
  warn();
}

function render() {
  const parts = [];
  if (use.through === null) parts.push(make("p", { className: "help" }, "The first half-hour is not over yet."));
  else if (use.today_wh !== null && use.yesterday_wh === null && use.last_week_wh === null) parts.push(make("p", {}, `Today so far: ${kwh(use.today_wh)}`));
  if (use.through !== null) parts.push(compare("Yesterday", use.yesterday_wh), compare("A week ago", use.last_week_wh));
  if (use.base_load_w !== null) {
    const year = use.price_p_kwh === null ? "" : `, ${money(use.base_load_kwh_a_year * use.price_p_kwh)} at the price now`;
    parts.push(make("p", {}, make("strong", {}, `Always on: ${number(use.base_load_w)} W`), ` \u2013 ${number(use.base_load_kwh_a_year)} kWh a year${year}.`),
      make("p", { className: "help" }, `The median of the quietest half-hours of ${use.base_load_days} days. Switch something off for a night, and see it fall.`));
  } else if (use.through !== null) parts.push(make("p", { className: "help" }, "What is always on is known after two whole days."));
  by("use").replaceChildren(...parts);
}

function compare(name, past) {
  if (past === null) return make("p", { className: "help" }, `${name} is not known.`);
  const top = Math.max(1, use.today_wh ?? 0, past ?? 0);
  const bar = (value, kind, label) => {
    const strip = make("div", { className: `bar ${kind}` });
    strip.style.width = `${((value ?? 0) / top) * 100}%`;
    return [make("div", {}, `${label}: ${kwh(value)}`), strip];
  };
  const words = make("p", { className: "help" });
  if (!use.today_is_whole) {
    words.append("Today is not known from its beginning on, so the two are not compared.");
  } else if (past > 0) {
    const change = Math.round(((use.today_wh - past) / past) * 100);
    words.append(make("span", { className: change > 0 ? "more" : "less" }, change === 0 ? "the same" : `${Math.abs(change)} % ${change > 0 ? "more" : "less"}`), ` than ${name.toLowerCase()} by this time`);
  }
  return make("div", { className: "compare" }, ...bar(use.today_wh, "", "Today so far"), ...bar(past, "past", `${name}, same time`), words);
}

function warn() {
  const warnings = [];
  const ceiling = Number(by("ceiling").value);
  const budget = Number(by("budget").value) * 1000;
  if (ceiling > 0 && live?.power_w > ceiling) warnings.push(`${number(live.power_w)} W are drawn, above your ${number(ceiling)} W`);
  if (budget > 0 && use?.today_wh > budget) warnings.push(`today has used ${kwh(use.today_wh, 1)} of your ${kwh(budget, 1)}`);
  const place = by("warning");
  say(place, warnings.join("; "));
  place.hidden = warnings.length === 0;
}
