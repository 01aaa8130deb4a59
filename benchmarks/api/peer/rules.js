'use strict';
// Each rule of the club, in the order in which a refusal names them. Every rule is asked of every slot.

const { instantText, localDay, localText, wallInstant, weekdayOf } = require('./text');
const { openOn } = require('./rulebook');
const { lanesLeft } = require('./occupancy');

const WEEK_START = 0;

const failure = (code, detail, limit = null, current = null, retryAt = null) => ({
  code, detail, limit, current, retry_at: retryAt === null ? null : instantText(retryAt),
});

function past(ask, failures) {
  if (ask.startsAt <= ask.now) failures.push(failure('in_the_past', 'The time has passed. Choose a later one.'));
}

function notice(ask, failures) {
  const { terms } = ask;
  if (terms.minNotice && ask.now + terms.minNotice > ask.startsAt) {
    const minutes = Math.floor(terms.minNotice / 60_000);
    failures.push(
      failure(
        'too_short_notice',
        `Book at least ${minutes} minutes before the start. Choose a later time.`,
        minutes,
        Math.floor(Math.trunc((ask.startsAt - ask.now) / 1000) / 60),
      ),
    );
  }
  const days = ask.startsOn - localDay(ask.now);
  if (terms.minNoticeDays && days < terms.minNoticeDays) {
    failures.push(
      failure(
        'too_short_notice',
        `Book at least ${terms.minNoticeDays} days ahead. Choose a later date.`,
        terms.minNoticeDays,
        days,
      ),
    );
  }
}

function release(ask, failures) {
  const releasedAt = wallInstant(ask.startsOn - ask.terms.openDaysAhead, ask.terms.releaseMinutes);
  if (ask.now < releasedAt) {
    failures.push(
      failure(
        'not_yet_released',
        `This day opens for booking on ${localText(releasedAt)}. Try again then.`,
        ask.terms.openDaysAhead,
        ask.startsOn - localDay(ask.now),
        releasedAt,
      ),
    );
  }
}

function party(ask, failures) {
  const { partyMin, partyMax } = ask.terms;
  if (ask.party < partyMin) {
    failures.push(failure('party_size', `The party must be at least ${partyMin}. Add people.`, partyMin, ask.party));
  } else if (ask.party > partyMax) {
    failures.push(
      failure('party_size', `The party may be at most ${partyMax}. Choose a smaller one.`, partyMax, ask.party),
    );
  }
}

function guests(ask, failures) {
  const limit = ask.terms.guestsMax;
  if (limit !== null && ask.guests > limit) {
    failures.push(
      failure('too_many_guests', `At most ${limit} guests may come along. Bring fewer.`, limit, ask.guests),
    );
  }
  if (ask.terms.guestNamesRequired && ask.namesGiven && ask.unnamed) {
    failures.push(
      failure('guest_names_required', `Every guest must be named. Name the remaining ${ask.unnamed}.`, 0, ask.unnamed),
    );
  }
}

function ageOn(born, day) {
  const [birth, on] = [new Date(born * 86_400_000), new Date(day * 86_400_000)];
  const before =
    on.getUTCMonth() < birth.getUTCMonth() ||
    (on.getUTCMonth() === birth.getUTCMonth() && on.getUTCDate() < birth.getUTCDate());
  return on.getUTCFullYear() - birth.getUTCFullYear() - (before ? 1 : 0);
}

function member(ask, failures) {
  const { member: who, terms } = ask;
  if (!who.canBook) {
    failures.push(failure('may_not_book', 'This member may not book. Ask the principal of the membership.'));
  }
  if (who.validTo !== null && ask.startsOn > who.validTo) {
    failures.push(
      failure('membership_expired', 'The membership ends before this day. Ask Membership to renew it.'),
    );
  }
  if (terms.requiresGoodStanding && who.standing !== 'good') {
    failures.push(
      failure(
        'not_in_good_standing',
        'The membership is not in good standing. Settle the account with Finance first.',
      ),
    );
  }
  if (terms.minAge !== null && who.birthDate !== null) {
    const age = ageOn(who.birthDate, ask.startsOn);
    if (age < terms.minAge) {
      failures.push(
        failure(
          'too_young',
          `One must be ${terms.minAge} years old. Ask an adult of the household to book.`,
          terms.minAge,
          age,
        ),
      );
    }
  }
  if (who.holdUntil !== null && who.holdUntil > ask.now) {
    failures.push(
      failure(
        'privilege_hold',
        `Booking is on hold until ${localText(who.holdUntil)}: ${who.holdReason} Ask the club if this is wrong.`,
        null,
        null,
        who.holdUntil,
      ),
    );
  }
}

/** First day of the period that `day` falls in, and first day of the next. */
function periodOf(day, period) {
  if (period === 'day') return [day, day + 1];
  if (period === 'week') {
    const first = day - ((weekdayOf(day) - WEEK_START + 7) % 7);
    return [first, first + 7];
  }
  const on = new Date(day * 86_400_000);
  const [year, month] = [on.getUTCFullYear(), on.getUTCMonth()];
  const days = (at) => at / 86_400_000;
  return period === 'month'
    ? [days(Date.UTC(year, month, 1)), days(Date.UTC(year, month + 1, 1))]
    : [days(Date.UTC(year, 0, 1)), days(Date.UTC(year + 1, 0, 1))];
}

