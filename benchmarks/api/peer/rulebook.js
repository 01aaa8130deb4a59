'use strict';
// The club's rules, parsed once for each mark of the rulebook and kept in memory.

const { localDay, localMinutes, parseDay, parseInstant, parseMinutes, wallInstant, weekdayOf } = require('./text');

const HOLIDAY = 7;
// What this server does not speak of; a club that uses it is refused rather than judged wrongly.
const UNSPOKEN = ['hold_minutes', 'confirm_within_minutes', 'confirm_before_start_minutes'];

let kept = null;

/** The rules of `mark`; `rows()` reads the tables where the page was turned. May be a promise. */
function rulesOf(mark, rows) {
  if (kept !== null && kept.mark === mark) return kept;
  const read = rows();
  if (typeof read.then !== 'function') return (kept = parse(mark, read));
  return read.then((found) => (kept = parse(mark, found)));
}

/** What was known last: where to look, never what to judge by. */
const remembered = () => kept;

function termsOf(row) {
  for (const name of UNSPOKEN) if (row[name] !== null) throw new Error(`A policy uses ${name}.`);
  if (row.approval_required || row.rebook_lockout_minutes) throw new Error('A policy asks for approval or waits.');
  return {
    versionId: row.id,
    openDaysAhead: row.open_days_ahead,
    releaseMinutes: parseMinutes(row.release_time),
    minNotice: row.min_notice_minutes * 60_000,
    minNoticeDays: row.min_notice_days,
    slot: row.slot_minutes * 60_000,
    minSlots: row.min_slots,
    maxSlots: row.max_slots,
    bufferBefore: row.buffer_before_minutes * 60_000,
    bufferAfter: row.buffer_after_minutes * 60_000,
    partyMin: row.party_min,
    partyMax: row.party_max,
    guestsMax: row.guests_max,
    guestNamesRequired: Boolean(row.guest_names_required),
    sameGuestLimit: row.same_guest_limit,
    requiresGoodStanding: Boolean(row.requires_good_standing),
    minAge: row.min_age,
    rebookLockout: row.rebook_lockout_minutes * 60_000,
    cutoff: row.cancellation_cutoff_minutes * 60_000,
  };
}

function parse(mark, rows) {
  const newest = new Map();
  for (const row of rows.versions) newest.set(row.policy_id, row); // by policy, then by number
  const bound = [...newest.values()].map((row) => ({
    terms: termsOf(row),
    facilityId: row.facility_id,
    kind: row.kind,
    categoryId: row.category_id,
    validFrom: parseDay(row.valid_from),
    validUntil: parseDay(row.valid_until),
  }));
  const spans = grouped(rows.spans, 'period_id');
  const facilities = new Map();
  const byPublicId = new Map();
  for (const row of rows.facilities) {
    const spaces = rows.links
      .filter((link) => link.facility_id === row.id)
      .map((link) => ({ id: link.space_id, grid: link.grid, lanes: link.lanes }));
    if (spaces.some((space) => space.grid === 0)) throw new Error('A space is let by the night.');
    const ids = new Set(spaces.map((space) => space.id));
    const facility = {
      id: row.id,
      publicId: row.public_id,
      name: row.name,
      kind: row.kind,
      takesPerPerson: row.takes === 'person',
      isPublished: row.state === 'published',
      shownFrom: parseInstant(row.publish_from),
      shownUntil: parseInstant(row.publish_until),
      spaces,
      periods: rows.periods
        .filter((period) => period.facility_id === row.id)
        .map((period) => ({
          startsOn: parseDay(period.starts_on),
          endsOn: parseDay(period.ends_on),
          priority: period.priority,
          override: Boolean(period.override),
          spans: (spans.get(period.id) ?? []).map((span) => ({
            weekday: span.weekday,
            opens: parseMinutes(span.opens),
            closes: parseMinutes(span.closes),
            nextDay: Boolean(span.next_day),
          })),
        })),
      closures: rows.closures
        .filter((closure) => closure.facility_id === row.id || ids.has(closure.space_id))
        .map((closure) => ({
          startsAt: parseInstant(closure.starts_at),
          endsAt: parseInstant(closure.ends_at),
          reason: closure.reason,
        })),
      bands: rows.bands
        .filter((band) => band.facility_id === row.id || (band.facility_id === null && band.kind === row.kind))
        .map((band) => ({
          weekday: band.weekday,
          starts: parseMinutes(band.starts),
          ends: parseMinutes(band.ends),
          validFrom: parseDay(band.valid_from),
          validUntil: parseDay(band.valid_until),
        })),
      bound: bound.filter((one) => one.facilityId === row.id || (one.facilityId === null && one.kind === row.kind)),
    };
    facilities.set(row.id, facility);
    byPublicId.set(row.public_id, facility);
  }
  const quotas = rows.quotas.map((row) => ({
    name: row.name,
    measure: row.measure,
    period: row.period,
    perHousehold: row.per === 'household',
    limit: row.limit,
    facilityId: row.facility_id,
    kind: row.kind,
    primeTimeOnly: Boolean(row.prime_time_only),
    categoryId: row.category_id,
    validFrom: parseDay(row.valid_from),
    validUntil: parseDay(row.valid_until),
  }));
  return {
    mark,
    number: rows.number,
    facilities,
    byPublicId,
    quotas,
    holidays: new Set(rows.holidays.map((row) => parseDay(row.on))),
    widestBuffer: Math.max(0, ...bound.map((one) => Math.max(one.terms.bufferBefore, one.terms.bufferAfter))),
    openings: new Map(),
  };
}

