'use strict';
// Instants are milliseconds since the epoch, dates are days since it: plain numbers compare fast.
// The club's zone is taken to have one offset all year (server.js checks it), which is a favour to this
// side: a zone with clock changes needs a library here.

const DAY = 86_400_000;
const MINUTE = 60_000;
const MONTHS = [
  'January', 'February', 'March', 'April', 'May', 'June',
  'July', 'August', 'September', 'October', 'November', 'December',
];
let offset = 0;

function setZone(name) {
  const at = (date) => {
    const parts = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' }).formatToParts(date);
    const said = parts.find((part) => part.type === 'timeZoneName').value;
    const found = /GMT([+-])(\d\d):(\d\d)/.exec(said);
    return found ? (found[1] === '-' ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3])) * MINUTE : 0;
  };
  const year = new Date().getUTCFullYear();
  const offsets = new Set(Array.from({ length: 24 }, (_, month) => at(new Date(Date.UTC(year, month, 1)))));
  if (offsets.size !== 1) throw new Error(`${name} changes its clocks; this server does not speak of that.`);
  [offset] = offsets;
}

const two = (number) => (number < 10 ? `0${number}` : `${number}`);

/** 2026-06-02T03:00:00Z; a fraction is written with six digits, as the other side does. */
function instantText(instant) {
  const text = new Date(instant).toISOString();
  return instant % 1000 === 0 ? `${text.slice(0, 19)}Z` : `${text.slice(0, 23)}000Z`;
}

/** From `2026-06-02 03:00:00[.ffffff][+00]`, the text of both engines, always UTC. */
function parseInstant(text) {
  if (text === null || text === undefined) return null;
  const whole = Date.UTC(
    +text.slice(0, 4), +text.slice(5, 7) - 1, +text.slice(8, 10),
    +text.slice(11, 13), +text.slice(14, 16), +text.slice(17, 19),
  );
  if (text.charCodeAt(19) !== 46) return whole;
  let fraction = 0;
  for (let at = 20; at < 23; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    fraction = fraction * 10 + (digit >= 0 && digit <= 9 ? digit : 0);
  }
  return whole + fraction;
}

const parseDay = (text) =>
  text === null || text === undefined
    ? null
    : Date.UTC(+text.slice(0, 4), +text.slice(5, 7) - 1, +text.slice(8, 10)) / DAY;
const dayText = (day) => new Date(day * DAY).toISOString().slice(0, 10);
const parseMinutes = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
const localDay = (instant) => Math.floor((instant + offset) / DAY);
const localMinutes = (instant) => Math.floor((instant + offset - localDay(instant) * DAY) / MINUTE);
const wallInstant = (day, minutes) => day * DAY + minutes * MINUTE - offset;
const weekdayOf = (day) => (day + 3) % 7; // the epoch was a Thursday; Monday is 0

/** As a member reads it: 3 December 2026, 07:00. */
function localText(instant) {
  const at = new Date(instant + offset);
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}, ${time}`;
}

function localTime(instant) {
  const at = new Date(instant + offset);
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
}

module.exports = {
  DAY, MINUTE, dayText, instantText, localDay, localMinutes, localText, localTime, parseDay, parseInstant,
  parseMinutes, setZone, wallInstant, weekdayOf,
};
