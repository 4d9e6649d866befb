-- How many cases stand how, kept by triggers: nobody counts the cases themselves. 'removed' are those that were kept no longer.
CREATE TABLE case_counts (
    chain_id TEXT    NOT NULL,
    origin   TEXT    NOT NULL,
    verdict  TEXT    NOT NULL,  -- 'open': without a verdict
    cases    INTEGER NOT NULL,
    PRIMARY KEY (chain_id, origin, verdict)
) STRICT, WITHOUT ROWID;

INSERT INTO case_counts
SELECT chain_id, origin, coalesce(verdict, 'open'), count(*) FROM cases GROUP BY 1, 2, 3;

-- How many of the wrong ones no operator has resolved, by whom they can be held against: the view `unresolved_cases`, counted.
CREATE TABLE unresolved_counts (
    chain_id    TEXT    NOT NULL,
    verdict     TEXT    NOT NULL,
    attribution TEXT    NOT NULL,
    cases       INTEGER NOT NULL,
    PRIMARY KEY (chain_id, verdict, attribution)
) STRICT, WITHOUT ROWID;

INSERT INTO unresolved_counts
SELECT chain_id, verdict, attribution, count(*) FROM unresolved_cases GROUP BY 1, 2, 3;

CREATE TRIGGER cases_are_counted AFTER INSERT ON cases BEGIN
    INSERT OR IGNORE INTO case_counts VALUES (NEW.chain_id, NEW.origin, coalesce(NEW.verdict, 'open'), 0);
    UPDATE case_counts SET cases = cases + 1
    WHERE chain_id = NEW.chain_id AND origin = NEW.origin AND verdict = coalesce(NEW.verdict, 'open');
    INSERT OR IGNORE INTO unresolved_counts
    SELECT u.chain_id, u.verdict, u.attribution, 0 FROM unresolved_cases u WHERE u.id = NEW.id;
    UPDATE unresolved_counts SET cases = cases + 1
    WHERE (chain_id, verdict, attribution) = (SELECT u.chain_id, u.verdict, u.attribution FROM unresolved_cases u
                                              WHERE u.id = NEW.id);
END;

CREATE TRIGGER cases_are_counted_anew AFTER UPDATE OF origin, verdict ON cases
WHEN OLD.origin <> NEW.origin OR OLD.verdict IS NOT NEW.verdict BEGIN
    UPDATE case_counts SET cases = cases - 1
    WHERE chain_id = OLD.chain_id AND origin = OLD.origin AND verdict = coalesce(OLD.verdict, 'open');
    INSERT OR IGNORE INTO case_counts VALUES (NEW.chain_id, NEW.origin, coalesce(NEW.verdict, 'open'), 0);
    UPDATE case_counts SET cases = cases + 1
    WHERE chain_id = NEW.chain_id AND origin = NEW.origin AND verdict = coalesce(NEW.verdict, 'open');
END;

CREATE TRIGGER cases_are_counted_as_removed AFTER DELETE ON cases BEGIN
    UPDATE case_counts SET cases = cases - 1
    WHERE chain_id = OLD.chain_id AND origin = OLD.origin AND verdict = coalesce(OLD.verdict, 'open');
    INSERT OR IGNORE INTO case_counts VALUES (OLD.chain_id, OLD.origin, 'removed', 0);
    UPDATE case_counts SET cases = cases + 1
    WHERE chain_id = OLD.chain_id AND origin = OLD.origin AND verdict = 'removed';
END;

CREATE TRIGGER wrong_cases_are_not_deleted BEFORE DELETE ON cases WHEN OLD.verdict IN ('violated', 'discarded')
BEGIN SELECT RAISE(ABORT, 'blocks that were found wrong are kept'); END;

CREATE TRIGGER unresolved_cases_are_counted AFTER UPDATE OF verdict, domain, ancestor_of ON cases
WHEN NEW.verdict IN ('violated', 'discarded') OR OLD.verdict IN ('violated', 'discarded') BEGIN
    UPDATE unresolved_counts SET cases = cases - 1
    WHERE OLD.verdict IN ('violated', 'discarded') AND chain_id = OLD.chain_id AND verdict = OLD.verdict
      AND attribution = CASE WHEN OLD.domain = 'zero' THEN 'replayable'
                             WHEN OLD.domain IS NOT NULL THEN 'attributable'
                             WHEN OLD.ancestor_of IS NOT NULL THEN 'ancestor' ELSE 'unattested' END
      AND NOT EXISTS (SELECT 1 FROM resolutions r WHERE r.chain_id = OLD.chain_id AND r.number = OLD.number
                        AND r.hash = OLD.hash AND r.verdict = OLD.verdict);
    INSERT OR IGNORE INTO unresolved_counts
    SELECT u.chain_id, u.verdict, u.attribution, 0 FROM unresolved_cases u WHERE u.id = NEW.id;
    UPDATE unresolved_counts SET cases = cases + 1
    WHERE (chain_id, verdict, attribution) = (SELECT u.chain_id, u.verdict, u.attribution FROM unresolved_cases u
                                              WHERE u.id = NEW.id);
END;

CREATE TRIGGER unresolved_cases_are_resolved AFTER INSERT ON resolutions
WHEN NEW.verdict IN ('violated', 'discarded') BEGIN
    UPDATE unresolved_counts SET cases = cases - 1
    WHERE (chain_id, verdict, attribution) = (
        SELECT c.chain_id, c.verdict, CASE WHEN c.domain = 'zero' THEN 'replayable'
                                           WHEN c.domain IS NOT NULL THEN 'attributable'
                                           WHEN c.ancestor_of IS NOT NULL THEN 'ancestor' ELSE 'unattested' END
        FROM cases c WHERE c.chain_id = NEW.chain_id AND c.number = NEW.number AND c.hash = NEW.hash
                       AND c.verdict = NEW.verdict);
END;
