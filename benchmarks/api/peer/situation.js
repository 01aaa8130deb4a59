'use strict';
// What a wish of one member is judged against, from the rows that the stores read.

const { DAY, localDay, parseDay, parseInstant } = require('./text');
const { isPrime } = require('./rulebook');
const { periodOf } = require('./rules');

const OCCUPYING = ['HELD', 'PENDING_APPROVAL', 'PENDING_CONFIRMATION', 'CONFIRMED', 'CHECKED_IN'];
const COUNTED = [...OCCUPYING, 'COMPLETED', 'NO_SHOW'];
const occupies = new Set(OCCUPYING);
const counted = new Set(COUNTED);

function memberOf(memberId, row) {
  return {
    memberId,
    publicId: row.public_id,
    memberNo: row.member_no,
    membershipId: row.membership_id,
    categoryId: row.category_id,
    standing: row.standing,
    validTo: parseDay(row.valid_to),
    canBook: Boolean(row.can_book),
    birthDate: parseDay(row.birth_date),
    holdUntil: parseInstant(row.hold_until),
    holdReason: row.hold_reason ?? '',
    userId: row.user_id,
    userPublicId: row.user_public_id,
    name: `${row.first_name} ${row.last_name}`.trim(),
  };
}

/** The days that the quotas' periods reach to from a window. */
function countedDays(rules, from, to) {
  const [first, last] = [localDay(from), localDay(to)];
  let [least, most] = [first, last + 1];
  for (const quota of rules.quotas) {
    if (quota.period === 'outstanding' || quota.period === 'concurrent') continue;
    least = Math.min(least, periodOf(first, quota.period)[0]);
    most = Math.max(most, periodOf(last, quota.period)[1]);
  }
  return [least, most];
}

/** Whether its deadline has passed: such a row is over, whether or not somebody has ended it yet. */
const isDue = (row, now) => row.expires_at !== null && parseInstant(row.expires_at) <= now;

/** How far back what is counted can have ended: no row that the dates or the present let in ended before. */
const countedSince = (first, now) => Math.min(now, (first - 2) * DAY);

function countedOf(rules, rows, now) {
  return rows.filter((row) => !isDue(row, now)).map((row) => {
    const startsAt = parseInstant(row.starts_at);
    return {
      memberId: row.member_id,
      facilityId: row.facility_id,
      kind: row.kind,
      startsAt,
      endsAt: parseInstant(row.ends_at),
      startsOn: parseDay(row.starts_on),
      nights: row.nights,
      guests: row.guest_count,
      occupies: occupies.has(row.state),
      isPrime: isPrime(rules, rules.facilities.get(row.facility_id), startsAt),
      counts: counted.has(row.state) || Boolean(row.is_charged),
    };
  });
}

function takenOf(rows, now) {
  return rows.filter((row) => !isDue(row, now)).map((row) => ({
    spaceId: row.space_id,
    startsAt: parseInstant(row.starts_at),
    endsAt: parseInstant(row.ends_at),
    lanes: row.lanes,
    bufferBefore: row.buffer_before_minutes * 60_000,
    bufferAfter: row.buffer_after_minutes * 60_000,
  }));
}

/** How far around a window neighbours matter. */
const marginOf = (rules) => rules.widestBuffer + DAY / 24;

module.exports = {
  COUNTED, OCCUPYING, countedDays, countedOf, countedSince, isDue, marginOf, memberOf, takenOf,
};
