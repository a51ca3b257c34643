// @ts-check
// Rounding and limits.

export function round1(value) {
  return Math.round(value * 10) / 10;
}

export function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}
