-- Up to which block L1 had been read when a verdict fell against a block: what was found rests on that branch of L1. NULL: L1 was not
-- asked, or a version that did not keep it decided.
ALTER TABLE cases ADD COLUMN judged_l1_number INTEGER;
ALTER TABLE cases ADD COLUMN judged_l1_hash BLOB;

CREATE INDEX cases_tied ON cases (chain_id, number)
WHERE judged_l1_number IS NOT NULL AND verdict IN ('violated', 'discarded');

-- Verdicts that were taken back: L1 dropped what they rest on, and what it has now says otherwise. Append-only.
CREATE TABLE retracted_verdicts (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    chain_id         TEXT    NOT NULL,
    number           INTEGER NOT NULL,
    hash             BLOB    NOT NULL,
    verdict_id       INTEGER,
    verdict          TEXT    NOT NULL,
    reason           TEXT,
    detail           TEXT,
    messages         TEXT    NOT NULL,
    replaces         BLOB,
    ancestor_of      BLOB,
    frame            BLOB,
    decided_at       INTEGER,
    judged_l1_number INTEGER,
    judged_l1_hash   BLOB,
    retracted_at     INTEGER NOT NULL  -- seconds since the Unix epoch
) STRICT;

CREATE INDEX retracted_verdicts_by_block ON retracted_verdicts (chain_id, number);

CREATE TRIGGER retracted_verdicts_are_not_changed BEFORE UPDATE ON retracted_verdicts
BEGIN SELECT RAISE(ABORT, 'retracted verdicts are append-only'); END;

CREATE TRIGGER retracted_verdicts_are_not_deleted BEFORE DELETE ON retracted_verdicts
BEGIN SELECT RAISE(ABORT, 'retracted verdicts are append-only'); END;
