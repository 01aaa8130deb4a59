'use strict';
// What is taken of a space: lanes by cell, and the neighbours that a buffer must respect.

/** The start of every cell that an interval touches; cells are counted from the hour. */
function cellsOf(grid, startsAt, endsAt) {
  const step = grid * 60_000;
  const cells = [];
  for (let cell = Math.floor(startsAt / step) * step; cell < endsAt; cell += step) cells.push(cell);
  return cells;
}

/** How many of the ascending `values` are at most `value` (or under it, where `strictly`). */
function countUpTo(values, value, strictly) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < value || (!strictly && values[middle] === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

class SpaceOccupancy {
  constructor(space, rows) {
    this.space = space;
    this.used = new Map();
    for (const row of rows) {
      for (const cell of cellsOf(space.grid, row.startsAt, row.endsAt)) {
        this.used.set(cell, (this.used.get(cell) ?? 0) + row.lanes);
      }
    }
    this.byStart = [...rows].sort((a, b) => a.startsAt - b.startsAt);
    this.byEnd = [...rows].sort((a, b) => a.endsAt - b.endsAt);
    this.starts = this.byStart.map((row) => row.startsAt);
    this.ends = this.byEnd.map((row) => row.endsAt);
  }

  lanesLeft(startsAt, endsAt) {
    let most = 0;
    for (const cell of cellsOf(this.space.grid, startsAt, endsAt)) most = Math.max(most, this.used.get(cell) ?? 0);
    return Math.max(0, this.space.lanes - most);
  }

  breaksBuffer(startsAt, endsAt, before, after) {
    if (this.space.lanes > 1) return false;
    const earlier = countUpTo(this.ends, startsAt, false);
    if (earlier > 0) {
      const neighbour = this.byEnd[earlier - 1];
      if (startsAt - neighbour.endsAt < Math.max(neighbour.bufferAfter, before)) return true;
    }
    const later = countUpTo(this.starts, endsAt, true);
    if (later < this.starts.length) {
      const neighbour = this.byStart[later];
      if (neighbour.startsAt - endsAt < Math.max(after, neighbour.bufferBefore)) return true;
    }
    return false;
  }
}

/** By space: what the rows of a query take of each of a facility's spaces. */
function occupancyOf(facility, rows) {
  const found = new Map();
  for (const space of facility.spaces) {
    found.set(space.id, new SpaceOccupancy(space, rows.filter((row) => row.spaceId === space.id)));
  }
  return found;
}

function lanesLeft(facility, startsAt, endsAt, occupancy) {
  let least = Infinity;
  for (const space of facility.spaces) {
    least = Math.min(least, occupancy.get(space.id).lanesLeft(startsAt, endsAt));
  }
  return least === Infinity ? 0 : least;
}

module.exports = { cellsOf, lanesLeft, occupancyOf };
