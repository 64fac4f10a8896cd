"""The view's SQL, and nothing else: as SQLite and PostgreSQL both understand it."""


def tables(*, text: str, octets: str) -> str:
    """All tables. Text is compared by its bytes, octets are any bytes: databases have words for these."""
    return f"""
CREATE TABLE IF NOT EXISTS life (id {text} NOT NULL);
CREATE TABLE IF NOT EXISTS topics (topic {text} PRIMARY KEY, identity {text} NOT NULL);
CREATE TABLE IF NOT EXISTS offsets (
    topic {text}, partition INTEGER, next BIGINT NOT NULL, PRIMARY KEY (topic, partition));
CREATE TABLE IF NOT EXISTS entries (
    kind {text}, key {text}, revision BIGINT NOT NULL, scope {text}, grain {text}, start {text}, at BIGINT,
    body {octets} NOT NULL, shown INTEGER NOT NULL, position BIGINT NOT NULL, PRIMARY KEY (kind, key));
CREATE UNIQUE INDEX IF NOT EXISTS entries_log ON entries (position);
CREATE INDEX IF NOT EXISTS entries_windows ON entries (kind, grain, start, scope);
CREATE INDEX IF NOT EXISTS entries_scopes ON entries (kind, scope, grain, start);
CREATE INDEX IF NOT EXISTS entries_moments ON entries (kind, at);
CREATE TABLE IF NOT EXISTS deals (key {text} PRIMARY KEY, body {octets} NOT NULL);
"""


LIFE = "SELECT id FROM life"
BEGIN_LIFE = "INSERT INTO life (id) VALUES (?)"
END_LIFE = "DELETE FROM life"
POSITION = "SELECT coalesce(max(position), 0) FROM entries"

OFFSETS = "SELECT topic, partition, next FROM offsets"
IDENTITIES = "SELECT topic, identity FROM topics"
KEEP_OFFSET = (
    "INSERT INTO offsets (topic, partition, next) VALUES (?, ?, ?)"
    " ON CONFLICT (topic, partition) DO UPDATE SET next = excluded.next"
)
KEEP_IDENTITY = (
    "INSERT INTO topics (topic, identity) VALUES (?, ?)"
    " ON CONFLICT (topic) DO UPDATE SET identity = excluded.identity"
)

HELD = "SELECT revision, body FROM entries WHERE kind = ? AND key = ?"
KEEP = (
    "INSERT INTO entries (kind, key, revision, scope, grain, start, at, body, shown, position)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (kind, key) DO UPDATE SET revision = excluded.revision, scope = excluded.scope,"
    " grain = excluded.grain, start = excluded.start, at = excluded.at, body = excluded.body,"
    " shown = excluded.shown, position = excluded.position"
)
DEAL = "SELECT body FROM deals WHERE key = ?"
KEEP_DEAL = (
    "INSERT INTO deals (key, body) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET body = excluded.body"
)

FORGET_OFFSETS = "DELETE FROM offsets WHERE topic = ?"
FORGET_ENTRIES = "DELETE FROM entries WHERE kind = ?"
FORGET_DEALS = "DELETE FROM deals"

SINCE = (
    "SELECT position, kind, body FROM entries WHERE position > ? AND shown = 1 ORDER BY position LIMIT ?"
)
OF_KIND = "SELECT body FROM entries WHERE kind = ? AND scope IS NOT NULL ORDER BY key"
# Of two at the same time what changed last is the later one.
LATEST = (
    "SELECT body, at, position FROM entries WHERE kind = ? AND (at, position) < (?, ?)"
    " ORDER BY at DESC, position DESC LIMIT ?"
)
ALERTS = (
    "SELECT alerts.body, acks.body FROM entries AS alerts"
    " LEFT JOIN entries AS acks ON acks.kind = 'ack' AND acks.key = alerts.key AND acks.at IS NOT NULL"
    " WHERE alerts.kind = 'alert' AND alerts.at IS NOT NULL"
    " ORDER BY alerts.at DESC, alerts.position DESC LIMIT ?"
)
VERSIONS = "SELECT body FROM entries WHERE kind = 'version' AND scope = ?"
ENTRY = "SELECT body FROM entries WHERE kind = ? AND key = ? AND scope IS NOT NULL"


def records(
    scope: str | None, grain: str | None, first: str | None, last: str | None, after: str, limit: int
) -> tuple[str, list[str | int]]:
    """The records of a scope, of a kind of scope (`team:`), or else of all that walls hear of."""
    where, given = ["kind = 'record'"], list[str | int]()
    if scope is None:
        where.append("scope IS NOT NULL AND shown = 1")
    elif scope.endswith(":"):
        where.append("scope > ? AND scope < ?")
        # Whatever begins with the colon comes before the next character.
        given.extend([scope, f"{scope[:-1]};"])
    else:
        where.append("scope = ?")
        given.append(scope)
    conditions = (
        (grain, "grain = ?"),
        (first, "start >= ?"),
        (last, "start <= ?"),
        (after or None, "key > ?"),
    )
    for value, condition in conditions:
        if value is not None:
            where.append(condition)
            given.append(value)
    given.append(limit)
    return f"SELECT body FROM entries WHERE {' AND '.join(where)} ORDER BY key LIMIT ?", given  # noqa: S608
