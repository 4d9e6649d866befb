-- An operator's decision that the vouched head may pass over a block that was found wrong. Append-only.
CREATE TABLE resolutions (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    chain_id    TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    hash        BLOB    NOT NULL,
    verdict     TEXT    NOT NULL,  -- what was found of the block
    reason      TEXT    NOT NULL,  -- why the operator passes over it
    resolved_at INTEGER NOT NULL,  -- seconds since the Unix epoch
    UNIQUE (chain_id, number, hash)
) STRICT;

CREATE TRIGGER resolutions_are_not_changed BEFORE UPDATE ON resolutions
BEGIN SELECT RAISE(ABORT, 'resolutions are append-only'); END;

CREATE TRIGGER resolutions_are_not_deleted BEFORE DELETE ON resolutions
BEGIN SELECT RAISE(ABORT, 'resolutions are append-only'); END;