function grouped(rows, name) {
  const groups = new Map();
  for (const row of rows) {
    if (!groups.has(row[name])) groups.set(row[name], []);
    groups.get(row[name]).push(row);
  }
  return groups;
}

function isShown(facility, now) {
  return (
    facility.isPublished &&
    (facility.shownFrom === null || facility.shownFrom <= now) &&
    (facility.shownUntil === null || now < facility.shownUntil)
  );
}

/** The terms for a category on a day; the most specific binding wins, null where there is none. */
function termsOn(facility, day, categoryId) {
  let best = null;
  let bestRank = -1;
  for (const one of facility.bound) {
    if (one.categoryId !== null && one.categoryId !== categoryId) continue;
    if (one.validFrom !== null && one.validFrom > day) continue;
    if (one.validUntil !== null && day > one.validUntil) continue;
    const rank = (one.facilityId !== null ? 2 : 0) + (one.categoryId !== null ? 1 : 0);
    if (rank > bestRank) [best, bestRank] = [one.terms, rank];
  }
  return best;
}

function weekday(day, weekdays, holidays) {
  return holidays.has(day) && weekdays.includes(HOLIDAY) ? HOLIDAY : weekdayOf(day);
}

/** Opening intervals that begin on a date: sorted, disjoint. Worked out once for each. */
function openOn(rules, facility, day) {
  const key = facility.id * 100_000 + day;
  let found = rules.openings.get(key);
  if (found === undefined) rules.openings.set(key, (found = opening(rules, facility, day)));
  return found;
}

function opening(rules, facility, day) {
  const covering = facility.periods
    .filter((period) => period.startsOn <= day && (period.endsOn === null || day <= period.endsOn))
    .sort(
      (a, b) =>
        b.priority - a.priority || b.startsOn - a.startsOn || (a.endsOn ?? Infinity) - (b.endsOn ?? Infinity),
    );
  const intervals = [];
  for (const period of covering) {
    const wanted = weekday(day, period.spans.map((span) => span.weekday), rules.holidays);
    for (const span of period.spans) {
      if (span.weekday !== wanted) continue;
      const startsAt = wallInstant(day, span.opens);
      const endsAt = wallInstant(span.nextDay ? day + 1 : day, span.closes);
      if (startsAt < endsAt) intervals.push({ startsAt, endsAt });
    }
    if (period.override) break;
  }
  intervals.sort((a, b) => a.startsAt - b.startsAt);
  const merged = [];
  for (const one of intervals) {
    const last = merged[merged.length - 1];
    if (last !== undefined && one.startsAt <= last.endsAt) last.endsAt = Math.max(last.endsAt, one.endsAt);
    else merged.push({ ...one });
  }
  return merged;
}

/** Whether an instant is in the facility's prime time. */
function isPrime(rules, facility, instant) {
  if (facility === undefined) return false;
  const day = localDay(instant);
  const at = localMinutes(instant);
  const valid = facility.bands.filter(
    (band) =>
      (band.validFrom === null || band.validFrom <= day) && (band.validUntil === null || day <= band.validUntil),
  );
  if (valid.length === 0) return false;
  const wanted = weekday(day, valid.map((band) => band.weekday), rules.holidays);
  return valid.some(
    (band) => band.weekday === wanted && band.starts <= at && (at < band.ends || band.ends === 0),
  );
}

module.exports = { isPrime, isShown, openOn, remembered, rulesOf, termsOn };
