-- Of a block that nobody attested itself, when it got its verdict: the nearest block on top of it whose attestation bound its
-- signer. NULL also where a version that did not keep it decided.
ALTER TABLE cases ADD COLUMN ancestor_of BLOB;

-- The few blocks that were found wrong.
CREATE INDEX cases_wrong ON cases (chain_id) WHERE verdict IN ('violated', 'discarded');

-- Those of them that no operator has resolved, and whom they can be held against.
CREATE VIEW unresolved_cases AS
SELECT c.id, c.chain_id, c.number, c.hash, c.verdict, c.reason, c.detail, c.decided_at,
       CASE WHEN c.domain = 'zero' THEN 'replayable'
            WHEN c.domain IS NOT NULL THEN 'attributable'
            WHEN c.ancestor_of IS NOT NULL THEN 'ancestor'
            ELSE 'unattested' END AS attribution
FROM cases c
WHERE c.verdict IN ('violated', 'discarded') AND NOT EXISTS (
    SELECT 1 FROM resolutions r
    WHERE r.chain_id = c.chain_id AND r.number = c.number AND r.hash = c.hash AND r.verdict = c.verdict);
