"""Who may call what: each operation of the API, each role, and the status it gets.

A line is ``METHOD path`` and a status for each column, from left to right:

    ano  nobody signed in                            FD   Front Desk
    dea  the owner's token, of a session that ended  Fac  Facilities
    own  the owner: the row of the path is theirs    Mem  Membership
    spo  the spouse, of the same household           FUp  Finance Uploader
    dep  a dependent, of the same household          FAp  Finance Approver
    str  a stranger: a member of another household   Mod  Moderator
                                                     Ops  Ops
                                                     Aud  Auditor

The requests are those of ``tests.api.calls``: valid, so that what is allowed succeeds. A path
without an id is about the caller's own. Lines stand in the order of the OpenAPI document.
"""

from __future__ import annotations

from typing import Final

from tests.api.world import EVERYBODY

_TEXT: Final = """
                                               ano dea own spo dep str   FD Fac Mem FUp FAp Mod Ops Aud
GET    account/balance                         401 401 200 404 404 404  403 403 403 403 403 403 403 403
GET    account/entries                         401 401 200 200 200 200  403 403 403 403 403 403 403 403

GET    announcements                           401 401 200 200 200 200  200 200 200 200 200 200 200 200
POST   announcements                           401 401 403 403 403 403  403 201 201 403 403 201 403 403
GET    announcements/{public_id}               401 401 200 200 200 200  200 200 200 200 200 200 200 200
PATCH  announcements/{public_id}               401 401 403 403 403 403  403 200 200 403 403 200 403 403
DELETE announcements/{public_id}               401 401 403 403 403 403  403 204 204 403 403 204 403 403

POST   auth/activate                           200 200 200 200 200 200  200 200 200 200 200 200 200 200
POST   auth/login                              200 200 200 200 200 200  200 200 200 200 200 200 200 200
POST   auth/logout                             401 401 204 204 204 204  204 204 204 204 204 204 204 204
POST   auth/logout-all                         401 401 204 204 204 204  204 204 204 204 204 204 204 204
POST   auth/otp/request                        200 200 200 200 200 200  200 200 200 200 200 200 200 200
POST   auth/otp/verify                         200 200 200 200 200 200  200 200 200 200 200 200 200 200
POST   auth/password/change                    401 401 200 200 200 200  200 200 200 200 200 200 200 200
POST   auth/password/reset                     204 204 204 204 204 204  204 204 204 204 204 204 204 204
POST   auth/step-up                            401 401 200 200 200 200  200 200 200 200 200 200 200 200
POST   auth/token/refresh                      200 200 200 200 200 200  200 200 200 200 200 200 200 200

GET    bootstrap                               200 401 200 200 200 200  200 200 200 200 200 200 200 200

GET    chat/attachments/{public_id}            401 401 200 404 404 404  200 404 200 404 404 404 404 404
GET    chat/blocks                             401 401 200 200 200 200  200 200 200 200 200 200 200 200
POST   chat/blocks                             401 401 201 404 404 404  404 404 404 404 404 404 404 404
DELETE chat/blocks/{public_id}                 401 401 204 404 404 404  404 404 404 404 404 404 404 404
GET    chat/connections                        401 401 403 403 403 403  200 403 403 403 403 403 200 403
DELETE chat/connections/{public_id}            401 401 403 403 403 403  403 403 403 403 403 403 204 403
GET    chat/conversations                      401 401 200 200 200 200  200 200 200 200 200 200 200 200
POST   chat/conversations                      401 401 201 201 201 201  403 403 403 403 403 403 403 403
GET    chat/conversations/{public_id}          401 401 200 404 404 404  200 404 200 404 404 404 404 404
POST   chat/conversations/{public_id}/leave    401 401 204 404 404 404  404 404 404 404 404 404 404 404
GET    chat/conversations/{public_id}/messages 401 401 200 404 404 404  200 404 200 404 404 404 404 404
POST   chat/conversations/{public_id}/messages 401 401 201 404 404 404  201 404 201 404 404 404 404 404
PUT    chat/conversations/{public_id}/mute     401 401 200 404 404 404  404 404 404 404 404 404 404 404
POST   chat/conversations/{public_id}/read     401 401 204 404 404 404  204 404 204 404 404 404 404 404
GET    chat/desks                              401 401 200 200 200 200  200 200 200 200 200 200 200 200
PATCH  chat/messages/{public_id}               401 401 204 404 404 404  403 404 403 404 404 403 404 404
DELETE chat/messages/{public_id}               401 401 204 404 404 404  403 404 403 404 404 204 404 404
POST   chat/messages/{public_id}/report        401 401 201 404 404 404  404 404 404 404 404 404 404 404
GET    chat/preferences                        401 401 200 200 200 200  200 200 200 200 200 200 200 200
PATCH  chat/preferences                        401 401 200 200 200 200  200 200 200 200 200 200 200 200
POST   chat/socket-ticket                      401 401 200 200 200 200  200 200 200 200 200 200 200 200

GET    contacts                                401 401 200 200 200 200  200 200 200 200 200 200 200 200
POST   contacts                                401 401 403 403 403 403  403 201 201 403 403 201 403 403
GET    contacts/{public_id}                    401 401 200 200 200 200  200 200 200 200 200 200 200 200
PATCH  contacts/{public_id}                    401 401 403 403 403 403  403 200 200 403 403 200 403 403
DELETE contacts/{public_id}                    401 401 403 403 403 403  403 204 204 403 403 204 403 403

GET    documents                               401 401 200 200 200 200  403 403 403 403 403 403 403 403
GET    documents/{public_id}                   401 401 200 404 404 404  403 403 403 403 403 403 403 403
GET    documents/{public_id}/content           401 401 200 404 404 404  403 403 403 403 403 403 403 403
POST   documents/{public_id}/link              401 401 200 404 404 404  403 403 403 403 403 403 403 403

GET    events                                  401 401 200 200 200 200  200 200 200 200 200 200 200 200
POST   events                                  401 401 403 403 403 403  403 201 201 403 403 201 403 403
GET    events/{public_id}                      401 401 200 200 200 200  200 200 200 200 200 200 200 200
PATCH  events/{public_id}                      401 401 403 403 403 403  403 200 200 403 403 200 403 403
DELETE events/{public_id}                      401 401 403 403 403 403  403 204 204 403 403 204 403 403

GET    facilities                              401 401 200 200 200 200  200 200 200 200 200 200 200 200
GET    facilities/{public_id}                  401 401 200 200 200 200  200 200 200 200 200 200 200 200
PATCH  facilities/{public_id}                  401 401 403 403 403 403  403 200 403 403 403 403 403 403
GET    facilities/{public_id}/availability     401 401 200 200 200 200  403 403 403 403 403 403 403 403
GET    facilities/{public_id}/hours            401 401 200 200 200 200  200 200 200 200 200 200 200 200
GET    facilities/{public_id}/policy           401 401 200 200 200 200  200 200 200 200 200 200 200 200
GET    facilities/{public_id}/rates            401 401 200 200 200 200  200 200 200 200 200 200 200 200

GET    faqs                                    401 401 200 200 200 200  200 200 200 200 200 200 200 200
POST   faqs                                    401 401 403 403 403 403  403 201 201 403 403 201 403 403
GET    faqs/{public_id}                        401 401 200 200 200 200  200 200 200 200 200 200 200 200
PATCH  faqs/{public_id}                        401 401 403 403 403 403  403 200 200 403 403 200 403 403
DELETE faqs/{public_id}                        401 401 403 403 403 403  403 204 204 403 403 204 403 403

GET    guests                                  401 401 200 200 200 200  403 403 403 403 403 403 403 403
POST   guests                                  401 401 201 201 201 201  403 403 403 403 403 403 403 403

POST   images                                  401 401 201 201 201 201  403 403 403 403 403 403 403 403
GET    images/{public_id}                      404 401 200 200 200 404  200 200 200 404 404 200 200 200
GET    images/{public_id}/{variant}            404 401 200 200 200 404  200 200 200 404 404 200 200 200

GET    me                                      401 401 200 200 200 200  200 200 200 200 200 200 200 200
PATCH  me                                      401 401 200 200 200 200  200 200 200 200 200 200 200 200
PUT    me/deletion-request                     401 401 200 200 200 200  403 403 403 403 403 403 403 403
DELETE me/deletion-request                     401 401 204 204 204 204  403 403 403 403 403 403 403 403
GET    me/access-log                           401 401 200 200 200 200  403 403 403 403 403 403 403 403
GET    me/devices                              401 401 200 200 200 200  200 200 200 200 200 200 200 200
DELETE me/devices/{public_id}                  401 401 204 404 404 404  404 404 404 404 404 404 404 404
PUT    me/devices/current                      401 401 200 200 200 200  200 200 200 200 200 200 200 200
GET    me/export                               401 401 200 200 200 200  403 403 403 403 403 403 403 403
GET    me/household                            401 401 200 200 200 200  403 403 403 403 403 403 403 403
GET    me/notifications                        401 401 200 200 200 200  200 200 200 200 200 200 200 200
POST   me/notifications/{public_id}/read       401 401 200 404 404 404  404 404 404 404 404 404 404 404
GET    me/privacy                              401 401 200 200 200 200  200 200 200 200 200 200 200 200
PUT    me/privacy                              401 401 200 200 200 200  200 200 200 200 200 200 200 200
DELETE me/photo                                401 401 204 204 204 204  403 403 403 403 403 403 403 403
GET    me/photo                                401 401 200 200 200 200  403 403 403 403 403 403 403 403
PUT    me/photo                                401 401 200 400 400 400  403 403 403 403 403 403 403 403
GET    me/privileges                           401 401 200 200 200 200  403 403 403 403 403 403 403 403
GET    me/record-reads                         401 401 200 200 200 200  403 403 403 403 403 403 403 403

GET    outlets                                 401 401 200 200 200 200  200 200 200 200 200 200 200 200
POST   outlets                                 401 401 403 403 403 403  403 201 201 403 403 201 403 403
GET    outlets/{public_id}                     401 401 200 200 200 200  200 200 200 200 200 200 200 200
PATCH  outlets/{public_id}                     401 401 403 403 403 403  403 200 200 403 403 200 403 403
DELETE outlets/{public_id}                     401 401 403 403 403 403  403 204 204 403 403 204 403 403

GET    promos                                  401 401 200 200 200 200  200 200 200 200 200 200 200 200
POST   promos                                  401 401 403 403 403 403  403 201 201 403 403 201 403 403
GET    promos/{public_id}                      401 401 200 200 200 200  200 200 200 200 200 200 200 200
PATCH  promos/{public_id}                      401 401 403 403 403 403  403 200 200 403 403 200 403 403
DELETE promos/{public_id}                      401 401 403 403 403 403  403 204 204 403 403 204 403 403

GET    reservations                            401 401 200 200 200 200  403 403 403 403 403 403 403 403
POST   reservations                            401 401 201 201 201 201  403 403 403 403 403 403 403 403
GET    reservations/{public_id}                401 401 200 200 404 404  403 403 403 403 403 403 403 403
GET    reservations/{public_id}/calendar.ics   401 401 200 200 404 404  403 403 403 403 403 403 403 403
POST   reservations/{public_id}/cancel         401 401 200 200 404 404  403 403 403 403 403 403 403 403
POST   reservations/{public_id}/check-in       401 401 200 403 404 404  403 403 403 403 403 403 403 403
POST   reservations/{public_id}/confirm        401 401 200 403 404 404  403 403 403 403 403 403 403 403
GET    reservations/{public_id}/events         401 401 200 200 404 404  403 403 403 403 403 403 403 403
PUT    reservations/{public_id}/participants   401 401 200 403 404 404  403 403 403 403 403 403 403 403
POST   reservations/{public_id}/reschedule     401 401 200 403 404 404  403 403 403 403 403 403 403 403
POST   reservations/quote                      401 401 200 200 200 200  403 403 403 403 403 403 403 403

GET    rules                                   401 401 200 200 200 200  200 200 200 200 200 200 200 200
POST   rules                                   401 401 403 403 403 403  403 201 201 403 403 201 403 403
GET    rules/{public_id}                       401 401 200 200 200 200  200 200 200 200 200 200 200 200
PATCH  rules/{public_id}                       401 401 403 403 403 403  403 200 200 403 403 200 403 403
DELETE rules/{public_id}                       401 401 403 403 403 403  403 204 204 403 403 204 403 403

GET    statements                              401 401 200 200 200 200  403 403 403 403 403 403 403 403
GET    statements/{period}                     401 401 200 404 404 404  403 403 403 403 403 403 403 403

GET    time                                    200 200 200 200 200 200  200 200 200 200 200 200 200 200
"""


def _read(text: str) -> dict[str, dict[str, int]]:
    """``{"GET me": {"anonymous": 401, …}}``. Raises ValueError for a line that is no row, or a second one."""
    rows: dict[str, dict[str, int]] = {}
    for line in text.strip().splitlines()[1:]:
        if not line.strip():
            continue
        method, path, *statuses = line.split()
        name = f"{method} {path}"
        if name in rows:
            raise ValueError(f"Two lines for {name}.")
        rows[name] = dict(zip(EVERYBODY, map(int, statuses), strict=True))
    return rows


def as_line(name: str, statuses: dict[str, int]) -> str:
    """A row as the table writes it."""
    method, _, path = name.partition(" ")
    members = " ".join(str(statuses[role]) for role in EVERYBODY[:6])
    staff = " ".join(str(statuses[role]) for role in EVERYBODY[6:])
    return f"{method:<6} {path:<39} {members}  {staff}"


TABLE: Final = _read(_TEXT)
# The operations by the first word of their path.
FAMILIES: Final[dict[str, list[str]]] = {}
for _name in TABLE:
    FAMILIES.setdefault(_name.split()[1].partition("/")[0], []).append(_name)
