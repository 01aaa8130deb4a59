'use strict';
// From a bearer token to who it stands for; from memory for a minute, as the other side does.

const { createHash, createSecretKey } = require('node:crypto');
const jwt = require('jsonwebtoken');
const { Problem } = require('./problems');
const { parseInstant } = require('./text');

const KEPT_MS = 60_000;
const MAX_KEPT = 20_000;
const READ_EVERY_MS = 1_000;
const EPOCH_KEY = 'bcc:1:accounts.revocation_epoch';

// A KeyObject: with a string the library builds one anew at each verification.
const key = createSecretKey(Buffer.from(process.env.JWT_KEY, 'utf8'));
const checked = new Map();
let epoch = '';
let readAt = -Infinity;

const ended = () => new Problem(401, 'session_ended', 'This session has ended. Sign in again.');
const invalid = () => new Problem(401, 'token_invalid', 'This token is not valid. Sign in again.');

/** What changes when anybody's session ends; asked of the shared cache once a second. */
async function currentEpoch(redis) {
  const now = performance.now();
  if (now - readAt >= READ_EVERY_MS) {
    readAt = now;
    const found = await redis.getBuffer(EPOCH_KEY);
    epoch = found === null ? '' : found.toString('base64');
  }
  return epoch;
}

async function identify(header, store, redis, now) {
  if (header === undefined || !header.startsWith('Bearer ')) throw invalid();
  const token = header.slice(7);
  const digest = createHash('sha256').update(token).digest('base64');
  const mark = await currentEpoch(redis);
  const known = checked.get(digest);
  if (known !== undefined && known.mark === mark && known.until > performance.now() && known.expiresAt > now) {
    return known.identity;
  }
  let claims;
  try {
    claims = jwt.verify(token, key, { algorithms: ['HS256'] });
  } catch {
    throw invalid();
  }
  if (claims.typ !== 'access') throw invalid();
  const row = await store.standing(claims.sid);
  if (
    row === undefined || !row.is_active || row.ended_at !== null || parseInstant(row.expires_at) <= now ||
    row.user_public_id !== claims.sub || row.token_version !== claims.tv
  ) {
    throw ended();
  }
  if (row.is_staff || row.member_id === null) throw new Problem(403, 'not_allowed', 'For members only.');
  const identity = {
    userId: row.user_id,
    publicId: row.user_public_id,
    name: row.display_name || row.username,
    memberId: row.member_id,
    membershipId: row.membership_id,
  };
  if (checked.size >= MAX_KEPT) checked.delete(checked.keys().next().value);
  checked.set(digest, { identity, mark, expiresAt: claims.exp * 1000, until: performance.now() + KEPT_MS });
  return identity;
}

module.exports = { identify };
