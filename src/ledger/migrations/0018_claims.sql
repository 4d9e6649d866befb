-- Claims without a signature: who called which block cross-safe. A claim of a block is a claim of its ancestors.
CREATE TABLE claims (
    chain_id   TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    hash       BLOB    NOT NULL,
    claimant   TEXT    NOT NULL,  -- the endpoint's name and a part of its address's hash; or 'derived'
    kind       TEXT    NOT NULL CHECK (kind IN ('derived', 'upstream', 'endpoint')),
    claimed_at INTEGER NOT NULL,  -- seconds since the Unix epoch
    PRIMARY KEY (chain_id, number, hash, claimant)
) STRICT, WITHOUT ROWID;

-- The claims that were refuted: a block that was claimed, or one below it, was found invalid. Each is reported once.
CREATE TABLE refuted_claims (
    chain_id TEXT    NOT NULL,
    number   INTEGER NOT NULL,    -- the invalid block
    hash     BLOB    NOT NULL,
    claimant TEXT    NOT NULL,
    PRIMARY KEY (chain_id, number, hash, claimant)
) STRICT, WITHOUT ROWID;

-- Of an invalid block: who claims it, or one on top of it, without a signature. 'endpoint': an endpoint calls it cross-safe.
-- 'derived': only the rollup node derived it; an operator need not resolve it. NULL: nobody claims it.
ALTER TABLE cases ADD COLUMN claimed TEXT;

DROP VIEW unresolved_cases;

CREATE VIEW unresolved_cases AS
SELECT c.id, c.chain_id, c.number, c.hash, c.verdict, c.reason, c.detail, c.decided_at,
       CASE WHEN c.domain <> 'zero' THEN 'attributable'
            WHEN c.ancestor_of IS NOT NULL THEN 'ancestor'
            WHEN c.claimed = 'endpoint' THEN 'claimed'
            WHEN c.domain = 'zero' THEN 'replayable'
            ELSE 'unattested' END AS attribution
FROM cases c
WHERE c.verdict IN ('violated', 'discarded') AND NOT EXISTS (
    SELECT 1 FROM resolutions r
    WHERE r.chain_id = c.chain_id AND r.number = c.number AND r.hash = c.hash AND r.verdict = c.verdict)
  AND NOT (c.domain IS NULL AND c.ancestor_of IS NULL AND c.claimed IS 'derived');

DROP TRIGGER unresolved_cases_are_counted;

CREATE TRIGGER unresolved_cases_are_counted AFTER UPDATE OF verdict, domain, ancestor_of, claimed ON cases
WHEN NEW.verdict IN ('violated', 'discarded') OR OLD.verdict IN ('violated', 'discarded') BEGIN
    UPDATE unresolved_counts SET cases = cases - 1
    WHERE OLD.verdict IN ('violated', 'discarded') AND chain_id = OLD.chain_id AND verdict = OLD.verdict
      AND attribution = CASE WHEN OLD.domain <> 'zero' THEN 'attributable'
                             WHEN OLD.ancestor_of IS NOT NULL THEN 'ancestor'
                             WHEN OLD.claimed = 'endpoint' THEN 'claimed'
                             WHEN OLD.domain = 'zero' THEN 'replayable'
                             WHEN OLD.claimed = 'derived' THEN 'not counted' ELSE 'unattested' END
      AND NOT EXISTS (SELECT 1 FROM resolutions r WHERE r.chain_id = OLD.chain_id AND r.number = OLD.number
                        AND r.hash = OLD.hash AND r.verdict = OLD.verdict);
    INSERT OR IGNORE INTO unresolved_counts
    SELECT u.chain_id, u.verdict, u.attribution, 0 FROM unresolved_cases u WHERE u.id = NEW.id;
    UPDATE unresolved_counts SET cases = cases + 1
    WHERE (chain_id, verdict, attribution) = (SELECT u.chain_id, u.verdict, u.attribution FROM unresolved_cases u
                                              WHERE u.id = NEW.id);
END;

DROP TRIGGER unresolved_cases_are_resolved;

CREATE TRIGGER unresolved_cases_are_resolved AFTER INSERT ON resolutions
WHEN NEW.verdict IN ('violated', 'discarded') BEGIN
    UPDATE unresolved_counts SET cases = cases - 1
    WHERE (chain_id, verdict, attribution) = (
        SELECT c.chain_id, c.verdict, CASE WHEN c.domain <> 'zero' THEN 'attributable'
                                           WHEN c.ancestor_of IS NOT NULL THEN 'ancestor'
                                           WHEN c.claimed = 'endpoint' THEN 'claimed'
                                           WHEN c.domain = 'zero' THEN 'replayable'
                                           WHEN c.claimed = 'derived' THEN 'not counted' ELSE 'unattested' END
        FROM cases c WHERE c.chain_id = NEW.chain_id AND c.number = NEW.number AND c.hash = NEW.hash
                       AND c.verdict = NEW.verdict);
END;
