// @ts-check
// Which pictures of a folder are listed: by name, state, objects or class.

import { isUnchecked } from "./review.js";

const UNSURE_SCORE = 0.7;
const UNKNOWN_SCORE = 0.5; // of an object that came without one
const STATES = ["todo", "done", "skipped", "accepted", "redo"];
const OBJECTS = ["draft", "empty", "unsure", "unchecked"];

// what a filter asks of a picture; unfinished: ids of pictures with a draft
function fits(picture, filter, unfinished) {
  if (STATES.includes(filter)) return picture.status === filter;
  if (filter === "draft") return unfinished.has(picture.id);
  if (filter === "empty") return picture.object_count === 0;
  if (filter === "unsure") return typeof picture.lowest_score === "number" && picture.lowest_score < UNSURE_SCORE;
  if (filter === "unchecked") return picture.unchecked > 0;
  if (filter.startsWith("class:")) return ((picture.categories || {})[filter.slice(6)] || 0) > 0;
  return true;
}

export function filteredPictures(pictures, { filter, search }, unfinished) {
  const wanted = search.trim().toLowerCase();
  return pictures.filter((picture) => picture.name.toLowerCase().includes(wanted) && fits(picture, filter, unfinished));
}

// how many pictures each filter would list: [[group, [[filter, count], ...]], ...]; those of objects and classes only where there are any
export function filterCounts(pictures, categories, unfinished) {
  const count = (filter) => [filter, pictures.filter((picture) => fits(picture, filter, unfinished)).length];
  const some = (filters) => filters.map(count).filter(([, number]) => number > 0);
  return [["states", STATES.map(count).filter(([filter, number]) => number > 0 || STATES.indexOf(filter) < 3)],
    ["objects", some(OBJECTS)], ["classes", some(categories.map(({ id }) => `class:${id}`))]];
}

// the facts a filter asks for, of objects that are known here
export function factsOf(objects) {
  const categories = {};
  for (const { category } of objects) categories[category] = (categories[category] || 0) + 1;
  const scores = objects.map(({ score }) => score).filter((score) => score !== null && score !== undefined);
  return {
    object_count: objects.length, categories, lowest_score: scores.length ? Math.min(...scores) : null,
    unchecked: objects.filter(isUnchecked).length,
    all_good: objects.filter(isUnchecked).reduce((chance, { score }) => chance * (score ?? UNKNOWN_SCORE), 1),
  };
}
