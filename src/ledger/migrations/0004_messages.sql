-- What was noted of executed messages: written before anybody is told, once for each message, kind and ordinal.
CREATE TABLE message_events (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    chain_id   TEXT    NOT NULL,  -- the executing block
    number     INTEGER NOT NULL,
    hash       BLOB    NOT NULL,
    log_index  INTEGER NOT NULL,
    timestamp  INTEGER NOT NULL,
    initiating TEXT,              -- the chain cited; NULL: the log is malformed
    level      TEXT    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('invalid', 'flip', 'undeclared', 'ended')),
    ordinal    INTEGER NOT NULL,
    status     TEXT,              -- what is known of the message now
    reason     TEXT,              -- the rule that is broken now, and how
    detail     TEXT,
    cause      TEXT,
    ending     TEXT,
    ended_by   BLOB,
    noted_at   INTEGER NOT NULL,  -- seconds since the Unix epoch
    UNIQUE (chain_id, number, hash, log_index, kind, ordinal)
) STRICT;

-- Up to which block of each chain every message has ended: after a restart the blocks above are read again.
CREATE TABLE monitor_cursors (
    chain_id TEXT    PRIMARY KEY NOT NULL,
    number   INTEGER NOT NULL,
    hash     BLOB    NOT NULL
) STRICT;

-- Declared messages of gossiped transactions that were told to break a rule, so that none is told twice.
CREATE TABLE suspects (
    chain_id          TEXT    NOT NULL,
    number            INTEGER NOT NULL,
    hash              BLOB    NOT NULL,
    transaction_index INTEGER NOT NULL,
    entry             INTEGER NOT NULL,  -- the message's place in the transaction's access list
    reason            TEXT    NOT NULL,
    detail            TEXT    NOT NULL,
    noted_at          INTEGER NOT NULL,
    PRIMARY KEY (chain_id, number, hash, transaction_index, entry)
) STRICT, WITHOUT ROWID;

-- Switches that an operator set.
CREATE TABLE flags (
    name   TEXT    PRIMARY KEY NOT NULL,
    is_set INTEGER NOT NULL CHECK (is_set IN (0, 1)),
    set_at INTEGER NOT NULL
) STRICT;
