-- A wrong block that is known itself by what may be a replay is an ancestor of whatever was attested on top of it all the same.
DROP VIEW unresolved_cases;

CREATE VIEW unresolved_cases AS
SELECT c.id, c.chain_id, c.number, c.hash, c.verdict, c.reason, c.detail, c.decided_at,
       CASE WHEN c.domain <> 'zero' THEN 'attributable'
            WHEN c.ancestor_of IS NOT NULL THEN 'ancestor'
            WHEN c.domain = 'zero' THEN 'replayable'
            ELSE 'unattested' END AS attribution
FROM cases c
WHERE c.verdict IN ('violated', 'discarded') AND NOT EXISTS (
    SELECT 1 FROM resolutions r
    WHERE r.chain_id = c.chain_id AND r.number = c.number AND r.hash = c.hash AND r.verdict = c.verdict);

DROP TRIGGER unresolved_cases_are_counted;

CREATE TRIGGER unresolved_cases_are_counted AFTER UPDATE OF verdict, domain, ancestor_of ON cases
WHEN NEW.verdict IN ('violated', 'discarded') OR OLD.verdict IN ('violated', 'discarded') BEGIN
    UPDATE unresolved_counts SET cases = cases - 1
    WHERE OLD.verdict IN ('violated', 'discarded') AND chain_id = OLD.chain_id AND verdict = OLD.verdict
      AND attribution = CASE WHEN OLD.domain <> 'zero' THEN 'attributable'
                             WHEN OLD.ancestor_of IS NOT NULL THEN 'ancestor'
                             WHEN OLD.domain = 'zero' THEN 'replayable' ELSE 'unattested' END
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
                                           WHEN c.domain = 'zero' THEN 'replayable' ELSE 'unattested' END
        FROM cases c WHERE c.chain_id = NEW.chain_id AND c.number = NEW.number AND c.hash = NEW.hash
                       AND c.verdict = NEW.verdict);
END;

DELETE FROM unresolved_counts;

INSERT INTO unresolved_counts
SELECT chain_id, verdict, attribution, count(*) FROM unresolved_cases GROUP BY 1, 2, 3;
