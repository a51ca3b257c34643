// @ts-check
// In which order the pictures of a folder are listed and gone through.

import { byName } from "../shared/natural_order.js";

export const ORDERS = ["name", "worth"];
const FINISHED = ["done", "accepted", "skipped"];

// the pictures in an order, which stays until it is chosen again or the folder is read again: a list does not move under a hand
export function ordered(pictures, order) {
  return [...pictures].sort(order === "worth" ? byWorth : byName);
}

// most worth first: where masks nobody looked at are likely wrong; then what has none; what is finished last
function byWorth(one, other) {
  return rank(one) - rank(other) || one.all_good - other.all_good || byName(one, other);
}

function rank(picture) {
  if (picture.unchecked > 0) return 0;
  return FINISHED.includes(picture.status) ? 2 : 1;
}

// how many pictures come after one in the folder, whatever the order on the screen
export function countAfter(pictures, picture) {
  return pictures.filter((one) => one !== picture && byName(picture, one) < 0).length;
}
