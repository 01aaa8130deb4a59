'use strict';
// PostgreSQL through pg: a pool, and named (prepared) statements.

const pg = require('pg');
const sql = require('./sql');
const { later } = require('./runner');
const { COUNTED, OCCUPYING, countedSince } = require('../situation');
const { dayText, instantText } = require('../text');

// Texts are parsed where they are used; counters and keys are numbers that fit.
for (const type of [1082, 1083, 1114, 1184]) pg.types.setTypeParser(type, (text) => text);
pg.types.setTypeParser(20, Number);

const numbered = (text) => {
  let number = 0;
  return text.replace(/\?/g, () => `$${(number += 1)}`);
};
const listed = (states) => states.map((state) => `'${state}'`).join(', ');

const TEXTS = {
  mark: sql.MARK,
  standing: numbered(sql.STANDING),
  look: numbered(sql.LOOK),
  look_to_book: numbered(sql.LOOK_TO_BOOK),
  taken: `${sql.TAKEN_COLUMNS} WHERE c.space_id = ANY($1) AND c.cell_start >= $2 AND c.cell_start < $3`,
  counted: `${sql.COUNTED_COLUMNS} WHERE r.membership_id = $1 AND r.type = 'NORMAL' AND r.ends_at > $5
    AND ((r.starts_on >= $2 AND r.starts_on < $3 AND (r.state IN (${listed(COUNTED)}) OR r.is_charged))
      OR (r.state IN (${listed(OCCUPYING)}) AND r.ends_at > $4))`,
  member: numbered(sql.MEMBER),
  upcoming_household: `${sql.UPCOMING_COLUMNS} WHERE r.membership_id = $1 AND r.ends_at > $2
    ORDER BY r.starts_at, r.id LIMIT $3`,
  upcoming_member: `${sql.UPCOMING_COLUMNS} WHERE r.member_id = $1 AND r.ends_at > $2
    ORDER BY r.starts_at, r.id LIMIT $3`,
  lock_membership: numbered(sql.LOCK_MEMBERSHIP),
  lock_space: numbered(sql.LOCK_SPACE),
  insert_key: `INSERT INTO core_idempotencykey (principal, route, key, body_sha256, status, reply, created_at)
    VALUES ($1, $2, $3, $4, 0, '', $5) ON CONFLICT (principal, route, key) DO NOTHING RETURNING id`,
  stored_reply: `SELECT status, body_sha256, convert_from(reply, 'UTF8') AS reply FROM core_idempotencykey
    WHERE principal = $1 AND route = $2 AND key = $3`,
  store_reply: 'UPDATE core_idempotencykey SET status = $2, reply = $3 WHERE id = $1',
  // The reservation and all that hangs on it in one statement: one round trip.
  write: `WITH made AS (
      INSERT INTO reservations_reservation (public_id, facility_id, member_id, membership_id, booked_by_id,
        policy_version_id, type, state, starts_at, ends_at, starts_on, party, guest_count, nights, lanes,
        buffer_before_minutes, buffer_after_minutes, reschedules, is_charged, needs_attention, title, notes,
        room_no, version, created_at)
      VALUES ($1, $2, $3, $4, $5, $6, 'NORMAL', 'CONFIRMED', $7, $8, $9, $10::int, 0, 0, $11, $12, $13, 0, false,
        false, '', $14, '', 1, $15) RETURNING id),
    claimed AS (
      INSERT INTO reservations_slotclaim (space_id, cell_start, lane, reservation_id)
      SELECT cells.space_id, cells.cell, 0, made.id
      FROM made, unnest($16::bigint[], $17::timestamptz[]) AS cells (space_id, cell)),
    people AS (
      INSERT INTO reservations_participant (reservation_id, kind, member_id, position)
      SELECT made.id, CASE position WHEN 0 THEN 'member' ELSE 'tbd' END,
        CASE position WHEN 0 THEN $3::bigint END, position
      FROM made, generate_series(0, $10::int - 1) AS position),
    history AS (
      INSERT INTO reservations_reservationevent (reservation_id, action, from_state, to_state, actor_kind,
        actor_name, actor_user_id, reason, details, at)
      SELECT made.id, 'created', '', 'CONFIRMED', 'member', $18, $5, '', '{}', $15 FROM made)
    INSERT INTO accounts_notification (public_id, user_id, channel, kind, context, link, dedupe_key, state,
      created_at, send_at, valid_until, attempts, sent_at, last_error, reference)
    SELECT told.public_id, $5, told.channel, 'reservation_confirmed', $19, $20, told.dedupe, told.state, $15, $15,
      $21, 0, told.sent_at, '', ''
    FROM unnest($22::uuid[], $23::text[], $24::text[], $25::text[], $26::timestamptz[])
      AS told (public_id, channel, dedupe, state, sent_at)`,
};

