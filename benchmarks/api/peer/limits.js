'use strict';
// One counter per user and kind of request in Redis, in one round trip.

const { Problem } = require('./problems');

const WINDOW = 60;
const LIMIT = 10_000_000;

async function count(redis, scope, identity, res) {
  const key = `peer:limit:${scope}:${identity.publicId}`;
  const [[, used], , [, left]] = await redis.pipeline().incr(key).expire(key, WINDOW, 'NX').ttl(key).exec();
  res.setHeader('RateLimit-Policy', `"${scope}";q=${LIMIT};w=${WINDOW}`);
  res.setHeader('RateLimit', `"${scope}";r=${Math.max(0, LIMIT - used)};t=${Math.max(1, left)}`);
  if (used > LIMIT) throw new Problem(429, 'throttled', 'Too many requests. Wait a little.');
}

module.exports = { count };
