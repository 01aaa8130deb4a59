'use strict';
// What both engines are asked in the same words. Parameters are `?` in order; a store rewrites them.

const RULEBOOK = {
  facilities: `SELECT id, public_id, name, kind, takes, state, publish_from, publish_until
    FROM facilities_facility ORDER BY position, name, id`,
  links: `SELECT l.facility_id, l.space_id, s.grid, s.lanes FROM facilities_facilityspace l
    JOIN facilities_space s ON s.id = l.space_id ORDER BY l.facility_id, l.space_id`,
  periods: `SELECT id, facility_id, starts_on, ends_on, priority, override FROM facilities_openingperiod
    ORDER BY facility_id, id`,
  spans: 'SELECT period_id, weekday, opens, closes, next_day FROM facilities_openingspan ORDER BY id',
  closures: `SELECT facility_id, space_id, starts_at, ends_at, reason FROM facilities_closure
    WHERE confirmed_at IS NOT NULL AND ends_at > ?`,
  bands: `SELECT facility_id, kind, weekday, starts, ends, valid_from, valid_until FROM facilities_primetime
    ORDER BY id`,
  versions: `SELECT v.*, p.facility_id, p.kind, p.category_id, p.valid_from, p.valid_until
    FROM facilities_policyversion v JOIN facilities_reservationpolicy p ON p.id = v.policy_id
    WHERE v.published_at IS NOT NULL ORDER BY v.policy_id, v.number`,
  quotas: 'SELECT * FROM facilities_quotarule WHERE is_active ORDER BY id',
  holidays: 'SELECT "on" FROM facilities_holiday WHERE is_confirmed',
  number: 'SELECT number FROM facilities_rulebook WHERE id = 1',
};

const MARK = 'SELECT CAST(mark AS text) AS mark FROM facilities_rulebook WHERE id = 1';

const STANDING = `SELECT s.ended_at, s.expires_at, s.user_id, u.public_id AS user_public_id, u.username,
    u.display_name, u.is_staff, u.is_active, u.token_version, m.id AS member_id,
    m.membership_id FROM accounts_session s JOIN accounts_user u ON u.id = s.user_id
    LEFT JOIN accounts_member m ON m.user_id = u.id WHERE s.public_id = ? LIMIT 1`;

const HOLD = (column) => `(SELECT ${column} FROM accounts_privilegehold h WHERE h.member_id = m.id
    AND h.scope = 'booking' AND h.starts_at <= ? AND h.until > ? AND h.lifted_at IS NULL
    ORDER BY h.until DESC, h.id DESC LIMIT 1)`;

const look = (more) => `SELECT m.public_id, m.member_no, m.membership_id, m.can_book, m.birth_date, m.user_id,
    m.first_name, m.last_name, h.category_id, h.standing, h.valid_to, u.public_id AS user_public_id${more},
    (SELECT CAST(mark AS text) FROM facilities_rulebook WHERE id = 1) AS mark,
    ${HOLD('h.until')} AS hold_until, ${HOLD('h.reason')} AS hold_reason
    FROM accounts_member m JOIN accounts_membership h ON h.id = m.membership_id
    LEFT JOIN accounts_user u ON u.id = m.user_id WHERE m.id = ?`;

const LOOK = look('');
const LOOK_TO_BOOK = look(`, u.email, (SELECT is_wanted FROM accounts_channelpreference c
    WHERE c.user_id = m.user_id AND c.kind = 'reservation_confirmed' AND c.channel = 'email') AS wants_email`);

const COUNTED_COLUMNS = `SELECT r.member_id, r.facility_id, f.kind, r.starts_at, r.ends_at, r.starts_on, r.nights,
    r.guest_count, r.state, r.is_charged, r.expires_at FROM reservations_reservation r
    JOIN facilities_facility f ON f.id = r.facility_id`;

const TAKEN_COLUMNS = `SELECT DISTINCT c.reservation_id, c.space_id, r.starts_at, r.ends_at, r.lanes,
    r.buffer_before_minutes, r.buffer_after_minutes, r.expires_at FROM reservations_slotclaim c
    JOIN reservations_reservation r ON r.id = c.reservation_id`;

const MEMBER = `SELECT m.id, m.membership_id, m.relation FROM accounts_member m
    JOIN accounts_membership h ON h.id = m.membership_id WHERE m.id = ?`;

const UPCOMING_COLUMNS = `SELECT r.id, r.public_id, r.type, r.state, r.starts_at, r.ends_at, r.expires_at, r.party,
    r.guest_count, r.nights, r.room_no, r.notes, r.reschedules, r.version, r.created_at,
    f.public_id AS facility_public_id, f.name AS facility_name, f.kind AS facility_kind,
    m.public_id AS member_public_id, m.member_no, m.first_name, m.last_name
    FROM reservations_reservation r JOIN facilities_facility f ON f.id = r.facility_id
    LEFT JOIN accounts_member m ON m.id = r.member_id`;

const LOCK_MEMBERSHIP = 'UPDATE accounts_membership SET lock_version = lock_version + 1 WHERE id = ?';
const LOCK_SPACE = 'UPDATE facilities_space SET lock_version = lock_version + 1 WHERE id = ?';

module.exports = {
  COUNTED_COLUMNS, LOCK_MEMBERSHIP, LOCK_SPACE, LOOK, LOOK_TO_BOOK, MARK, MEMBER, RULEBOOK, STANDING,
  TAKEN_COLUMNS, UPCOMING_COLUMNS,
};
