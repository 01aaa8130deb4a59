'use strict';
// The member's reservations, soonest first, with the same sealed cursor to the next page.

const { createHash, createHmac } = require('node:crypto');
const { Problem } = require('./problems');
const { instantText, parseInstant } = require('./text');

const SCOPE = 'reservations.Reservation:starts_at,pk';
const MAC_BYTES = 12;
const key = createHash('sha256').update(`bcc.core.rest.paging\0${SCOPE}\0${process.env.SECRET_KEY}`).digest();

function makeCursor(startsAt, id) {
  const at = `${instantText(startsAt).slice(0, -1)}+00:00`;
  const plain = Buffer.from(JSON.stringify(['after', ['t', at], id]));
  const mac = createHmac('sha256', key).update('mac\0').update(plain).digest().subarray(0, MAC_BYTES);
  const mask = createHash('shake256', { outputLength: plain.length }).update('mask\0').update(key).update(mac).digest();
  for (let at_ = 0; at_ < plain.length; at_ += 1) plain[at_] ^= mask[at_];
  return Buffer.concat([mac, plain]).toString('base64url');
}

const nullable = (text) => (text === null ? null : instantText(parseInstant(text)));

/** One line of a list, from the row that a store read. */
function lineOf(row) {
  return {
    id: row.public_id,
    reference: row.public_id.slice(0, 8),
    facility: { id: row.facility_public_id, name: row.facility_name, kind: row.facility_kind },
    member:
      row.member_public_id === null
        ? null
        : {
            id: row.member_public_id,
            member_no: row.member_no,
            name: `${row.first_name} ${row.last_name}`.trim(),
          },
    type: row.type,
    state: row.state,
    starts_at: instantText(parseInstant(row.starts_at)),
    ends_at: instantText(parseInstant(row.ends_at)),
    expires_at: nullable(row.expires_at),
    party: row.party,
    guests: row.guest_count,
    nights: row.nights,
    room_no: row.room_no,
    notes: row.notes,
    reschedules: row.reschedules,
    version: row.version,
    created_at: instantText(parseInstant(row.created_at)),
  };
}

/** The first page of what is upcoming: the member, then their household's or their own rows. */
async function getList({ store, memberId, query, url, now }) {
  if (query.when !== 'upcoming' || query.cursor !== undefined) {
    throw new Problem(400, 'invalid', 'This server lists the first page of what is upcoming.');
  }
  const size = query.page_size ?? 25;
  const member = await store.member(memberId);
  if (member === undefined) throw new Problem(404, 'not_found', 'There is no such thing.');
  const rows = await store.upcoming(member, now, size + 1);
  const more = rows.length > size;
  if (more) rows.length = size;
  let next = null;
  if (more) {
    const last = rows[size - 1];
    url.searchParams.set('cursor', makeCursor(parseInstant(last.starts_at), last.id));
    url.searchParams.sort();
    next = url.href;
  }
  return { results: rows.map(lineOf), next, previous: null };
}

module.exports = { getList };
