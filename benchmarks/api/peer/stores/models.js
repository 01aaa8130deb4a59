'use strict';
// The tables of the club as Sequelize models: those columns that this server reads or writes.

const { DataTypes } = require('sequelize');

const { BIGINT, BOOLEAN, DATE, DATEONLY, INTEGER, BLOB, JSONB, STRING, UUID } = DataTypes;

const columns = (type, names) => Object.fromEntries(names.map((name) => [name, { type }]));

function define(sequelize) {
  const model = (name, tableName, attributes) =>
    sequelize.define(
      name,
      { id: { type: BIGINT, primaryKey: true, autoIncrement: true }, ...attributes },
      { tableName, timestamps: false },
    );
  const User = model('User', 'accounts_user', {
    ...columns(UUID, ['public_id']),
    ...columns(STRING, ['username', 'display_name', 'email']),
    ...columns(BOOLEAN, ['is_staff', 'is_active']),
    ...columns(INTEGER, ['token_version']),
  });
  const Membership = model('Membership', 'accounts_membership', {
    ...columns(BIGINT, ['category_id', 'lock_version']),
    ...columns(STRING, ['standing']),
    ...columns(DATEONLY, ['valid_to']),
  });
  const Member = model('Member', 'accounts_member', {
    ...columns(UUID, ['public_id']),
    ...columns(BIGINT, ['membership_id', 'user_id']),
    ...columns(STRING, ['member_no', 'first_name', 'last_name', 'relation']),
    ...columns(DATEONLY, ['birth_date']),
    ...columns(BOOLEAN, ['can_book']),
  });
  const Hold = model('Hold', 'accounts_privilegehold', {
    ...columns(BIGINT, ['member_id']),
    ...columns(STRING, ['scope', 'reason']),
    ...columns(DATE, ['starts_at', 'until', 'lifted_at']),
  });
  const Session = model('Session', 'accounts_session', {
    ...columns(UUID, ['public_id']),
    ...columns(BIGINT, ['user_id']),
    ...columns(DATE, ['expires_at', 'ended_at']),
  });
  const Preference = model('Preference', 'accounts_channelpreference', {
    ...columns(BIGINT, ['user_id']),
    ...columns(STRING, ['kind', 'channel']),
    ...columns(BOOLEAN, ['is_wanted']),
  });
  const Space = model('Space', 'facilities_space', columns(BIGINT, ['lock_version']));
  const Facility = model('Facility', 'facilities_facility', {
    ...columns(UUID, ['public_id']),
    ...columns(STRING, ['name', 'kind']),
  });
  const Link = model('Link', 'facilities_facilityspace', columns(BIGINT, ['facility_id', 'space_id']));
  const Rulebook = model('Rulebook', 'facilities_rulebook', columns(BIGINT, ['number', 'mark']));
  const Reservation = model('Reservation', 'reservations_reservation', {
    ...columns(UUID, ['public_id']),
    ...columns(BIGINT, ['facility_id', 'member_id', 'membership_id', 'booked_by_id', 'policy_version_id']),
    ...columns(STRING, ['type', 'state', 'title', 'notes', 'room_no']),
    ...columns(DATE, ['starts_at', 'ends_at', 'expires_at', 'created_at', 'ended_at']),
    ...columns(DATEONLY, ['starts_on']),
    ...columns(INTEGER, [
      'party', 'guest_count', 'nights', 'lanes', 'buffer_before_minutes', 'buffer_after_minutes', 'reschedules',
      'version',
    ]),
    ...columns(BOOLEAN, ['is_charged', 'needs_attention']),
  });
  const Claim = model('Claim', 'reservations_slotclaim', {
    ...columns(BIGINT, ['space_id', 'reservation_id']),
    ...columns(DATE, ['cell_start']),
    ...columns(INTEGER, ['lane']),
  });
  const Participant = model('Participant', 'reservations_participant', {
    ...columns(BIGINT, ['reservation_id', 'member_id', 'guest_id']),
    ...columns(STRING, ['kind']),
    ...columns(INTEGER, ['position']),
  });
  const Event = model('Event', 'reservations_reservationevent', {
    ...columns(BIGINT, ['reservation_id', 'actor_user_id']),
    ...columns(STRING, ['action', 'from_state', 'to_state', 'actor_kind', 'actor_name', 'reason']),
    ...columns(JSONB, ['details']),
    ...columns(DATE, ['at']),
  });
  const Notification = model('Notification', 'accounts_notification', {
    ...columns(UUID, ['public_id']),
    ...columns(BIGINT, ['user_id']),
    ...columns(STRING, ['channel', 'kind', 'link', 'dedupe_key', 'state', 'last_error', 'reference']),
    ...columns(JSONB, ['context']),
    ...columns(DATE, ['created_at', 'send_at', 'valid_until', 'sent_at']),
    ...columns(INTEGER, ['attempts']),
  });
  const Key = model('Key', 'core_idempotencykey', {
    ...columns(UUID, ['principal']),
    ...columns(STRING, ['route', 'key', 'body_sha256']),
    ...columns(INTEGER, ['status']),
    ...columns(BLOB, ['reply']),
    ...columns(DATE, ['created_at']),
  });

  const to = (one, other, as, foreignKey) => one.belongsTo(other, { as, foreignKey, constraints: false });
  to(Session, User, 'user', 'user_id');
  User.hasOne(Member, { as: 'member', foreignKey: 'user_id', constraints: false });
  to(Member, User, 'user', 'user_id');
  to(Member, Membership, 'membership', 'membership_id');
  Member.hasMany(Hold, { as: 'holds', foreignKey: 'member_id', constraints: false });
  User.hasMany(Preference, { as: 'preferences', foreignKey: 'user_id', constraints: false });
  to(Reservation, Facility, 'facility', 'facility_id');
  to(Reservation, Member, 'member', 'member_id');
  Facility.hasMany(Link, { as: 'links', foreignKey: 'facility_id', constraints: false });
  to(Claim, Reservation, 'reservation', 'reservation_id');
  return {
    Claim, Event, Facility, Hold, Key, Link, Member, Membership, Notification, Participant, Preference, Reservation,
    Rulebook, Session, Space, User,
  };
}

module.exports = { define };
