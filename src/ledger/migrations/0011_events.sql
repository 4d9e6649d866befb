-- What was told, in the order in which it was written. Each is written with what it tells of, in one transaction.
CREATE TABLE events (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,  -- seconds since the Unix epoch
    kind     TEXT    NOT NULL,
    chain_id TEXT    NOT NULL,  -- the block that it is about
    number   INTEGER NOT NULL,
    hash     BLOB    NOT NULL,
    told     TEXT    NOT NULL   -- the JSON object that is told, without id and time
) STRICT;

-- The event that told of a case's verdict. Verdicts from before there were events have the numbers before the first event's, in
-- the order in which they fell.
ALTER TABLE cases ADD COLUMN verdict_id INTEGER;

UPDATE cases SET verdict_id = fallen.place
FROM (SELECT id, row_number() OVER (ORDER BY decided_at, id) AS place FROM cases WHERE verdict IS NOT NULL) AS fallen
WHERE cases.id = fallen.id;

INSERT INTO sqlite_sequence (name, seq) SELECT 'events', count(*) FROM cases WHERE verdict IS NOT NULL;

CREATE UNIQUE INDEX cases_by_verdict ON cases (verdict_id) WHERE verdict_id IS NOT NULL;
