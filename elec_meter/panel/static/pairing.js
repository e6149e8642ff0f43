// The installer's steps from a unit's label to a paired unit; where they stand comes with the live stream.

import { attempt, by, change, make, number, say, sentence } from "./page.js";

const STEPS = { label: "Read the label", signal: "Hear the unit", meter: "Read the meter", setting: "Set the unit", test_burn: "Burn some gas", confirm: "Compare the dial", commit: "Keep it", paired: "Paired" };
const ORDER = Object.keys(STEPS);
const OVER = ["paired", "ended"];
let level = 0;
let units = [];
let free = "";
let state = "";
let places = null;
let answer = null;
let last;
let token; // of the pairing that the page shows: no step of it is taken for one of another's
let isDenied = false;
let typed = {};

export function startPairing(page) {
  answer = make("p", { className: "answer", role: "status" });
  page.whenSession((session) => {
    if (session.level === level) return;
    level = session.level;
    if (last !== undefined) show(last);
  });
  page.whenLive((shown) => {
    units = shown.units;
    free = shown.free_channel;
    if (shown.pairing === null && last && !OVER.includes(last.state)) tellOfBreak();
    isDenied = shown.pairing?.state === "meter" && (isDenied || last?.state === "confirm");
    last = shown.pairing;
    show(last);
  });
}

// A meter that has restarted knows of no pairing, unless it was committed just before.
function tellOfBreak() {
  const isKept = isPaired(last.serial);
  answer.className = isKept ? "answer" : "answer refused";
  say(answer, isKept ? `The meter has restarted; the unit ${last.serial} is paired.` : `The meter has restarted: the pairing of the unit ${last.serial} was broken off, and nothing of it was kept. Begin again.`);
}

// A unit that was paired and is among the units no more was unpaired since.
function stepOf(pairing) {
  if (pairing === null || pairing.state === "ended") return "label";
  return pairing.state === "paired" && !isPaired(pairing.serial) ? "label" : pairing.state;
}

const isPaired = (serial) => units.some((unit) => unit.serial === serial);

// A unit whose button was pressed speaks every few seconds, for a while.
const SILENT_S = 20;
const isSilent = (pairing, now) => ["setting", "test_burn"].includes(now) && pairing.silent_s > SILENT_S;

function words(pairing, now) {
  if (now === "paired") return "";
  if (now === "label") return pairing.state === "paired" ? `The unit ${pairing.serial} was unpaired; what it counted stays.` : `The pairing of the unit ${pairing.serial} was given up, or its time was over; nothing was kept.`;
  const left = pairing.left_s === null ? "" : `, ${pairing.left_s} s left`;
  const signal = pairing.rssi_dbm === null ? "not heard yet" : `heard ${pairing.authentic} times, ${pairing.rssi_dbm} dBm`;
  const pulses = pairing.test_pulses_wanted && now === "test_burn" ? `; ${pairing.test_pulses} of ${pairing.test_pulses_wanted} pulses` : "";
  return `Unit ${pairing.serial}: waits for ${pairing.waits_for}${left}. It was ${signal}${pulses}.`;
}

function show(pairing) {
  const now = stepOf(pairing);
  const stands = `${level}/${now}/${units.map((unit) => unit.serial)}/${free}/${now === "label" ? "" : pairing.pairing}`;
  if (stands !== state) {
    state = stands;
    token = pairing?.pairing;
    places = build(now, pairing);
    by("pairing").dataset.step = now;
    by("pairing").replaceChildren(make("h3", {}, "Pair a unit"), ...places.parts, answer);
    places.first?.focus();
  }
  if (pairing === null || level < 2) return;
  say(places.status, words(pairing, now));
  say(places.silence, isSilent(pairing, now) ? "The unit has fallen silent: press its button again." : "");
  say(places.advice, pairing.advice.map(sentence).join(" "));
  if (places.expected) say(places.expected, pairing.expected ?? "");
}

function build(now, pairing) {
  if (level < 2) return { parts: [make("p", { className: "help" }, "Level 2, the installer, pairs units: sign on under \u201cChanges\u201d.")] };
  const status = make("p", { role: "status" });
  const advice = make("p", { className: "help" });
  const steps = make("ol", { className: "steps" });
  for (const [name, title] of Object.entries(STEPS)) {
    const item = make("li", { className: ORDER.indexOf(name) < ORDER.indexOf(now) ? "done" : "" }, title);
    if (name === now) item.setAttribute("aria-current", "step");
    steps.append(item);
  }
  const silence = make("p", { className: "notice warning", role: "status" });
  const built = { status, silence, advice, parts: [steps, status, silence, advice] };
  const form = { label: labelForm, meter: meterForm, confirm: confirmForm, commit: commitForm, paired: pairedForm }[now];
  if (form) built.parts.push(form(built, pairing));
  if (!["label", "paired"].includes(now)) built.parts.push(step("Give up", { request: "pair.cancel" }));
  return built;
}

