// @ts-check
// Names of keystrokes: by letter where the keyboard writes Latin letters, else by the place of the key.

const PLACES = { BracketLeft: "[", BracketRight: "]", Minus: "-", Equal: "=", Period: ".", Comma: ",", Slash: "/", Space: " " };
const LABELS = {
  " ": "Space", arrowleft: "←", arrowright: "→", arrowup: "↑", arrowdown: "↓", enter: "Enter", escape: "Esc", "-": "−", ctrl: "Ctrl", shift: "Shift",
};

// what a keystroke may be called, best name first: "d", "ctrl+z", "shift+arrowright", "["
export function strokesOf(event) {
  const { key, code, shiftKey } = event;
  const isSymbol = key.length === 1 && !/[a-z0-9]/i.test(key);
  const writesSymbol = isSymbol && (event.altKey || event.getModifierState?.("AltGraph")); // AltGr 8 is "[" in Germany
  if (event.altKey && !writesSymbol) return [];
  const control = (event.ctrlKey || event.metaKey) && !writesSymbol ? "ctrl+" : "";
  const named = key.length > 1 && key !== "Process" && key !== "Dead" && key !== "Unidentified";
  const shift = shiftKey ? "shift+" : "";
  const byKey = named ? [shift + key.toLowerCase(), key.toLowerCase()]
    : /^[a-z]$/i.test(key) ? [shift + key.toLowerCase(), key.toLowerCase()] : [key];
  const place = placeOf(code);
  const byPlace = place && !/^[a-z]$/i.test(key) && !named ? [shift + place, ...(shiftKey && /[0-9]/.test(place) ? [] : [place])] : [];
  return [...byKey, ...byPlace].map((name) => control + name);
}

function placeOf(code = "") {
  const letter = /^(?:Key|Digit)([A-Z0-9])$/.exec(code);
  return letter ? letter[1].toLowerCase() : PLACES[code];
}

// as it is printed on the keyboard: "Ctrl Z"
export function strokeLabel(stroke) {
  const parts = stroke.length > 1 ? stroke.split("+").filter(Boolean) : [stroke];
  return parts.map((part) => LABELS[part] || (part.length > 1 ? part[0].toUpperCase() + part.slice(1) : part.toUpperCase())).join(" ");
}
