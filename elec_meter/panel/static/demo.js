// What a visitor can do to the demo's house.

import { attempt, by, change, make, number, say } from "./page.js";

const SPEEDS = [1, 2, 10, 60, 300, 600, 3600];
const DARK = "the mains are off; the page comes back when they do";
let places = null;
let isDark = false;

// Why the meter does not answer; empty where nobody wished that.
export const darkness = () => (isDark ? DARK : "");

export function startDemo(page) {
  // The session is asked for anew when the meter is back: what was said until then is over.
  page.whenSession(() => {
    isDark = false;
    if (places !== null) say(places.answer, "");
  });
  page.whenLive((shown) => {
    if (shown.demo === null) return;
    isDark = shown.demo.dark_until !== null;
    places ??= build();
    by("demo-card").hidden = false;
    const { speed, loss, turned, telegrams_sent, telegrams_received, change_day } = shown.demo;
    if (document.activeElement !== places.speed) showSpeed(places.speed, speed);
    if (document.activeElement !== places.loss) places.loss.value = String(Math.round(loss * 100));
    say(places.lost, `${Math.round(loss * 100)} % of telegrams are lost`);
    say(places.counts, `The gas meter has turned ${number(turned)} times. Telegrams sent: ${number(telegrams_sent)}, received: ${number(telegrams_received)}.`);
    say(places.label, shown.demo.unit.label);
    say(places.mprn, `Its meter: MPRN ${shown.demo.unit.mprn}, serial G4A123, 0.01 m\u00b3 a pulse.`);
    say(places.dial, shown.demo.unit.dial);
    say(places.day, `Go to ${dayName(change_day)}, when the clocks change`);
  });
}

// A demo may have been started at a speed that the list does not have.
function showSpeed(select, speed) {
  const known = [...select.options].find((each) => Number(each.value) === speed);
  if (!known) select.append(speedOption(speed));
  select.value = String(speed);
}

const speedOption = (speed) => make("option", { value: speed, disabled: speed === 0 }, speed === 0 ? "as fast as it can" : `${speed} s a second`);

const dayName = (day) => new Date(`${day}T12:00:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

function build() {
  const answer = make("p", { className: "answer", role: "status" });
  const wish = async (what, done = "") => {
    const told = await attempt(answer, () => change("api/demo", what), done);
    isDark = isDark || Boolean(told?.dark_until);
  };
  const speed = make("select", {}, ...SPEEDS.map(speedOption));
  speed.addEventListener("change", () => { wish({ speed: Number(speed.value) }); speed.blur(); });
  const loss = make("input", { type: "range", min: 0, max: 100, step: 5 });
  const lost = make("output", { className: "help" });
  loss.addEventListener("change", () => { wish({ loss: Number(loss.value) / 100 }); loss.blur(); });
  const cut = make("button", { type: "button" }, "Cut the power for 20 minutes");
  cut.addEventListener("click", () => wish({ cut_power_min: 20 }, DARK));
  const day = make("button", { type: "button" }, "Go to the next clock change");
  day.addEventListener("click", () => wish({ change_day: true }, "the house stands dark until the evening before"));
  const counts = make("p", { className: "help" });
  const label = make("pre", { className: "label", tabIndex: 0 });
  const mprn = make("p", { className: "help" });
  const dial = make("strong");
  const press = make("button", { type: "button" }, "Press the unit's button");
  press.addEventListener("click", () => wish({ unit: "press" }, "the unit speaks every few seconds now"));
  const burn = make("button", { type: "button" }, "Light its hob");
  burn.addEventListener("click", () => wish({ unit: "burn" }, "its gas meter turns ten times in a minute"));
  const house = make("div", {},
    make("div", { className: "stack" }, make("label", {}, "Meter time", speed), make("label", {}, "Radio", loss), lost),
    make("div", { className: "row" }, cut, day), answer, counts);
  const spare = make("div", {},
    make("h3", {}, "A second gas unit, to be paired"),
    make("p", { className: "help" }, "Sign on as the installer, begin under \u201cGas units\u201d, then press the unit's button. This is its label:"),
    label, mprn, make("p", { className: "help" }, "Its dial shows ", dial, " m\u00b3 now."), make("div", { className: "row" }, press, burn));
  by("demo").append(house, spare);
  return { answer, label, mprn, dial, speed, loss, lost, day, counts };
}
