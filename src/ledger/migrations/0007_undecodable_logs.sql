-- A log of the inbox that cannot be decoded is a finding of a kind of its own.
CREATE TABLE new_message_events (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    chain_id   TEXT    NOT NULL,  -- the executing block
    number     INTEGER NOT NULL,
    hash       BLOB    NOT NULL,
    log_index  INTEGER NOT NULL,
    timestamp  INTEGER NOT NULL,
    initiating TEXT,              -- the chain cited; NULL: the log cannot be decoded
    level      TEXT    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('invalid', 'flip', 'undeclared', 'undecodable', 'ended')),
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

INSERT INTO new_message_events SELECT id, chain_id, number, hash, log_index, timestamp, initiating, level, kind, ordinal, status,
                                      reason, detail, cause, ending, ended_by, noted_at FROM message_events;
DROP TABLE message_events;
ALTER TABLE new_message_events RENAME TO message_events;
