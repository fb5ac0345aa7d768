/** The schema, as append-only migrations: entry n leads from version n to n + 1. Never change an entry that shipped. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE process (
    pid TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('negotiation', 'transfer')),
    role TEXT NOT NULL CHECK (role IN ('consumer', 'provider')),
    partner TEXT NOT NULL,
    partner_pid TEXT,
    state TEXT NOT NULL,
    agreement_id TEXT,
    data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX process_partner_pid ON process (kind, role, partner, partner_pid) WHERE partner_pid IS NOT NULL;
  CREATE INDEX process_agreement ON process (agreement_id) WHERE agreement_id IS NOT NULL;
  CREATE INDEX process_recent ON process (kind, created_at);

  CREATE TABLE owed (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pid TEXT NOT NULL REFERENCES process (pid),
    kind TEXT NOT NULL,
    partner TEXT NOT NULL,
    event TEXT NOT NULL,
    url TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL,
    last_error TEXT
  ) STRICT;
  CREATE INDEX owed_due ON owed (next_attempt_at);
  CREATE INDEX owed_pid ON owed (pid);

  CREATE TABLE agreement (
    id TEXT NOT NULL,
    partner TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('consumer', 'provider')),
    status TEXT NOT NULL,
    data TEXT NOT NULL,
    agreed_at INTEGER NOT NULL,
    PRIMARY KEY (id, partner, role)
  ) STRICT;

  CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    subject TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('in', 'out', 'own')),
    event TEXT NOT NULL,
    detail TEXT
  ) STRICT;
  CREATE INDEX audit_subject ON audit (subject, seq);

  CREATE TABLE partner (did TEXT PRIMARY KEY, data TEXT NOT NULL) STRICT;
  CREATE TABLE source (id TEXT PRIMARY KEY, data TEXT NOT NULL) STRICT;
  CREATE TABLE dataset (
    id TEXT PRIMARY KEY,
    source_id TEXT REFERENCES source (id),
    published INTEGER NOT NULL,
    data TEXT NOT NULL
  ) STRICT;
  CREATE INDEX dataset_published ON dataset (id) WHERE published = 1;
  CREATE TABLE offer (
    id TEXT PRIMARY KEY,
    dataset_id TEXT NOT NULL REFERENCES dataset (id),
    data TEXT NOT NULL
  ) STRICT;
  CREATE INDEX offer_dataset ON offer (dataset_id);

  CREATE TABLE usage (agreement_id TEXT PRIMARY KEY, booked INTEGER NOT NULL) STRICT;
  CREATE TABLE token_seen (jti TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE api_token (name TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL) STRICT;
  `,
  `
  -- A list of participants; NULL: anybody.
  ALTER TABLE offer ADD COLUMN audience TEXT;
  -- Who can possibly see the offers of published datasets; '*': anybody.
  CREATE TABLE offer_audience (
    recipient TEXT NOT NULL,
    dataset_id TEXT NOT NULL,
    offer_id TEXT NOT NULL REFERENCES offer (id) ON DELETE CASCADE,
    PRIMARY KEY (recipient, dataset_id, offer_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX offer_audience_offer ON offer_audience (offer_id);
  CREATE INDEX offer_audience_dataset ON offer_audience (dataset_id);
  INSERT INTO offer_audience (recipient, dataset_id, offer_id)
  SELECT '*', dataset_id, offer.id FROM offer JOIN dataset ON dataset.id = dataset_id WHERE published = 1;
  -- The version of the rule by which the audiences were found; no row: none was.
  CREATE TABLE audience_rule (version TEXT NOT NULL) STRICT;
  DROP INDEX dataset_published;
  `,
  // Two partners with the same token could not be told apart.
  `
  CREATE UNIQUE INDEX partner_token ON partner (json_extract(data, '$.access.tokenHash'))
    WHERE json_extract(data, '$.access.tokenHash') IS NOT NULL;
  `,
  `
  CREATE TABLE push (
    pid TEXT PRIMARY KEY REFERENCES process (pid),
    state TEXT NOT NULL,
    body BLOB
  ) STRICT;
  `,
  `
  CREATE INDEX process_open ON process (partner, kind)
    WHERE state NOT IN ('FINALIZED', 'COMPLETED', 'TERMINATED');
  `,
  `
  -- The calendar day that was counted last, in days since 1970 by the zone of the contract.
  CREATE TABLE usage_day (
    agreement_id TEXT PRIMARY KEY,
    day INTEGER NOT NULL,
    records INTEGER NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT;
  `,
  `
  -- In days since 1970 by the zone of the contract. A day that was counted stays counted when the clock is set back.
  CREATE TABLE day_usage (
    agreement_id TEXT NOT NULL,
    day INTEGER NOT NULL,
    records INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (agreement_id, day)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO day_usage SELECT agreement_id, day, records, bytes FROM usage_day;
  DROP TABLE usage_day;
  `,
  `
  ALTER TABLE owed ADD COLUMN last_error_de TEXT;
  `,
  `
  -- What came under a contract with duties, or was handed over; counted over everything of its place.
  CREATE TABLE arrival (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    agreement_id TEXT NOT NULL,
    role TEXT NOT NULL,
    place TEXT NOT NULL,
    from_at INTEGER NOT NULL,
    to_at INTEGER NOT NULL,
    start_bytes INTEGER NOT NULL,
    start_records INTEGER NOT NULL,
    end_bytes INTEGER NOT NULL,
    end_records INTEGER NOT NULL,
    own INTEGER NOT NULL,
    gone INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX arrival_place ON arrival (role, place, seq);
  CREATE INDEX arrival_agreement ON arrival (agreement_id, role, seq);
  -- In days since 1970, UTC.
  CREATE TABLE usage_log (
    agreement_id TEXT NOT NULL,
    role TEXT NOT NULL,
    day INTEGER NOT NULL,
    batches INTEGER NOT NULL,
    records INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (agreement_id, role, day)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE duty_statement (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('in', 'out', 'own')),
    partner TEXT NOT NULL,
    agreement_id TEXT NOT NULL,
    role TEXT NOT NULL,
    path TEXT NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    data TEXT NOT NULL,
    UNIQUE (partner, direction, id)
  ) STRICT;
  CREATE INDEX duty_statement_agreement ON duty_statement (agreement_id, role);
  `,
  `
  -- Shape documents by the SHA-256 of their canonical JSON.
  CREATE TABLE shape (hash TEXT PRIMARY KEY, data TEXT NOT NULL) STRICT;
  `,
  `
  -- What the operator confirms. Never changed and never removed: a fact can only be ended, once.
  CREATE TABLE fact (
    id TEXT PRIMARY KEY,
    data TEXT NOT NULL,
    -- When, by whom and why; NULL while it stands.
    ended TEXT
  ) STRICT;
  CREATE INDEX fact_standing ON fact (id) WHERE ended IS NULL;
  CREATE INDEX fact_value ON fact (json_extract(data, '$.operand'), json_extract(data, '$.value'));
  CREATE TRIGGER fact_unchanged BEFORE UPDATE ON fact
    WHEN OLD.ended IS NOT NULL OR NEW.id <> OLD.id OR NEW.data <> OLD.data
    BEGIN SELECT RAISE(ABORT, 'a fact is never changed'); END;
  CREATE TRIGGER fact_kept BEFORE DELETE ON fact BEGIN SELECT RAISE(ABORT, 'a fact is never removed'); END;
  `,
  `
  CREATE INDEX agreement_on ON agreement (partner, json_extract(data, '$.datasetId')) WHERE role = 'provider';
  `,
  `
  -- The log of use, each delivery by itself: what is received again after a crash is the same delivery.
  CREATE TABLE usage_entry (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    agreement_id TEXT NOT NULL,
    role TEXT NOT NULL,
    place TEXT NOT NULL,
    at INTEGER NOT NULL,
    start_bytes INTEGER NOT NULL,
    records INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    UNIQUE (role, place, start_bytes)
  ) STRICT;
  CREATE INDEX usage_entry_agreement ON usage_entry (agreement_id, role, seq);
  `,
]
