'use strict';
// Creating a reservation: the same guards in the same order, and the same rows, in one transaction.
//
// A generator, so that one text serves drivers that answer at once and drivers that answer later: each
// `yield` is one call of the transaction's store, and the store's runner awaits it or not.

const { createHash, randomUUID } = require('node:crypto');
const { Problem } = require('./problems');
const { DAY, instantText, localDay, localText, localTime } = require('./text');
const { isPrime, isShown, remembered, rulesOf, termsOn } = require('./rulebook');
const { judge } = require('./rules');
const { cellsOf, occupancyOf } = require('./occupancy');
const { countedDays, countedOf, isDue, marginOf, memberOf, takenOf } = require('./situation');

const ROUTE = 'reservations.create';

/** {status, body, after, replayed}: the reply, and what to tell once it is committed. */
function* book({ wish, identity, key, raw, now }) {
  const digest = createHash('sha256').update(raw).digest('hex');
  let keyId = null;
  if (key !== undefined) {
    keyId = yield (tx) => tx.insertKey({ principal: identity.publicId, route: ROUTE, key, digest, now });
    if (keyId === undefined) return yield* replayed(identity, key, digest);
  }
  yield (tx) => tx.lockMembership(identity.membershipId);
  const { member, rules, facility } = yield* lockAndLook(wish, identity, now);
  const spaces = facility.spaces.map((space) => space.id);
  const startsAt = Date.parse(wish.starts_at);
  const endsAt = Date.parse(wish.ends_at);
  if (!(endsAt > startsAt)) throw new Problem(400, 'invalid', 'It must be later than the start.');
  const startsOn = localDay(startsAt);
  const terms = termsOn(facility, startsOn, member.categoryId);
  if (terms === null) throw new Problem(422, 'not_bookable', 'This facility cannot be booked in the app.');
  const days = countedDays(rules, startsAt, endsAt);
  const countedRows = yield (tx) => tx.counted(member.membershipId, ...days, now);
  const margin = marginOf(rules);
  const takenRows = yield (tx) => tx.taken(spaces, startsAt - margin, endsAt + margin);
  // Nothing in the measured club has a deadline: it is looked for, as on the other side, in what was read.
  if ([...countedRows, ...takenRows].some((row) => isDue(row, now))) {
    throw new Error('Something is due to expire; this server does not end it.');
  }
  const counted = countedOf(rules, countedRows, now);
  const taken = takenOf(takenRows, now);
  const occupancy = occupancyOf(facility, taken);
  const failures = judge({
    now, rules, facility, terms, startsAt, endsAt, member, counted, occupancy, startsOn,
    party: wish.party, guests: 0, unnamed: wish.party - 1, namesGiven: true, nights: 0,
    isPrime: isPrime(rules, facility, startsAt),
  });
  if (failures.length > 0) throw refusal(failures);
  if (facility.spaces.some((space) => space.lanes > 1)) throw new Error('A space has more than one lane.');
  const row = {
    publicId: randomUUID(), facility, member, identity, terms, startsAt, endsAt, startsOn, now,
    party: wish.party,
    notes: wish.notes ?? '',
    lanes: facility.takesPerPerson ? wish.party : 1,
    claims: facility.spaces.flatMap((space) =>
      cellsOf(space.grid, startsAt, endsAt).map((cell) => ({ spaceId: space.id, cell })),
    ),
    notifications: notificationsOf({ facility, member, startsAt, endsAt, now, party: wish.party }),
  };
  tell(row);
  yield (tx) => tx.write(row);
  const body = JSON.stringify(replyOf(row));
  if (keyId !== null) yield (tx) => tx.storeReply(keyId, 201, body);
  return { status: 201, body, after: row, replayed: false };
}

function* replayed(identity, key, digest) {
  const stored = yield (tx) => tx.storedReply(identity.publicId, ROUTE, key);
  if (stored === undefined || !stored.status) throw new Problem(409, 'key_in_flight', 'Send it again in a moment.');
  if (stored.body_sha256 !== digest) throw new Problem(422, 'key_reused', 'This key came with another body.');
  return { status: stored.status, body: stored.reply, after: null, replayed: true };
}

