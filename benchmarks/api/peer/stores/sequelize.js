'use strict';
// PostgreSQL through Sequelize, as its guide has it: models, includes, bulkCreate, a managed transaction.

const pg = require('pg');
const { Op, QueryTypes, Sequelize, UniqueConstraintError } = require('sequelize');
const sql = require('./sql');
const { define } = require('./models');
const { later } = require('./runner');
const { COUNTED, OCCUPYING, countedSince } = require('../situation');
const { dayText } = require('../text');

// Keys and counters are numbers that fit; the rulebook's mark is read as text.
pg.types.setTypeParser(20, Number);

const instant = (ms) => (ms === null ? null : new Date(ms));
// Instants come as Dates; what the rules read is the text of the other stores.
const text = (date) => (date === null || date === undefined ? null : date.toISOString().replace('T', ' '));

function open(url) {
  let statements = 0;
  const counted = () => {
    statements += 1;
  };
  const sequelize = new Sequelize(url, {
    dialect: 'postgres',
    logging: counted,
    pool: { max: 10, min: 1 },
    timezone: '+00:00',
  });
  const models = define(sequelize);
  const { Claim, Facility, Hold, Key, Link, Member, Membership, Preference, Reservation, Rulebook } = models;

  const on = (transaction) => {
    const mark = async () => {
      const row = await Rulebook.findByPk(1, {
        attributes: [[sequelize.cast(sequelize.col('mark'), 'text'), 'mark']],
        raw: true,
        transaction,
      });
      return row.mark;
    };

    async function look(memberId, now, booking) {
      const at = instant(now);
      const member = await Member.findByPk(memberId, {
        attributes: {
          include: [[sequelize.literal('(SELECT CAST(mark AS text) FROM facilities_rulebook WHERE id = 1)'), 'mark']],
        },
        include: [
          { model: Membership, as: 'membership', attributes: ['category_id', 'standing', 'valid_to'] },
          {
            model: models.User,
            as: 'user',
            attributes: ['id', 'public_id', 'email'],
            include: booking
              ? [
                  {
                    model: Preference,
                    as: 'preferences',
                    attributes: ['is_wanted'],
                    where: { kind: 'reservation_confirmed', channel: 'email' },
                    required: false,
                  },
                ]
              : [],
          },
          {
            model: Hold,
            as: 'holds',
            attributes: ['until', 'reason'],
            where: { scope: 'booking', starts_at: { [Op.lte]: at }, until: { [Op.gt]: at }, lifted_at: null },
            required: false,
          },
        ],
        transaction,
      });
      if (member === null) return undefined;
      const hold = member.holds.sort((a, b) => b.until - a.until)[0];
      return {
        public_id: member.public_id,
        member_no: member.member_no,
        membership_id: member.membership_id,
        can_book: member.can_book,
        birth_date: member.birth_date,
        user_id: member.user_id,
        first_name: member.first_name,
        last_name: member.last_name,
        category_id: member.membership.category_id,
        standing: member.membership.standing,
        valid_to: member.membership.valid_to,
        user_public_id: member.user?.public_id ?? null,
        email: member.user?.email ?? '',
        wants_email: member.user?.preferences?.[0]?.is_wanted ?? null,
        hold_until: text(hold?.until),
        hold_reason: hold?.reason ?? '',
        mark: member.get('mark'),
      };
    }

    return {
      mark,
      standing: async (session) => {
        const row = await models.Session.findOne({
          where: { public_id: session },
          include: [{ model: models.User, as: 'user', include: [{ model: Member, as: 'member' }] }],
          transaction,
        });
        if (row === null) return undefined;
        const { user } = row;
        return {
          ended_at: row.ended_at,
          expires_at: text(row.expires_at),
          user_id: user.id,
          user_public_id: user.public_id,
          username: user.username,
          display_name: user.display_name,
          is_staff: user.is_staff,
          is_active: user.is_active,
          token_version: user.token_version,
          member_id: user.member?.id ?? null,
          membership_id: user.member?.membership_id ?? null,
        };
      },
      look: (memberId, now) => look(memberId, now, false),
      lookToBook: (memberId, now) => look(memberId, now, true),
      taken: async (spaces, from, to) => {
        const rows = await Claim.findAll({
          attributes: ['space_id', 'reservation_id'],
          where: { space_id: spaces, cell_start: { [Op.gte]: instant(from), [Op.lt]: instant(to) } },
          include: [{ model: Reservation, as: 'reservation', required: true }],
          transaction,
        });
        // One row a cell comes back: each reservation once for each space.
        const seen = new Map(rows.map((row) => [`${row.space_id}:${row.reservation_id}`, row]));
        return [...seen.values()].map(({ space_id: spaceId, reservation }) => ({
          space_id: spaceId,
          starts_at: text(reservation.starts_at),
          ends_at: text(reservation.ends_at),
          lanes: reservation.lanes,
          buffer_before_minutes: reservation.buffer_before_minutes,
          buffer_after_minutes: reservation.buffer_after_minutes,
          expires_at: text(reservation.expires_at),
        }));
      },
      counted: async (membershipId, first, after, now) => {
        const at = instant(now);
        const inPeriods = {
          starts_on: { [Op.gte]: dayText(first), [Op.lt]: dayText(after) },
          [Op.or]: [{ state: COUNTED }, { is_charged: true }],
        };
        const outstanding = { state: OCCUPYING, ends_at: { [Op.gt]: at } };
        const rows = await Reservation.findAll({
          where: {
            membership_id: membershipId,
            type: 'NORMAL',
            ends_at: { [Op.gt]: instant(countedSince(first, now)) },
            [Op.or]: [inPeriods, outstanding],
          },
          include: [{ model: Facility, as: 'facility', attributes: ['kind'] }],
          transaction,
        });
        return rows.map((row) => ({
          member_id: row.member_id,
          facility_id: row.facility_id,
          kind: row.facility.kind,
          starts_at: text(row.starts_at),
          ends_at: text(row.ends_at),
          starts_on: row.starts_on,
          nights: row.nights,
          guest_count: row.guest_count,
          state: row.state,
          is_charged: row.is_charged,
          expires_at: text(row.expires_at),
        }));
      },
      member: async (memberId) => (await Member.findByPk(memberId, { transaction })) ?? undefined,
      upcoming: async (member, now, limit) => {
        const own =
          member.relation === 'dependent' ? { member_id: member.id } : { membership_id: member.membership_id };
        const rows = await Reservation.findAll({
          where: { ...own, ends_at: { [Op.gt]: instant(now) } },
          include: [
            { model: Facility, as: 'facility', attributes: ['public_id', 'name', 'kind'] },
            { model: Member, as: 'member', attributes: ['public_id', 'member_no', 'first_name', 'last_name'] },
          ],
          order: [['starts_at', 'ASC'], ['id', 'ASC']],
          limit,
          transaction,
        });
        return rows.map((row) => ({
          ...row.dataValues,
          starts_at: text(row.starts_at),
          ends_at: text(row.ends_at),
          expires_at: text(row.expires_at),
          created_at: text(row.created_at),
          facility_public_id: row.facility.public_id,
          facility_name: row.facility.name,
          facility_kind: row.facility.kind,
          member_public_id: row.member?.public_id ?? null,
          member_no: row.member?.member_no,
          first_name: row.member?.first_name,
          last_name: row.member?.last_name,
        }));
      },
      rulebook: () => readRulebook(sequelize),
      lockMembership: (id) => Membership.increment('lock_version', { by: 1, where: { id }, transaction }),
      lockSpace: (id) => models.Space.increment('lock_version', { by: 1, where: { id }, transaction }),
      insertKey: async ({ principal, route, key, digest, now }) => {
        const values = {
          principal, route, key, body_sha256: digest, status: 0, reply: Buffer.alloc(0), created_at: instant(now),
        };
        return (await Key.create(values, { transaction })).id;
      },
      storeReply: (id, status, body) =>
        Key.update({ status, reply: Buffer.from(body) }, { where: { id }, transaction }),
      write: (one) => write(models, one, transaction),
    };
  };

  async function transaction(work) {
    try {
      return await sequelize.transaction((found) => later(work(), on(found)));
    } catch (error) {
      // The key was there: the transaction is gone, and the reply is read outside of one.
      if (error instanceof UniqueConstraintError && error.fields.principal !== undefined) {
        return later(work(), {
          insertKey: async () => undefined,
          storedReply: async (principal, route, key) => {
            const row = await Key.findOne({ where: { principal, route, key } });
            return row === null
              ? undefined
              : { status: row.status, body_sha256: row.body_sha256, reply: row.reply.toString('utf8') };
          },
        });
      }
      throw error;
    }
  }

  return { ...on(null), transaction, statements: () => statements };
}

