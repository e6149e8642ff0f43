// The meter's face: display, button, pulse lamp and contactor.

import { attempt, by, change, make, number, say } from "./page.js";

const LONG_MS = 2000;
const FLASH_MS = 100;
const FLASHES_MOST = 3;
const SNAPSHOT_MS = 1000;
let drawn = "";
let counted = null;

export function startFace() {
  const button = by("button");
  const answer = make("p", { className: "answer", role: "status" });
  by("button-help").after(answer);
  const press = (held) => attempt(answer, () => change("api/button", { held_ms: Math.round(held) }), "");
  let since = null;
  button.addEventListener("pointerdown", (event) => { since = event.timeStamp; });
  button.addEventListener("pointercancel", () => { since = null; });
  button.addEventListener("click", (event) => {
    const held = since === null || event.detail === 0 ? 0 : event.timeStamp - since;
    since = null;
    press(Math.min(held, 60000));
  });
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  by("hold").addEventListener("click", () => press(LONG_MS));
}

export function showFace(shown) {
  if (shown.face.svg !== drawn) {
    drawn = shown.face.svg;
    const parsed = new DOMParser().parseFromString(drawn, "image/svg+xml").documentElement;
    by("lcd").replaceChildren(document.importNode(parsed, true));
  }
  lamp(shown.led);
  const place = by("contactor");
  place.className = `contactor ${shown.contactor ?? ""}`;
  const words = { open: "contactor open", closed: "contactor closed", armed: "contactor armed: hold the button of the meter twice to close it" };
  say(place, words[shown.contactor] ?? "no contactor");
}

// The lamp flashes with the meter's own pulses, spread over the time until the next are told; three a
// second at most, for whoever flashes are bad for.
function lamp({ imp_per_kwh, pulses, is_lit }) {
  const fresh = counted === null ? is_lit : Math.max(0, pulses - counted);
  counted = pulses;
  const flashes = Math.min(FLASHES_MOST, fresh);
  for (let n = 0; n < flashes; n += 1) setTimeout(flash, (n * SNAPSHOT_MS) / flashes);
  say(by("led-text"), `${imp_per_kwh} imp/kWh, ${number(pulses)} so far`);
}

function flash() {
  by("led").classList.add("on");
  setTimeout(() => by("led").classList.remove("on"), FLASH_MS);
}