const at = (instant) => (instant === null ? null : instantText(instant));

function open(url) {
  const pool = new pg.Pool({ connectionString: url, max: 10, options: '-c timezone=UTC' });
  let statements = 0;

  const on = (client) => {
    const ask = async (name, values = []) => {
      statements += 1;
      return client.query({ name, text: TEXTS[name], values });
    };
    const rows = async (name, values) => (await ask(name, values)).rows;
    const row = async (name, values) => (await ask(name, values)).rows[0];
    return {
      mark: async () => (await row('mark')).mark,
      standing: (session) => row('standing', [session]),
      look: (memberId, now) => row('look', [at(now), at(now), at(now), at(now), memberId]),
      lookToBook: (memberId, now) => row('look_to_book', [at(now), at(now), at(now), at(now), memberId]),
      taken: (spaces, from, to) => rows('taken', [spaces, at(from), at(to)]),
      counted: (membershipId, first, after, now) =>
        rows('counted', [membershipId, dayText(first), dayText(after), at(now), at(countedSince(first, now))]),
      member: (memberId) => row('member', [memberId]),
      upcoming: (member, now, limit) =>
        member.relation === 'dependent'
          ? rows('upcoming_member', [member.id, at(now), limit])
          : rows('upcoming_household', [member.membership_id, at(now), limit]),
      rulebook: async () => {
        const found = {};
        for (const [name, text] of Object.entries(sql.RULEBOOK)) {
          const values = name === 'closures' ? [at(Date.now() - 86_400_000)] : [];
          found[name] = (await client.query(numbered(text), values)).rows;
        }
        found.number = found.number[0]?.number ?? 1;
        return found;
      },
      lockMembership: (id) => ask('lock_membership', [id]),
      lockSpace: (id) => ask('lock_space', [id]),
      insertKey: async ({ principal, route, key, digest, now }) =>
        (await row('insert_key', [principal, route, key, digest, at(now)]))?.id,
      storedReply: (principal, route, key) => row('stored_reply', [principal, route, key]),
      storeReply: (id, status, body) => ask('store_reply', [id, status, Buffer.from(body)]),
      write: (one) => ask('write', written(one)),
    };
  };

  async function transaction(work) {
    const client = await pool.connect();
    try {
      statements += 2; // BEGIN and COMMIT
      await client.query('BEGIN');
      const done = await later(work(), on(client));
      await client.query('COMMIT');
      client.release();
      return done;
    } catch (error) {
      try {
        await client.query('ROLLBACK');
        client.release();
      } catch (broken) {
        client.release(broken);
      }
      throw error;
    }
  }

  return { ...on(pool), transaction, statements: () => statements };
}

function written(one) {
  const { facility, member, terms, notifications, claims } = one;
  return [
    one.publicId, facility.id, member.memberId, member.membershipId, one.identity.userId, terms.versionId,
    at(one.startsAt), at(one.endsAt), dayText(one.startsOn), one.party, one.lanes,
    terms.bufferBefore / 60_000, terms.bufferAfter / 60_000, one.notes, at(one.now),
    claims.map((claim) => claim.spaceId), claims.map((claim) => at(claim.cell)),
    one.identity.name, one.context, one.link, at(notifications[0]?.validUntil ?? one.now),
    notifications.map((told) => told.publicId), notifications.map((told) => told.channel),
    notifications.map((told) => told.dedupe), notifications.map((told) => told.state),
    notifications.map((told) => at(told.sentAt)),
  ];
}

module.exports = { open };