/** Read once for each page of the rulebook, so without models. */
async function readRulebook(sequelize) {
  const found = {};
  for (const [name, query] of Object.entries(sql.RULEBOOK)) {
    const replacements = name === 'closures' ? [new Date(Date.now() - 86_400_000)] : [];
    found[name] = await sequelize.query(query, { replacements, type: QueryTypes.SELECT });
    for (const row of found[name]) {
      for (const [column, value] of Object.entries(row)) if (value instanceof Date) row[column] = text(value);
    }
  }
  found.number = found.number[0]?.number ?? 1;
  return found;
}

async function write(models, one, transaction) {
  const { facility, member, terms, identity, claims, notifications } = one;
  const now = instant(one.now);
  const made = await models.Reservation.create(
    {
      public_id: one.publicId, facility_id: facility.id, member_id: member.memberId,
      membership_id: member.membershipId, booked_by_id: identity.userId, policy_version_id: terms.versionId,
      type: 'NORMAL', state: 'CONFIRMED', starts_at: instant(one.startsAt), ends_at: instant(one.endsAt),
      starts_on: dayText(one.startsOn), party: one.party, guest_count: 0, nights: 0, lanes: one.lanes,
      buffer_before_minutes: terms.bufferBefore / 60_000, buffer_after_minutes: terms.bufferAfter / 60_000,
      reschedules: 0, is_charged: false, needs_attention: false, title: '', notes: one.notes, room_no: '',
      version: 1, created_at: now,
    },
    { transaction },
  );
  const rows = claims.map(({ spaceId, cell }) => ({
    space_id: spaceId, cell_start: instant(cell), lane: 0, reservation_id: made.id,
  }));
  await models.Claim.bulkCreate(rows, { transaction });
  const people = Array.from({ length: one.party }, (_, position) => ({
    reservation_id: made.id,
    kind: position === 0 ? 'member' : 'tbd',
    member_id: position === 0 ? member.memberId : null,
    position,
  }));
  await models.Participant.bulkCreate(people, { transaction });
  await models.Event.create(
    {
      reservation_id: made.id, action: 'created', from_state: '', to_state: 'CONFIRMED', actor_kind: 'member',
      actor_name: identity.name, actor_user_id: identity.userId, reason: '', details: {}, at: now,
    },
    { transaction },
  );
  const context = JSON.parse(one.context);
  await models.Notification.bulkCreate(
    notifications.map((told) => ({
      public_id: told.publicId, user_id: identity.userId, channel: told.channel, kind: 'reservation_confirmed',
      context, link: one.link, dedupe_key: told.dedupe, state: told.state, created_at: now, send_at: now,
      valid_until: instant(told.validUntil), attempts: 0, sent_at: instant(told.sentAt), last_error: '', reference: '',
    })),
    { transaction },
  );
}

module.exports = { open };
