// @ts-check
// Names as people sort them: img_2 before img_10.

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

export function byName(one, other) {
  return collator.compare(one.name, other.name) || (one.name < other.name ? -1 : 1);
}
