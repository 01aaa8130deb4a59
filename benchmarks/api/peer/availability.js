'use strict';
// What is free of a facility, slot by slot, with the reasons why this member cannot have one.

const { createHash } = require('node:crypto');
const { Problem } = require('./problems');
const { dayText, instantText, localDay, parseDay, wallInstant } = require('./text');
const { isPrime, isShown, openOn, rulesOf, termsOn } = require('./rulebook');
const { judge } = require('./rules');
const { lanesLeft, occupancyOf } = require('./occupancy');
const { countedDays, countedOf, marginOf, memberOf, takenOf } = require('./situation');

const MOST_DAYS = 31;

/** The reply's body. Three queries with the rulebook in memory, as on the other side. */
async function getAvailability({ store, facilityId, memberId, query, now }) {
  const first = query.from === undefined ? localDay(now) : parseDay(query.from);
  const last = query.to === undefined ? first + 6 : parseDay(query.to);
  if (last < first || last >= first + MOST_DAYS) throw new Problem(400, 'invalid', 'Ask for 1 to 31 days.');
  const row = await store.look(memberId, now);
  if (row === undefined) throw new Problem(404, 'not_found', 'There is no such thing.');
  const member = memberOf(memberId, row);
  const rules = await rulesOf(row.mark, store.rulebook);
  const facility = rules.byPublicId.get(facilityId);
  if (facility === undefined || !isShown(facility, now)) {
    throw new Problem(404, 'not_found', 'There is no such thing.');
  }
  const from = wallInstant(first, 0);
  const to = wallInstant(last + 2, 0);
  const margin = marginOf(rules);
  const days = countedDays(rules, from, to);
  const counted = countedOf(rules, await store.counted(member.membershipId, ...days, now), now);
  const spaces = facility.spaces.map((space) => space.id);
  const taken = takenOf(await store.taken(spaces, from - margin, to + margin), now);
  const occupancy = occupancyOf(facility, taken);
  const found = [];
  for (let day = first; day <= last; day += 1) {
    found.push({ date: dayText(day), slots: slotsOn(day, { facility, member, rules, counted, occupancy, now, query }) });
  }
  return {
    facility: { id: facility.publicId, name: facility.name, kind: facility.kind },
    rulebook: rules.number,
    days: found,
  };
}

function slotsOn(day, asked) {
  const { facility, rules, member } = asked;
  const terms = termsOn(facility, day, member.categoryId);
  if (terms === null) return [];
  const slots = [];
  for (const opening of openOn(rules, facility, day)) {
    for (let startsAt = opening.startsAt; startsAt + terms.slot <= opening.endsAt; startsAt += terms.slot) {
      const endsAt = startsAt + terms.minSlots * terms.slot;
      if (endsAt <= opening.endsAt) slots.push(judged(startsAt, endsAt, terms, asked));
    }
  }
  return slots;
}

function judged(startsAt, endsAt, terms, { facility, member, rules, counted, occupancy, now, query }) {
  const reasons = judge({
    now, rules, facility, terms, startsAt, endsAt, member, counted, occupancy,
    startsOn: localDay(startsAt),
    party: query.party ?? terms.partyMin,
    guests: 0, unnamed: 0, namesGiven: false, nights: 0,
    isPrime: isPrime(rules, facility, startsAt),
  });
  const has = (code) => reasons.some((reason) => reason.code === code);
  let state = 'refused';
  if (reasons.length === 0) state = 'free';
  else if (has('closed')) state = 'closed';
  else if (has('slot_taken')) state = 'taken';
  return {
    starts_at: instantText(startsAt),
    ends_at: instantText(endsAt),
    state,
    left: lanesLeft(facility, startsAt, endsAt, occupancy),
    reasons,
  };
}

/** A strong tag of the very bytes. */
const etagOf = (body) => `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"`;

module.exports = { etagOf, getAvailability };
