-- What L1's node has told of the forks of L1 that change blob base fees, beyond what is compiled in.
CREATE TABLE blob_forks (
    l1_chain_id     TEXT    NOT NULL,  -- decimal
    since           INTEGER NOT NULL,  -- seconds since the Unix epoch: from then on the fraction holds
    update_fraction INTEGER NOT NULL,
    PRIMARY KEY (l1_chain_id, since)
) STRICT, WITHOUT ROWID;
