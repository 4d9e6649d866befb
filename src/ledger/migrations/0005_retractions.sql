-- The L1 block that a block stands on. NULL: it tells none, or was written by a version that did not keep it.
ALTER TABLE cases ADD COLUMN l1_number INTEGER;
ALTER TABLE cases ADD COLUMN l1_hash BLOB;

-- Each time that a vouched head left a branch. Append-only.
CREATE TABLE retractions (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    chain_id     TEXT    NOT NULL,
    from_number  INTEGER NOT NULL,
    from_hash    BLOB    NOT NULL,
    to_number    INTEGER NOT NULL,
    to_hash      BLOB    NOT NULL,
    reason       TEXT    NOT NULL,
    retracted_at INTEGER NOT NULL  -- seconds since the Unix epoch
) STRICT;

CREATE INDEX retractions_by_chain ON retractions (chain_id);

CREATE TRIGGER retractions_are_not_changed BEFORE UPDATE ON retractions
BEGIN SELECT RAISE(ABORT, 'retractions are append-only'); END;

CREATE TRIGGER retractions_are_not_deleted BEFORE DELETE ON retractions
BEGIN SELECT RAISE(ABORT, 'retractions are append-only'); END;

-- The blocks of branches that a vouched head left: it does not move onto one while it is here. A block whose branch L1 takes
-- up again is taken out.
CREATE TABLE abandoned_blocks (
    chain_id TEXT    NOT NULL,
    number   INTEGER NOT NULL,
    hash     BLOB    NOT NULL,
    PRIMARY KEY (chain_id, number, hash)
) STRICT, WITHOUT ROWID;
