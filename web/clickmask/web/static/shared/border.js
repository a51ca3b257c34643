// @ts-check
// The border of a mask as closed loops: a few long lines are painted many times faster than many short ones.

export function borderPath(mask) {
  const links = borderLinks(mask), width = mask.width + 1, path = new Path2D();
  for (const start of links.keys()) {
    while (links.has(start)) {
      corners(takeLoop(links, start)).forEach((at, i) => {
        const x = at % width, y = (at - x) / width;
        path[i ? "lineTo" : "moveTo"](mask.x + x, mask.y + y);
      });
      path.closePath();
    }
  }
  return path;
}

// Where the border goes on from each pixel corner (x + y * (width + 1)); the mask lies to the right.
function borderLinks(mask) {
  const rows = rowIntervals(mask), width = mask.width + 1, links = new Map();
  const link = (x0, y0, x1, y1) => {
    const from = x0 + y0 * width, onward = links.get(from);
    if (onward) onward.push(x1 + y1 * width); // two pixels touch at their corners
    else links.set(from, [x1 + y1 * width]);
  };
  for (let y = 0; y <= rows.length; y++) {
    const here = rows[y] || [], above = rows[y - 1] || [];
    here.forEach((x, i) => (i % 2 ? link(x, y, x, y + 1) : link(x, y + 1, x, y)));
    const ends = [...here, ...above].sort((a, b) => a - b);
    for (let i = 0; i < ends.length; i += 2) {
      const [left, right] = [ends[i], ends[i + 1]];
      if (left === right) continue;
      if (here.filter((x) => x <= left).length % 2) link(left, y, right, y);
      else link(right, y, left, y);
    }
  }
  return links;
}

// per row the columns where the mask begins and ends: [start, end, start, end, ...]
function rowIntervals(mask) {
  const rows = Array.from({ length: mask.height }, () => []);
  mask.eachSpan((row, left, right) => rows[row].push(left, right));
  return rows;
}

function takeLoop(links, start) {
  const loop = [];
  let at = start;
  do {
    loop.push(at);
    const onward = links.get(at);
    if (onward.length === 1) links.delete(at);
    at = onward.pop();
  } while (at !== start);
  return loop;
}

function corners(loop) {
  return loop.filter((at, i) => at - loop.at(i - 1) !== loop[(i + 1) % loop.length] - at);
}