function send(request, done = "") {
  const isStep = !["pair.begin", "unpair"].includes(request.request);
  return attempt(answer, () => change("api/pairing", isStep ? { ...request, pairing: token } : request), done);
}

function step(title, request) {
  const button = make("button", { type: "button" }, title);
  button.addEventListener("click", () => send(request));
  return button;
}

function fields(title, request, inputs) {
  const form = make("form", { className: "stack" });
  for (const [name, words, properties] of inputs) {
    if (properties.type === "checkbox") form.append(make("label", { className: "inline" }, make("input", { name, ...properties }), words));
    else form.append(make("label", {}, words, (properties.tag ? make(properties.tag, { name, ...properties.of }) : make("input", { name, required: true, ...properties }))));
  }
  form.append(make("button", { type: "submit" }, title));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = [...new FormData(form)].filter(([, value]) => value !== "").map(([name, value]) => [name, form.elements[name].type === "checkbox" || value]);
    send({ ...request, ...Object.fromEntries(given) });
  });
  return form;
}

function labelForm() {
  const form = fields("Begin", { request: "pair.begin" }, [
    ["label", "The label, as printed or as its QR code says", { tag: "textarea", of: { rows: 3, required: true, spellcheck: false, className: "short" } }],
    ["channel", "Channel", { value: free, pattern: "[a-z][a-z0-9_]{0,15}" }],
    ["any_telegram", "Any telegram will do: do not wait for the button (Bluetooth)", { type: "checkbox" }],
  ]);
  if (units.length) addExchange(form, form.elements.channel);
  return form;
}

function addExchange(form, channel) {
  const old = make("select", { name: "exchanges" }, make("option", { value: "" }, "no other unit"));
  for (const unit of units) old.append(make("option", { value: unit.serial }, `${unit.serial} on ${unit.channel}`));
  const unpair = make("button", { type: "button", disabled: true }, "Unpair that unit");
  old.addEventListener("change", () => {
    const unit = units.find((each) => each.serial === old.value);
    channel.readOnly = unit !== undefined;
    unpair.disabled = unit === undefined;
    channel.value = unit === undefined ? free : unit.channel;
  });
  unpair.addEventListener("click", () => {
    const done = old.value === last?.serial ? "" : `the unit ${old.value} is unpaired; what it counted stays`;
    if (confirm(`Unpair the unit ${old.value} for good? What it counted stays.`)) send({ request: "unpair", serial: old.value }, done);
  });
  channel.closest("label").before(make("label", {}, "Takes the place of", old));
  form.append(unpair);
}

// Whoever says that the dial does not agree reads it again, and types nothing else twice.
function meterForm(built, pairing) {
  const before = typed.of === pairing.serial ? typed : { weight: "0.01 m3" };
  const form = fields("Go on", { request: "pair.meter" }, [
    ["mprn", "MPRN", { inputMode: "numeric" }],
    ["mprn_again", "MPRN again", { inputMode: "numeric" }],
    ["meter_serial", "Serial on the badge", {}],
    ["weight", "Pulse weight on the badge", {}],
    ["dial", "The dial, in m3, with a point before the red digits", { inputMode: "decimal" }],
  ]);
  for (const [name, value] of Object.entries(before)) if (form.elements[name]) form.elements[name].value = value;
  form.addEventListener("submit", () => { typed = { ...Object.fromEntries(new FormData(form)), dial: "", of: pairing.serial }; });
  if (!isDenied) return form;
  built.first = form.elements.dial;
  return make("div", {}, make("p", { role: "status" }, "The dial did not show what was expected: read it again, as it stands now, and check the rest."), form);
}

function confirmForm(built) {
  built.expected = make("strong");
  return make("div", {}, make("p", {}, "Does the dial show ", built.expected, " now?"),
    make("div", { className: "row" }, step("It does", { request: "pair.confirm", agrees: true }), step("It does not", { request: "pair.confirm", agrees: false })));
}

function commitForm() {
  return fields("Keep the pairing", { request: "pair.commit" }, [["installer", "Who installed it (optional)", { maxLength: 60, required: false }]]);
}

function pairedForm(built, pairing) {
  return make("div", {}, make("p", {}, `Unit ${pairing?.serial ?? ""} is paired; its pulses count from ${number(pairing?.base_count)} on.`), labelForm());
}
