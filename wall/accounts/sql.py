"""The SQL of accounts and screens, and nothing else: what another database would say in its own words."""

VERSION = 1
"""Of the tables below; a file of a later one is not touched."""

TABLES = """
CREATE TABLE IF NOT EXISTS accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, folded TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (
    token BLOB PRIMARY KEY, account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    expires INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS screens (id INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS televisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, token BLOB NOT NULL UNIQUE, paired INTEGER NOT NULL,
    screen INTEGER NOT NULL REFERENCES screens (id) ON DELETE CASCADE);
"""

ACCOUNTS = "SELECT id, name FROM accounts ORDER BY folded"
COUNT_ACCOUNTS = "SELECT count(*) FROM accounts"
ACCOUNT_NAMED = "SELECT id, name, password FROM accounts WHERE folded = ?"
ACCOUNT = "SELECT id, name, password FROM accounts WHERE id = ?"
ADD_ACCOUNT = "INSERT INTO accounts (name, folded, password) VALUES (?, ?, ?) RETURNING id"
# In one statement, so that two who remove each other do not leave nobody.
REMOVE_ACCOUNT = "DELETE FROM accounts WHERE id = ? AND (SELECT count(*) FROM accounts) > 1 RETURNING id"
SET_PASSWORD = "UPDATE accounts SET password = ? WHERE id = ?"  # noqa: S105

ADD_SESSION = "INSERT INTO sessions (token, account, expires) VALUES (?, ?, ?)"
SESSION = (
    "SELECT accounts.id, accounts.name FROM sessions JOIN accounts ON accounts.id = sessions.account"
    " WHERE sessions.token = ? AND sessions.expires > ?"
)
END_SESSION = "DELETE FROM sessions WHERE token = ?"
END_SESSIONS = "DELETE FROM sessions WHERE account = ?"
EXPIRE_SESSIONS = "DELETE FROM sessions WHERE expires <= ?"

SCREENS = "SELECT id, body FROM screens ORDER BY id"
SCREEN = "SELECT id, body FROM screens WHERE id = ?"
ADD_SCREEN = "INSERT INTO screens (body) VALUES (?) RETURNING id"
CHANGE_SCREEN = "UPDATE screens SET body = ? WHERE id = ? RETURNING id"
REMOVE_SCREEN = "DELETE FROM screens WHERE id = ? RETURNING id"

TELEVISIONS = "SELECT id, screen, paired FROM televisions ORDER BY id"
# None where the screen was removed meanwhile.
ADD_TELEVISION = (
    "INSERT INTO televisions (token, paired, screen) SELECT ?, ?, id FROM screens WHERE id = ? RETURNING id"
)
TELEVISION = (
    "SELECT televisions.id, screens.id, screens.body FROM televisions"
    " JOIN screens ON screens.id = televisions.screen WHERE televisions.token = ?"
)
REVOKE_TELEVISION = "DELETE FROM televisions WHERE id = ? AND screen = ? RETURNING id"
