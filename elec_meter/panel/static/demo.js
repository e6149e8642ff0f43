// What a visitor can do to the demo's house.

import { attempt, by, change, make, say } from "./page.js";

const SPEEDS = [1, 10, 60, 300, 600, 3600];
let places = null;

export function startDemo(page) {
  page.whenLive((shown) => {
    if (shown.demo === null) return;
    places ??= build();
    by("demo-card").hidden = false;
    const { speed, loss, turned, telegrams_sent, telegrams_received, change_day } = shown.demo;
    if (document.activeElement !== places.speed) places.speed.value = String(speed);
    if (document.activeElement !== places.loss) places.loss.value = String(Math.round(loss * 100));
    say(places.lost, `${Math.round(loss * 100)} % of telegrams are lost`);
    say(places.counts, `The gas meter has turned ${turned} times; ${telegrams_sent} telegrams were sent and ${telegrams_received} received.`);
    say(places.day, `Go to ${change_day}, when the clocks change`);
  });
}

function build() {
  const answer = make("p", { className: "answer", role: "status" });
  const wish = (what, done = "") => attempt(answer, () => change("api/demo", what), done);
  const speed = make("select", {}, ...SPEEDS.map((each) => make("option", { value: each }, `${each} s a second`)));
  speed.addEventListener("change", () => { wish({ speed: Number(speed.value) }); speed.blur(); });
  const loss = make("input", { type: "range", min: 0, max: 100, step: 5 });
  const lost = make("output", { className: "help" });
  loss.addEventListener("change", () => { wish({ loss: Number(loss.value) / 100 }); loss.blur(); });
  const cut = make("button", { type: "button" }, "Cut the power for 20 minutes");
  cut.addEventListener("click", () => wish({ cut_power_min: 20 }, "the mains are off; the page comes back with them"));
  const day = make("button", { type: "button" }, "Go to the next clock change");
  day.addEventListener("click", () => wish({ change_day: true }, "the house stands dark until the evening before"));
  const counts = make("p", { className: "help" });
  by("demo").append(
    make("div", { className: "stack" }, make("label", {}, "Meter time", speed), make("label", {}, "Radio", loss), lost),
    make("div", { className: "row" }, cut, day), answer, counts);
  return { speed, loss, lost, day, counts };
}
