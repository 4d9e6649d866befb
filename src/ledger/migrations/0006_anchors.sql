-- A block may be resolved once for each thing that was found of it: passed while it was open, and once more when it is
-- found wrong.
CREATE TABLE new_resolutions (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    chain_id    TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    hash        BLOB    NOT NULL,
    verdict     TEXT    NOT NULL,  -- what was found of the block: 'open' if nothing was yet
    reason      TEXT    NOT NULL,  -- why the operator passes over it
    resolved_at INTEGER NOT NULL,  -- seconds since the Unix epoch
    UNIQUE (chain_id, number, hash, verdict)
) STRICT;

INSERT INTO new_resolutions SELECT id, chain_id, number, hash, verdict, reason, resolved_at FROM resolutions;
DROP TABLE resolutions;
ALTER TABLE new_resolutions RENAME TO resolutions;

CREATE TRIGGER resolutions_are_not_changed BEFORE UPDATE ON resolutions
BEGIN SELECT RAISE(ABORT, 'resolutions are append-only'); END;

CREATE TRIGGER resolutions_are_not_deleted BEFORE DELETE ON resolutions
BEGIN SELECT RAISE(ABORT, 'resolutions are append-only'); END;

-- Each time that an operator moved where a chain's audit begins. Append-only.
CREATE TABLE anchors (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    chain_id    TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    hash        BLOB    NOT NULL,
    from_number INTEGER,           -- where the vouched head was. NULL: the audit had not begun
    from_hash   BLOB,
    reason      TEXT    NOT NULL,
    moved_at    INTEGER NOT NULL   -- seconds since the Unix epoch
) STRICT;

CREATE INDEX anchors_by_chain ON anchors (chain_id);

CREATE TRIGGER anchors_are_not_changed BEFORE UPDATE ON anchors
BEGIN SELECT RAISE(ABORT, 'anchors are append-only'); END;

CREATE TRIGGER anchors_are_not_deleted BEFORE DELETE ON anchors
BEGIN SELECT RAISE(ABORT, 'anchors are append-only'); END;
