'use strict';
// SQLite through better-sqlite3: one connection in this process, statements prepared once, no waiting.
// Every call answers at once, so nothing runs between the statements of a transaction.

const Database = require('better-sqlite3');
const sql = require('./sql');
const { atOnce } = require('./runner');
const { COUNTED, OCCUPYING, countedSince } = require('../situation');
const { dayText } = require('../text');

// The same pragmas as the other side's connections.
const PRAGMAS = [
  'journal_mode = WAL', 'synchronous = NORMAL', 'temp_store = MEMORY', 'cache_size = -20000',
  'mmap_size = 134217728', 'foreign_keys = ON', 'busy_timeout = 20000',
];
const listed = (states) => states.map((state) => `'${state}'`).join(', ');

/** 2026-06-02 03:00:00[.ffffff], as Django keeps instants here. */
function at(instant) {
  if (instant === null) return null;
  const text = new Date(instant).toISOString();
  const whole = `${text.slice(0, 10)} ${text.slice(11, 19)}`;
  return instant % 1000 === 0 ? whole : `${whole}.${text.slice(20, 23)}000`;
}
const hex = (uuid) => uuid.replaceAll('-', '');
const dashed = (text) =>
  text === null
    ? null
    : `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;

function withIds(row) {
  if (row === undefined) return row;
  for (const name of ['public_id', 'user_public_id', 'facility_public_id', 'member_public_id']) {
    if (name in row) row[name] = dashed(row[name]);
  }
  return row;
}

function open(url) {
  const db = new Database(url.slice('sqlite:///'.length));
  for (const pragma of PRAGMAS) db.pragma(pragma);
  const prepared = new Map();
  let statements = 0;
  const statement = (text) => {
    statements += 1;
    let found = prepared.get(text);
    if (found === undefined) prepared.set(text, (found = db.prepare(text)));
    return found;
  };
  const row = (text, ...values) => statement(text).get(...values);
  const rows = (text, ...values) => statement(text).all(...values);
  const run = (text, ...values) => statement(text).run(...values);
  const marks = (list) => list.map(() => '?').join(', ');

  const store = {
    mark: () => row(sql.MARK).mark,
    standing: (session) => withIds(row(sql.STANDING, hex(session))),
    look: (memberId, now) => withIds(row(sql.LOOK, at(now), at(now), at(now), at(now), memberId)),
    lookToBook: (memberId, now) => withIds(row(sql.LOOK_TO_BOOK, at(now), at(now), at(now), at(now), memberId)),
    taken: (spaces, from, to) =>
      rows(
        `${sql.TAKEN_COLUMNS} WHERE c.space_id IN (${marks(spaces)}) AND c.cell_start >= ? AND c.cell_start < ?`,
        ...spaces, at(from), at(to),
      ),
    counted: (membershipId, first, after, now) =>
      rows(
        `${sql.COUNTED_COLUMNS} WHERE r.membership_id = ? AND r.type = 'NORMAL' AND r.ends_at > ?
          AND ((r.starts_on >= ? AND r.starts_on < ? AND (r.state IN (${listed(COUNTED)}) OR r.is_charged))
            OR (r.state IN (${listed(OCCUPYING)}) AND r.ends_at > ?))`,
        membershipId, at(countedSince(first, now)), dayText(first), dayText(after), at(now),
      ),
    member: (memberId) => row(sql.MEMBER, memberId),
    upcoming: (member, now, limit) => {
      const own = member.relation === 'dependent';
      return rows(
        `${sql.UPCOMING_COLUMNS} WHERE r.${own ? 'member_id' : 'membership_id'} = ? AND r.ends_at > ?
          ORDER BY r.starts_at, r.id LIMIT ?`,
        own ? member.id : member.membership_id, at(now), limit,
      ).map(withIds);
    },
    rulebook: () => {
      const found = {};
      for (const [name, text] of Object.entries(sql.RULEBOOK)) {
        found[name] = db.prepare(text).all(...(name === 'closures' ? [at(Date.now() - 86_400_000)] : []));
      }
      found.facilities.forEach(withIds);
      found.number = found.number[0]?.number ?? 1;
      return found;
    },
    lockMembership: (id) => run(sql.LOCK_MEMBERSHIP, id),
    lockSpace: (id) => run(sql.LOCK_SPACE, id),
    insertKey: ({ principal, route, key, digest, now }) =>
      row(
        `INSERT INTO core_idempotencykey (principal, route, key, body_sha256, status, reply, created_at)
          VALUES (?, ?, ?, ?, 0, x'', ?) ON CONFLICT (principal, route, key) DO NOTHING RETURNING id`,
        hex(principal), route, key, digest, at(now),
      )?.id,
    storedReply: (principal, route, key) => {
      const found = row(
        'SELECT status, body_sha256, reply FROM core_idempotencykey WHERE principal = ? AND route = ? AND key = ?',
        hex(principal), route, key,
      );
      return found && { ...found, reply: found.reply.toString('utf8') };
    },
    storeReply: (id, status, body) =>
      run('UPDATE core_idempotencykey SET status = ?, reply = ? WHERE id = ?', status, Buffer.from(body), id),
    write: (one) => write(one, { row, run }),
  };

  // IMMEDIATE: the write lock is taken at the beginning, and another process waits for it.
  const inTransaction = db.transaction((work) => atOnce(work(), store));
  const transaction = (work) => {
    statements += 2; // BEGIN and COMMIT
    return inTransaction.immediate(work);
  };
  return { ...store, transaction, statements: () => statements };
}

const RESERVATION = `INSERT INTO reservations_reservation (public_id, facility_id, member_id, membership_id,
    booked_by_id, policy_version_id, type, state, starts_at, ends_at, starts_on, party, guest_count, nights, lanes,
    buffer_before_minutes, buffer_after_minutes, reschedules, is_charged, needs_attention, title, notes, room_no,
    version, created_at)
  VALUES (?, ?, ?, ?, ?, ?, 'NORMAL', 'CONFIRMED', ?, ?, ?, ?, 0, 0, ?, ?, ?, 0, 0, 0, '', ?, '', 1, ?)
  RETURNING id`;
const EVENT = `INSERT INTO reservations_reservationevent (reservation_id, action, from_state, to_state, actor_kind,
    actor_name, actor_user_id, reason, details, at)
  VALUES (?, 'created', '', 'CONFIRMED', 'member', ?, ?, '', '{}', ?)`;
const many = (head, group, count) => `${head} VALUES ${Array(count).fill(group).join(', ')}`;
const CLAIMS = 'INSERT INTO reservations_slotclaim (space_id, cell_start, lane, reservation_id)';
const PEOPLE = 'INSERT INTO reservations_participant (reservation_id, kind, member_id, position)';
const TOLD = `INSERT INTO accounts_notification (public_id, user_id, channel, kind, context, link, dedupe_key, state,
    created_at, send_at, valid_until, attempts, sent_at, last_error, reference)`;

/** The reservation and all that hangs on it: one statement a table. */
function write(one, { row, run }) {
  const { facility, member, terms, identity, claims, notifications } = one;
  const now = at(one.now);
  const { id } = row(
    RESERVATION, hex(one.publicId), facility.id, member.memberId, member.membershipId, identity.userId,
    terms.versionId, at(one.startsAt), at(one.endsAt), dayText(one.startsOn), one.party, one.lanes,
    terms.bufferBefore / 60_000, terms.bufferAfter / 60_000, one.notes, now,
  );
  run(
    many(CLAIMS, '(?, ?, 0, ?)', claims.length),
    ...claims.flatMap((claim) => [claim.spaceId, at(claim.cell), id]),
  );
  const people = Array.from({ length: one.party }, (_, position) => [
    id, position === 0 ? 'member' : 'tbd', position === 0 ? member.memberId : null, position,
  ]);
  run(many(PEOPLE, '(?, ?, ?, ?)', people.length), ...people.flat());
  run(EVENT, id, identity.name, identity.userId, now);
  if (notifications.length > 0) {
    run(
      many(TOLD, "(?, ?, ?, 'reservation_confirmed', ?, ?, ?, ?, ?, ?, ?, 0, ?, '', '')", notifications.length),
      ...notifications.flatMap((told) => [
        hex(told.publicId), identity.userId, told.channel, one.context, one.link, told.dedupe, told.state, now, now,
        at(told.validUntil), at(told.sentAt),
      ]),
    );
  }
}

module.exports = { open };
