-- Claims without a signature: who called which block cross-safe. 'derived' is the chain's own rollup node, which called the block
-- local-safe while Crosscheck itself verified every local-safe block. A claim of a block is a claim of its ancestors.
CREATE TABLE claims (
    chain_id   TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    hash       BLOB    NOT NULL,
    claimant   TEXT    NOT NULL,  -- the endpoint's name, as in answers to callers
    claimed_at INTEGER NOT NULL,  -- seconds since the Unix epoch
    PRIMARY KEY (chain_id, number, hash, claimant)
) STRICT, WITHOUT ROWID;

-- The claims that were refuted: a block that was claimed, or one below it, was found invalid. Each is reported once.
CREATE TABLE refuted_claims (
    chain_id TEXT    NOT NULL,
    number   INTEGER NOT NULL,    -- the invalid block
    hash     BLOB    NOT NULL,
    claimant TEXT    NOT NULL,
    event_id INTEGER NOT NULL,
    PRIMARY KEY (chain_id, number, hash, claimant)
) STRICT, WITHOUT ROWID;
