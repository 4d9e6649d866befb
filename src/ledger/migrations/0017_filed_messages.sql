-- Messages of which something was noted, each as it stood then. Those whose life is over are listed, in the order of their numbers.
CREATE TABLE filed_messages (
    chain_id  TEXT    NOT NULL,  -- the executing block
    hash      BLOB    NOT NULL,
    log_index INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    sequence  INTEGER,           -- its number in the order of changes; NULL: its life goes on
    record    TEXT    NOT NULL,  -- the JSON object that is answered, without its number
    PRIMARY KEY (chain_id, hash, log_index)
) STRICT, WITHOUT ROWID;

CREATE INDEX filed_messages_by_sequence ON filed_messages (sequence) WHERE sequence IS NOT NULL;
CREATE INDEX filed_messages_of_chain ON filed_messages (chain_id, sequence) WHERE sequence IS NOT NULL;
CREATE INDEX filed_messages_by_height ON filed_messages (chain_id, number) WHERE sequence IS NOT NULL;