/** The spaces' locks first, as they are remembered, and then the member and the rules. */
function* lockAndLook(wish, identity, now) {
  const locked = new Set();
  let rules = remembered();
  for (;;) {
    const spaces = rules?.byPublicId.get(wish.facility)?.spaces ?? [];
    for (const space of [...spaces].sort((a, b) => a.id - b.id)) {
      if (!locked.has(space.id)) yield (tx) => tx.lockSpace(space.id);
      locked.add(space.id);
    }
    const row = yield (tx) => tx.lookToBook(identity.memberId, now);
    if (row === undefined) throw new Problem(404, 'not_found', 'There is no such thing.');
    rules = yield (tx) => rulesOf(row.mark, tx.rulebook);
    const facility = rules.byPublicId.get(wish.facility);
    if (facility === undefined || !isShown(facility, now)) {
      throw new Problem(404, 'not_found', 'There is no such thing.');
    }
    if (facility.spaces.every((space) => locked.has(space.id))) {
      const member = { ...memberOf(identity.memberId, row), email: row.email, wantsEmail: row.wants_email };
      return { member, rules, facility };
    }
  }
}

function refusal(failures) {
  const taken = failures.every((one) => one.code === 'slot_taken');
  return new Problem(taken ? 409 : 422, taken ? 'slot_taken' : 'rules', 'It cannot be booked.', { rules: failures });
}

/** What the member is told: in the app at once, by e-mail through the outbox. */
function notificationsOf({ member, endsAt, now }) {
  if (member.userId === null) return [];
  const validUntil = Math.max(endsAt, now + DAY);
  const rows = [{ publicId: randomUUID(), channel: 'in_app', state: 'SENT', sentAt: now, validUntil }];
  if (member.email && member.wantsEmail !== false && member.wantsEmail !== 0) {
    rows.push({ publicId: randomUUID(), channel: 'email', state: 'PENDING', sentAt: null, validUntil });
  }
  return rows;
}

function tell(row) {
  row.link = `reservations/${row.publicId}`;
  row.context = JSON.stringify({
    facility: row.facility.name,
    when: localText(row.startsAt),
    until: localTime(row.endsAt),
    party: String(row.party),
    deadline: '',
    reason: '',
    reference: row.publicId.slice(0, 8),
  });
  for (const one of row.notifications) one.dedupe = `reservation:${row.publicId}:v1:${one.channel}`;
}

function replyOf(row) {
  const { facility, member } = row;
  return {
    id: row.publicId,
    reference: row.publicId.slice(0, 8),
    facility: { id: facility.publicId, name: facility.name, kind: facility.kind },
    member: { id: member.publicId, member_no: member.memberNo, name: member.name },
    type: 'NORMAL',
    state: 'CONFIRMED',
    starts_at: instantText(row.startsAt),
    ends_at: instantText(row.endsAt),
    expires_at: null,
    party: row.party,
    guests: 0,
    nights: 0,
    room_no: '',
    notes: row.notes,
    reschedules: 0,
    version: 1,
    created_at: instantText(row.now),
    participants: [
      { kind: 'member', id: member.publicId, name: member.name },
      ...Array.from({ length: row.party - 1 }, () => ({ kind: 'tbd', id: null, name: '' })),
    ],
    cancel_free_until: instantText(row.startsAt - row.terms.cutoff),
  };
}

/** Hints for the member's sockets and a job for the sender, in one round trip; rows are the truth. */
function announce(redis, row) {
  const group = `user.${row.member.userPublicId.replaceAll('-', '')}`;
  const pipeline = redis.pipeline();
  pipeline.publish(
    group,
    JSON.stringify({ type: 'reservation.changed', reservation: row.publicId, state: 'CONFIRMED', version: 1 }),
  );
  for (const one of row.notifications) {
    if (one.channel === 'in_app') {
      pipeline.publish(
        group,
        JSON.stringify({ type: 'notification', id: one.publicId, kind: 'reservation_confirmed', link: row.link }),
      );
    } else {
      pipeline.lpush('peer:queue', JSON.stringify({ task: 'send_notification', notification: one.publicId }));
    }
  }
  return pipeline.exec();
}

module.exports = { announce, book };
