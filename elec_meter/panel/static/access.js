// Signing on, the orders that a level may give, and the configuration.

import { ask, attempt, by, change, keepToken, make, say } from "./page.js";

const LEVELS = { 1: "1 - reader", 2: "2 - installer", 3: "3 - supplier" };
// Why buttons cannot be pressed.
const BEYOND = {
  1: "To clear alarms takes level 2; demand, billing and the contactor take level 3.",
  2: "Demand, billing and the contactor take level 3.",
};
let page = null;
let level = null;
let config = null;
let editor = null;

export function startAccess(given) {
  page = given;
  page.whenSession((session) => { if (session.level !== level) { level = session.level; render(session); } });
  page.whenEvents(loadConfig);
}

function render(session) {
  by("access").replaceChildren(...(level === 0 ? [signOn(session)] : [signedOn(), ...orders()]));
  renderConfig();
}

function signOn(session) {
  const select = make("select", {}, ...session.levels.map((each) => make("option", { value: each }, LEVELS[each])));
  const password = make("input", { type: "password", autocomplete: "current-password", maxLength: 128, required: true });
  const answer = make("p", { className: session.ended ? "answer refused" : "answer", role: "status" }, session.ended);
  const name = make("input", { autocomplete: "username", value: "meter", hidden: true });
  const form = make("form", { className: "stack" }, name,
    make("p", { className: "help" }, session.levels.length ? "Reading needs nothing; to change something, sign on." : "This meter has no passwords: it can be changed through its control socket alone."),
    make("label", {}, "Level", select), make("label", {}, "Password", password),
    make("button", { type: "submit" }, "Sign on"), answer);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = await attempt(answer, () => change("api/session", { level: Number(select.value), password: password.value }), "");
    password.value = "";
    if (told) { keepToken(told.token); page.renew(); }
  });
  return form;
}

function signedOn() {
  const off = make("button", { type: "button" }, "Sign off");
  off.addEventListener("click", async () => {
    const told = await change("api/session", {}, "DELETE").catch(() => null);
    if (told) { keepToken(told.token); editor?.forget(); }
    page.renew(told !== null);
  });
  return make("div", { className: "row" }, make("span", {}, `Signed on at level ${LEVELS[level]}.`), off);
}

function orders() {
  const answer = make("p", { className: "answer", role: "status" });
  const order = (title, takes, request, done, question) => {
    const button = make("button", { type: "button", disabled: level < takes }, title);
    button.addEventListener("click", () => {
      if (question && !confirm(question)) return;
      perform(answer, typeof request === "function" ? request() : request, done);
    });
    return button;
  };
  const seconds = make("input", { type: "number", min: -450, max: 450, value: 5 });
  return [
    make("div", { className: "row" },
      order("Clear alarms", 2, { request: "alarms.clear" }, "the alarms are cleared"),
      order("Reset maximum demand", 3, { request: "demand.reset" }, "demand begins anew", "Reset maximum demand?"),
      order("End the billing period", 3, { request: "billing.end" }, "the billing period has ended", "End the billing period now?")),
    make("div", { className: "row" },
      order("Open the contactor", 3, { request: "contactor.open" }, (reply) => `the contactor is ${reply.contactor}`, "Cut the supply?"),
      order("Arm the contactor", 3, { request: "contactor.arm" }, "somebody at the meter can close it now")),
    make("div", { className: "row" },
      make("label", { className: "inline" }, "Clock", seconds, "s"),
      order("Adjust the clock", 1, () => ({ request: "clock.adjust", by_s: Number(seconds.value) }), (reply) => `${reply.outstanding_s} s to go`)),
    answer,
    ...(BEYOND[level] ? [make("p", { className: "help" }, BEYOND[level])] : []),
  ];
}

async function perform(answer, request, done) {
  return attempt(answer, () => change("api/orders", request), done);
}

async function loadConfig() {
  config = await ask("api/config");
  renderConfig();
}

// An event of any kind loads the configuration again: what somebody is typing, or has opened, stays.
function renderConfig() {
  if (config === null) return;
  const opened = new Set([...by("config").querySelectorAll(".parts details[open] summary")].map((each) => each.textContent));
  const tree = make("div", { className: "parts" }, ...Object.entries(config.config).map(([part, value]) => {
    const title = part.replaceAll("_", " ");
    return make("details", { open: opened.has(title) }, make("summary", {}, title), make("pre", {}, JSON.stringify(value, null, 2)));
  }));
  const shown = by("config").querySelector(".parts");
  editor ??= buildEditor();
  if (shown) shown.replaceWith(tree);
  else by("config").replaceChildren(make("p", { className: "help" }, "What this meter is, as one document."), tree, editor.place);
  editor.place.hidden = level < 2;
  editor.follow();
}

// A draft is what differs from the configuration that it began with. Only its author throws it away, or leaves it by signing
// off: this tab keeps it when the page is loaded again.
function buildEditor() {
  const kept = draftOf(config.config.serial);
  const before = kept.read();
  let begun = before?.begun ?? config.toml;
  const text = make("textarea", { value: before?.text ?? begun, spellcheck: false, "aria-label": "Configuration as TOML" });
  const answer = make("p", { className: "answer", role: "status" });
  const stale = make("p", { className: "notice", role: "status" });
  const apply = make("button", { type: "button" }, "Put in force");
  const drop = make("button", { type: "button" }, "Throw the draft away");
  const place = make("details", { open: before !== null }, make("summary", {}, "Edit"), text, stale, make("div", { className: "row" }, apply, drop), answer);
  const follow = () => {
    if (text.value === begun || text.value === config.toml) text.value = begun = config.toml;
    drop.hidden = text.value === begun;
    kept.write(drop.hidden ? null : { begun, text: text.value });
    const words = begun === config.toml ? "" : "The meter's configuration has changed since this draft was begun: the draft puts back what was changed.";
    say(stale, words);
    stale.hidden = words === "";
  };
  const forget = () => { text.value = begun; say(answer, ""); follow(); };
  text.addEventListener("input", follow);
  drop.addEventListener("click", () => { forget(); text.focus(); });
  apply.addEventListener("click", async () => {
    const sent = text.value;
    const done = (reply) => (reply.changed.length ? `version ${reply.number} is in force: ${reply.changed.join(", ")} changed` : "nothing has changed");
    if ((await perform(answer, { request: "config.apply", toml: sent }, done)) === null) return;
    await loadConfig().catch((refusal) => console.warn(refusal.message));
    if (text.value === sent) text.value = config.toml;
    begun = config.toml;
    follow();
  });
  return { place, follow, forget };
}

// A browser that keeps nothing for a page, or has no room left, costs the draft alone.
function draftOf(serial) {
  const key = `draft of ${serial}`;
  const tried = (work) => { try { return work(); } catch (refusal) { console.warn(refusal.message); return null; } };
  return {
    read: () => tried(() => JSON.parse(sessionStorage.getItem(key))),
    write: (draft) => tried(() => (draft ? sessionStorage.setItem(key, JSON.stringify(draft)) : sessionStorage.removeItem(key))),
  };
}
