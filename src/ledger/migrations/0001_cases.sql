-- "XCHK": tells this database from other programs'.
PRAGMA application_id = 1480804427;

-- A block under audit. Written before anything else hears of it; its verdict is written once.
CREATE TABLE cases (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    chain_id         TEXT    NOT NULL,  -- decimal, up to 256 bits
    number           INTEGER NOT NULL,
    hash             BLOB    NOT NULL,
    parent_hash      BLOB    NOT NULL,
    timestamp        INTEGER NOT NULL,
    origin           TEXT    NOT NULL CHECK (origin IN ('attested', 'ancestor')),
    topic            TEXT,              -- of an attested block: the topic, who signed it, and how
    domain           TEXT,
    signer           BLOB,
    payload_hash     BLOB,
    frame            BLOB,              -- the gossip frame: dropped once the block is upheld
    opened_at        INTEGER NOT NULL,  -- seconds since the Unix epoch
    waits            TEXT    NOT NULL DEFAULT '[]',
    messages         TEXT    NOT NULL DEFAULT '[]',
    replaces         BLOB,
    verdict          TEXT,              -- NULL: open
    reason           TEXT,
    detail           TEXT,
    decided_at       INTEGER,
    decided_after_ms INTEGER,
    UNIQUE (chain_id, number, hash)
) STRICT;

CREATE INDEX cases_open ON cases (chain_id) WHERE verdict IS NULL;
CREATE INDEX cases_by_hash ON cases (chain_id, hash);

-- The head that Crosscheck vouches for: every block up to it, from where the audit began, is upheld.
CREATE TABLE heads (
    chain_id       TEXT    PRIMARY KEY NOT NULL,
    anchor_number  INTEGER NOT NULL,
    anchor_hash    BLOB    NOT NULL,
    vouched_number INTEGER NOT NULL,
    vouched_hash   BLOB    NOT NULL
) STRICT;
