'use strict';
// The three routes in Express, in production mode. STORE says which database and driver.

const { randomUUID } = require('node:crypto');
const express = require('express');
const Ajv = require('ajv');
const Redis = require('ioredis');
const pino = require('pino');
const { announce, book } = require('./booking');
const { etagOf, getAvailability } = require('./availability');
const { getList } = require('./list');
const { identify } = require('./identity');
const { count } = require('./limits');
const { Problem, sendProblem } = require('./problems');
const { rulesOf } = require('./rulebook');
const { setZone } = require('./text');

setZone(process.env.CLUB_TIME_ZONE);
const store = require(`./stores/${process.env.STORE}`).open(process.env.DATABASE_URL);
const redis = new Redis(process.env.REDIS_URL, { enableAutoPipelining: true });
const log = pino({ base: undefined, timestamp: pino.stdTimeFunctions.isoTime });

const ajv = new Ajv({ coerceTypes: false });
const coercing = new Ajv({ coerceTypes: true });
const DATE = '^\\d{4}-\\d{2}-\\d{2}$';
const INSTANT = '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}(:\\d{2}(\\.\\d+)?)?(Z|[+-]\\d{2}:\\d{2})$';
const UUID = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
const KEY = /^[\x21-\x7e]{1,128}$/;
const strict = (properties, required = []) => ({ type: 'object', additionalProperties: false, properties, required });
const party = { type: 'integer', minimum: 1, maximum: 500 };
const days = coercing.compile(
  strict({ from: { type: 'string', pattern: DATE }, to: { type: 'string', pattern: DATE }, party }),
);
const lists = coercing.compile(
  strict({
    when: { enum: ['upcoming', 'past'] },
    state: { type: 'string' },
    cursor: { type: 'string', maxLength: 1024 },
    page_size: { type: 'integer', minimum: 1, maximum: 100 },
  }),
);
const wishes = ajv.compile(
  strict(
    {
      facility: { type: 'string', pattern: UUID },
      starts_at: { type: 'string', pattern: INSTANT },
      ends_at: { type: 'string', pattern: INSTANT },
      party: { ...party, default: 1 },
      notes: { type: 'string', maxLength: 500 },
    },
    ['facility', 'starts_at', 'ends_at'],
  ),
);
const facilityIds = new RegExp(UUID);

function validated(validate, value) {
  if (!validate(value)) throw new Problem(400, 'invalid', ajv.errorsText(validate.errors));
  return value;
}

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.set('query parser', 'simple');
app.set('trust proxy', 1);

app.use((req, res, next) => {
  const began = performance.now();
  const id = randomUUID();
  res.setHeader('X-Request-ID', id);
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.setHeader('X-Frame-Options', 'DENY');
  res.setHeader('Referrer-Policy', 'same-origin');
  res.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  res.setHeader('Strict-Transport-Security', 'max-age=31536000; includeSubDomains; preload');
  res.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
  // Also where the client went away: one line for each request that was worked on.
  res.on('close', () => {
    log.info({
      request_id: id,
      method: req.method,
      route: req.route?.path ?? '(none)',
      status: res.statusCode,
      duration_ms: Math.round((performance.now() - began) * 10) / 10,
    }, 'request');
  });
  if (!req.secure && req.path.startsWith('/api/')) return res.redirect(301, `https://${req.host}${req.originalUrl}`);
  return next();
});

app.get('/health/live', (_req, res) => res.json({ status: 'ok' }));
app.get('/bench/statements', (_req, res) => res.json({ statements: store.statements() }));

function sendJson(res, status, body, cache = 'no-store') {
  res.statusCode = status;
  res.setHeader('Content-Type', 'application/json');
  res.setHeader('Cache-Control', cache);
  res.end(body);
}

app.get('/api/v1/facilities/:id/availability', async (req, res) => {
  const now = Date.now();
  const identity = await identify(req.headers.authorization, store, redis, now);
  await count(redis, 'reads', identity, res);
  if (!facilityIds.test(req.params.id)) throw new Problem(404, 'not_found', 'There is no such thing.');
  const query = validated(days, { ...req.query });
  const found = await getAvailability({ store, facilityId: req.params.id, memberId: identity.memberId, query, now });
  const body = JSON.stringify(found);
  const etag = etagOf(body);
  res.setHeader('ETag', etag);
  if (req.headers['if-none-match'] === etag) return res.status(304).end();
  return sendJson(res, 200, body, 'private, no-cache');
});

app.get('/api/v1/reservations', async (req, res) => {
  const now = Date.now();
  const identity = await identify(req.headers.authorization, store, redis, now);
  await count(redis, 'reads', identity, res);
  const query = validated(lists, { ...req.query });
  const url = new URL(req.originalUrl, `${req.protocol}://${req.headers.host}`);
  sendJson(res, 200, JSON.stringify(await getList({ store, memberId: identity.memberId, query, url, now })));
});

app.post('/api/v1/reservations', express.raw({ type: 'application/json', limit: '256kb' }), async (req, res) => {
  const now = Date.now();
  const identity = await identify(req.headers.authorization, store, redis, now);
  await count(redis, 'booking', identity, res);
  let wish;
  try {
    wish = JSON.parse(req.body.toString('utf8'));
  } catch {
    throw new Problem(400, 'malformed', 'This is not JSON.');
  }
  validated(wishes, wish);
  wish.party ??= 1;
  const key = req.headers['idempotency-key'];
  if (key !== undefined && !KEY.test(key)) throw new Problem(400, 'invalid', 'A key is 1 to 128 visible characters.');
  const done = await store.transaction(() => book({ wish, identity, key, raw: req.body, now }));
  if (done.after !== null) await announce(redis, done.after);
  if (done.replayed) res.setHeader('Idempotency-Replayed', 'true');
  sendJson(res, done.status, done.body);
});

// eslint-disable-next-line no-unused-vars -- Express knows the handler of errors by its four arguments
app.use((error, _req, res, _next) => {
  if (error instanceof Problem) return sendProblem(res, error);
  log.error({ err: error }, 'failed');
  return sendProblem(res, new Problem(500, 'internal', 'Something went wrong.'));
});

async function main() {
  await rulesOf(await store.mark(), store.rulebook);
  const server = app.listen(Number(process.env.PORT), '127.0.0.1');
  server.keepAliveTimeout = 120_000;
  process.on('SIGTERM', () => server.close(() => process.exit(0)).closeAllConnections());
}

main();
