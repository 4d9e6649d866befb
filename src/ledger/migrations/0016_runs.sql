-- The runs of the program on this ledger: what a run numbers in memory alone begins after all that former runs gave. The last one is kept.
CREATE TABLE runs (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    begun_at INTEGER NOT NULL  -- seconds since the Unix epoch
) STRICT;
