-- Of every new case it is asked whether a block below it was found wrong.
DROP INDEX cases_wrong;
CREATE INDEX cases_wrong ON cases (chain_id, number) WHERE verdict IN ('violated', 'discarded');