function amount(quota, row) {
  if (quota.measure === 'minutes') return (row.endsAt - row.startsAt) / 60_000;
  if (quota.measure === 'nights') return row.nights;
  if (quota.measure === 'guests') return row.guests;
  return 1;
}

function counts(quota, ask, row, first, after) {
  if (!row.counts || (quota.facilityId !== null && quota.facilityId !== row.facilityId)) return false;
  if ((quota.kind !== '' && quota.kind !== row.kind) || (quota.primeTimeOnly && !row.isPrime)) return false;
  if (!quota.perHousehold && row.memberId !== ask.member.memberId) return false;
  if (quota.period === 'outstanding') return row.occupies && row.endsAt > ask.now;
  if (quota.period === 'concurrent') return row.occupies && row.startsAt < ask.endsAt && row.endsAt > ask.startsAt;
  return first <= row.startsOn && row.startsOn < after;
}

function quotas(ask, failures) {
  for (const quota of ask.rules.quotas) {
    const wanted = amount(quota, ask);
    if (!wanted || (quota.facilityId !== null && quota.facilityId !== ask.facility.id)) continue;
    if (quota.kind !== '' && quota.kind !== ask.facility.kind) continue;
    if (quota.categoryId !== null && quota.categoryId !== ask.member.categoryId) continue;
    if (quota.primeTimeOnly && !ask.isPrime) continue;
    if (quota.validFrom !== null && ask.startsOn < quota.validFrom) continue;
    if (quota.validUntil !== null && ask.startsOn > quota.validUntil) continue;
    const dated = quota.period !== 'outstanding' && quota.period !== 'concurrent';
    const [first, after] = dated ? periodOf(ask.startsOn, quota.period) : [0, 0];
    const rows = ask.counted.filter((row) => counts(quota, ask, row, first, after));
    const used = rows.reduce((sum, row) => sum + amount(quota, row), 0);
    if (used + wanted <= quota.limit) continue;
    let retryAt = null;
    if (quota.period === 'outstanding') {
      let left = used + wanted;
      for (const row of rows.sort((a, b) => a.endsAt - b.endsAt)) {
        left -= amount(quota, row);
        if (left <= quota.limit) {
          retryAt = row.endsAt;
          break;
        }
      }
    }
    failures.push(
      failure(
        'quota_exceeded',
        `${quota.name}: at most ${quota.limit}, ${used} used. Choose another time or cancel one.`,
        quota.limit,
        used,
        retryAt,
      ),
    );
  }
}

function place(ask, failures) {
  const { facility, terms, startsAt, endsAt, rules } = ask;
  const openings = [...openOn(rules, facility, ask.startsOn - 1), ...openOn(rules, facility, ask.startsOn)];
  const around = openings.filter((one) => one.startsAt <= startsAt && startsAt < one.endsAt);
  const starts = (one) => startsAt + terms.slot <= one.endsAt && (startsAt - one.startsAt) % terms.slot === 0;
  if ((endsAt - startsAt) % terms.slot !== 0 || (around.length > 0 && !around.some(starts))) {
    failures.push(
      failure('not_a_slot', 'This is not a slot of the facility. Choose a start and an end from availability.'),
    );
  } else {
    const slots = (endsAt - startsAt) / terms.slot;
    if (slots < terms.minSlots || slots > terms.maxSlots) {
      failures.push(
        failure(
          'slot_count',
          `Book from ${terms.minSlots} to ${terms.maxSlots} slots at a time. Change the end.`,
          slots < terms.minSlots ? terms.minSlots : terms.maxSlots,
          slots,
        ),
      );
    }
  }
  if (!openings.some((one) => one.startsAt <= startsAt && endsAt <= one.endsAt)) {
    failures.push(
      failure('outside_opening_hours', 'The facility is not open then. Choose a time inside its hours.'),
    );
  }
  for (const closure of facility.closures) {
    if (closure.startsAt < endsAt && closure.endsAt > startsAt) {
      failures.push(
        failure('closed', `Closed until ${localText(closure.endsAt)}: ${closure.reason} Choose a time after that.`),
      );
    }
  }
  const left = lanesLeft(facility, startsAt, endsAt, ask.occupancy);
  if (left < (facility.takesPerPerson ? ask.party : 1)) {
    const lanes = facility.spaces.length ? Math.min(...facility.spaces.map((space) => space.lanes)) : 0;
    failures.push(failure('slot_taken', 'This time is taken. Choose another one.', lanes, lanes - left));
  }
  const breaks = (space) =>
    ask.occupancy.get(space.id).breaksBuffer(startsAt, endsAt, terms.bufferBefore, terms.bufferAfter);
  if (facility.spaces.some(breaks)) {
    failures.push(
      failure('slot_taken', 'The time between two bookings would be too short. Choose another one.'),
    );
  }
}

const ALL = [past, notice, release, party, guests, member, quotas, place];

/** Every rule that the wish does not meet; empty when it passes. */
function judge(ask) {
  const failures = [];
  for (const rule of ALL) rule(ask, failures);
  return failures;
}

module.exports = { judge, periodOf };
