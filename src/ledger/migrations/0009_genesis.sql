-- The genesis of each chain that this ledger is about, as it was told first: a chain of another genesis is another chain.
CREATE TABLE chain_genesis (
    chain_id TEXT NOT NULL,
    told_by  TEXT NOT NULL CHECK (told_by IN ('rollup-node', 'execution')),
    hash     BLOB NOT NULL,
    PRIMARY KEY (chain_id, told_by)
) STRICT, WITHOUT ROWID;
