// The meter's face: display, button, pulse lamp and contactor.

import { attempt, by, change, make, say } from "./page.js";

const LONG_MS = 2000;
const PULSES_PER_KWH = 1000;
const SLOWEST_S = 3600;
let drawn = "";
let blinking = "";

export function startFace() {
  const button = by("button");
  const answer = make("p", { className: "answer", role: "status" });
  by("button-help").after(answer);
  const press = async (held) => {
    const told = await attempt(answer, () => change("api/button", { held_ms: Math.round(held) }), "");
    return told;
  };
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
  lamp(shown.values.power_w);
  const place = by("contactor");
  place.className = `contactor ${shown.contactor ?? ""}`;
  const words = { open: "contactor open", closed: "contactor closed", armed: "contactor armed: hold the button twice to close it" };
  say(place, words[shown.contactor] ?? "no contactor");
}

// The lamp flashes once a pulse, as the real one does.
function lamp(power) {
  const seconds = power ? 3_600_000 / (Math.abs(power) * PULSES_PER_KWH) : SLOWEST_S;
  const pace = power ? `${Math.max(0.1, Math.min(SLOWEST_S, seconds)).toFixed(1)}s` : "";
  if (pace === blinking) return;
  blinking = pace;
  by("led").classList.toggle("on", pace !== "");
  by("led").style.setProperty("--blink", pace || "1s");
  say(by("led-text"), pace ? `${PULSES_PER_KWH} imp/kWh, one every ${pace.replace("s", " s")}` : `${PULSES_PER_KWH} imp/kWh, still`);
}
