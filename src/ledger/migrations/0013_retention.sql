-- Who signed what. The frames of upheld blocks are not kept, and their cases not for ever; this is.
CREATE TABLE signatures (
    chain_id     TEXT    NOT NULL,
    number       INTEGER NOT NULL,
    hash         BLOB    NOT NULL,
    signer       BLOB    NOT NULL,
    domain       TEXT    NOT NULL,
    payload_hash BLOB    NOT NULL,
    signature    BLOB,  -- r, s and recovery id: 65 bytes. NULL: a version upheld the block that did not keep it
    PRIMARY KEY (chain_id, number, hash)
) STRICT, WITHOUT ROWID;

-- The attestations that wrong blocks below them are held against.
CREATE INDEX cases_held_against ON cases (chain_id, ancestor_of)
WHERE ancestor_of IS NOT NULL AND verdict IN ('violated', 'discarded');

CREATE INDEX cases_open_at ON cases (chain_id, number) WHERE verdict IS NULL;
