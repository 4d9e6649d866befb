-- Blocks with user transactions seen lately: those that an attested deposits-only block may replace. Kept so that
-- a replacement is recognised as one after a restart too; old heights are forgotten.
CREATE TABLE candidates (
    chain_id      TEXT    NOT NULL,
    number        INTEGER NOT NULL,
    hash          BLOB    NOT NULL,
    deposits_only BLOB    NOT NULL,  -- fingerprint of the block's attributes, reduced to deposits
    PRIMARY KEY (chain_id, number, hash)
) STRICT, WITHOUT ROWID;
