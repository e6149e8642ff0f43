// What channels are called, how their quantities are written, and what the bits of a status mean.

import { number } from "./page.js";

const NAMES = { import_wh: "Import", export_wh: "Export" };
const KINDS = { import_wh: "import", export_wh: "export" };

export function channelName(key) {
  if (NAMES[key]) return NAMES[key];
  const name = key.replace(/_(pulses|varh)$/, "").replaceAll("_", " ");
  return name.charAt(0).toUpperCase() + name.slice(1);
}

export const channelKind = (key) => KINDS[key] ?? (key.endsWith("_pulses") ? "gas" : "other");

export function written(key, value) {
  if (value === null || value === undefined) return "not known yet";
  if (key.endsWith("_wh")) return `${(value / 1000).toFixed(3)} kWh`;
  if (key.endsWith("_varh")) return `${(value / 1000).toFixed(3)} kvarh`;
  if (key.endsWith("_pulses")) return `${number(value)} ${value === 1 ? "pulse" : "pulses"}`;
  return number(value);
}

const ROW = [
  [0x80, "off", "power was off"],
  [0x07, "doubt", "doubtful: error, invalid clock or data"],
  [0x60, "late", "adjusted or final late"],
];
const PULSES = [
  [0x02, "unknown", "not known yet"],
  [0xbc, "doubt", "doubtful: clock, count, flow, tamper or no proof"],
  [0x01, "late", "interpolated"],
  [0x40, "", "low battery"],
];

// How a value of a row is to be taken: the class of its bar, and words.
export function standing(row, key) {
  const value = row.channels[key];
  const bits = key.endsWith("_pulses") ? row.channel_status[key] ?? 0 : row.status;
  const found = (key.endsWith("_pulses") ? PULSES : ROW).filter(([mask]) => bits & mask);
  if (value === null || value === undefined) return { kind: "unknown", words: "not known yet" };
  return { kind: found[0]?.[1] ?? "", words: found.map((each) => each[2]).join("; ") };
}
