/** The parts of the reference that no table of the program knows. Tests hold every name in them against the code. */

type Row = readonly [key: string, meaning: string]

/** Keys of source configurations. `mapping` is shared by MQTT and NDJSON. */
export const SOURCE_KEYS = {
  mqtt: [
    ['url', '`mqtt://` or `mqtts://`, host and port. No user, no password, no path.'],
    ['topics', 'List of topic filters; `+` stands for a level, `#` for all the last ones.'],
    ['mapping', 'How a message becomes records, see below.'],
    ['protocolVersion', '`auto` (default: 5, then 3.1.1), `5`, or `4` for 3.1.1.'],
    ['qos', '`1` (default) or `0`. At 1 nothing is lost while the broker keeps it.'],
    [
      'clientId',
      'Client id at the broker; made from the identity and the source when absent, and always the same.',
    ],
    ['username', 'User at the broker.'],
    ['password', 'Its password. Stored encrypted, never shown again.'],
    ['ca', 'Absolute path of the PEM file with the certificate authority of the broker.'],
    ['cert', 'Absolute path of the own certificate, PEM; goes with `key`.'],
    ['key', 'Absolute path of the own private key, PEM.'],
  ],
  mapping: [
    [
      'time',
      '`arrival`, or `{path, format, timeZone}`. Formats: `iso`, `iso-local` (needs `timeZone`), `epoch-ms`, `epoch-s`.',
    ],
    [
      'series',
      'A fixed name, `topic:N` for a level of the topic, or `{path}`. Records of one machine or data series share it.',
    ],
    ['signals', 'Object: signal name to its path, such as `machine.temperature` or `/machine/temperature`.'],
    ['each', 'MQTT only: path of a list in the message; each entry is a record.'],
    [
      'topicSignal',
      'MQTT only: `{level, path}`: the topic level that names the signal, and where its value stands.',
    ],
  ],
  files: [
    ['file', 'Absolute path of one file. Either this or `folder`.'],
    ['folder', 'Absolute path of a folder to which files are added.'],
    ['pattern', 'With `folder`: `*` and the end of the names, such as `*.csv`.'],
    ['growing', '`true` while lines are still appended. Default: `true` for a folder, `false` for a file.'],
    ['format', '`csv` or `ndjson`.'],
    ['encoding', '`utf-8`, the only one.'],
    ['mapping', 'NDJSON only: see above. The time must stand in the line.'],
    ['separator', 'CSV only: one character, default `,`.'],
    ['quote', 'CSV only: one character, default `"`; empty when cells are never quoted.'],
    ['decimal', 'CSV only: `.` (default) or `,`.'],
    ['columns', 'CSV only: names of the columns when the first line is not a header.'],
    ['missing', 'CSV only: cells that stand for "no value", besides the empty one.'],
    ['time', 'CSV only: `{column, format, timeZone}`, formats as above.'],
    ['series', 'CSV only: a fixed name, or `{column}`.'],
    ['signals', 'CSV only: object: signal name to its column.'],
  ],
  bytes: [
    [
      'file',
      'Absolute path of the file. It is delivered as it is, so contracts that shape records do not fit.',
    ],
    ['mediaType', 'Media type, when the ending of the name does not tell it.'],
  ],
} as const satisfies Record<string, readonly Row[]>

const rows = (entries: readonly Row[]): string =>
  [
    '| Key | Meaning |',
    '| --- | --- |',
    ...entries.map(([key, meaning]) => `| \`${key}\` | ${meaning} |`),
  ].join('\n')

export const SOURCES = [
  '## Sources',
  'The configuration of a source, as `source add --settings FILE` and the management API take it. Unknown keys are errors; all mistakes are named at once.',
  '`mqtt`: live records from a broker, kept as history for `historyRetention`.',
  rows(SOURCE_KEYS.mqtt),
  '`mapping`, for MQTT messages and for lines of NDJSON:',
  rows(SOURCE_KEYS.mapping),
  '`files`: records from a CSV or NDJSON file, or from a folder that grows.',
  rows(SOURCE_KEYS.files),
  '`bytes`: one file, delivered as it is.',
  rows(SOURCE_KEYS.bytes),
  'Input that does not fit is left out, counted (`handschlag_source_malformed_total`) and logged with its place and the rule it breaks; the rest flows.',
].join('\n\n')

export const PUSH = [
  '## Push',
  'With the format `HttpData-PUSH` the provider delivers the data: the consumer names the address of its receiver in the `dataAddress` of the TransferRequestMessage, and the provider POSTs to it, history first and then what comes. The command `push` and the management API (`sink`) do this for you; a connector of this kind receives below `/data/push` on the public port.',
  'Read from a `dataAddress`: the address from `endpoint`, or from the property `endpoint` or `baseUrl` in the namespace `https://w3id.org/edc/v0.0.1/ns/`; `authorization` with `authType` under short or full names, or `authKey` with `authCode` as EDC has them; `https://w3id.org/machine-data-policy/v1#pushFrom` and `#pushTo`, instants that limit the event time. With an end in time, and for a dataset that is a file, the provider completes the transfer when everything has been acknowledged.',
  'A delivery of records is NDJSON, at most 1000 records or 1 MiB, at most a second after the first of them; a file is one delivery. They come one at a time, in order, each with a number in `Idempotency-Key`, which counts up from 1 within the transfer. A delivery counts when it is answered with 2xx. After 408, 425, 429, any 5xx or no answer the same bytes come again under the same number, half a second later and then ever more slowly up to a minute, or as `Retry-After` says, for three days; any other answer suspends the transfer. After a restart of either side the delivery that was not acknowledged comes once more under its number, and then what follows.',
  'Our own receiver acknowledges when the data is safe in its file, and answers a number that it knows with 200 without writing anything. A file is written below `receiveDir` only, byte for byte; `FILE.state` beside it says how far it is accounted for. A broker gets one message per record at QoS 1; a restart in the middle of a delivery repeats messages of that one. A body larger than `receiveLimit` is answered with 413 and leaves nothing behind.',
].join('\n\n')

export const BATCHES = [
  'Lines of JSON for other programs. Every line has one answer, in order, with the `id` it came with; a line that cannot be judged has an `error` with `code` and `message` and stops nothing. Policies are ODRL 2.2 in JSON-LD of any form: compact or expanded, prefixed or bare, nested or as `@graph`. Contexts are not fetched. A name that is written twice in one object is an error, and so are bytes that are not UTF-8 and a line of more than 32 MiB; without an `id` the answer tells the number of its `line`. Only a line feed ends a line; blank lines and a byte order mark are passed over.',
  '',
  '`policy evaluate --batch` reads `policy`, `request`, `state` and, where it differs from the flag, `duties`:',
  '',
  '- `request`: `{action, target, assignee}` with left operands beside them, an ODRL Request, or an evaluation request of the W3C community group.',
  '- `state`: `{at, agreedAt, timeZone, facts: {leftOperand: value}, memberships: {member: [collection]}, duties: {dutyOrAction: "fulfilled" | "violated" | "open"}, performed: [{duty, action, at}]}`, or a graph with `dct:issued` of the current time, `odrl:partOf` and duty reports. What is not there is not known, and what is not known permits nothing.',
  '- Answer: `decision` (`permit`, `deny`), `why`, `rules` with `active` and `applies` (`true`, `false`, `unknown`), `duties`, `trace` in sentences, and with `--report` the compliance report.',
  '',
  '`policy compare --batch` reads `a` and `b`: policies, single rules, or bare conditions; or `policies`, a list that is meant to hold together:',
  '',
  '- `relation`: `equal`, `stricter`, `looser`, `disjoint`, `conflicting`, `incomparable` or `unknown`; `witness` is a use that shows it.',
  '- `aWithinB`, `bWithinA`, `overlap`, `aSatisfiable`, `bSatisfiable`: `yes`, `no` or `unknown`, about what the policies allow; `onlyA`, `onlyB`, `both` are uses that show them.',
  '- `clashes`: permissions of one that meet prohibitions of the other. `scope`: the same questions about what the rules speak of, whether they permit or prohibit it.',
  '- `clauses`: the relation of each clause, with its places in both policies.',
].join('\n')

export const DATA_ENDPOINT = [
  '## Data endpoint',
  'One address per transfer, below `/data` on the public port. It comes with the TransferStartMessage (format `HttpData-PULL`) together with a token; send it as `Authorization: Bearer`. What you ask for decides what you get. The commands `pull` and `stream`, and the management API at `/api/v1/transfers/{pid}/data` and `/stream`, do this for you.',
  [
    '| Ask with | Get |',
    '| --- | --- |',
    '| `Accept: application/x-ndjson`, or nothing | one JSON object per line |',
    '| `Accept: text/csv` | CSV with a header line (RFC 4180) |',
    '| `Accept: application/json` | one JSON array |',
    '| `Accept: text/event-stream` | live records as Server-Sent Events |',
    '| a WebSocket handshake | live records, one JSON text message each |',
    '| any of the first three, of a dataset that is a file | the file as it is, with `ETag`, `Range`, `If-Range` and `If-None-Match` |',
  ].join('\n'),
  'A record is `{"id", "ts", "series", ...signals}`: `id` is its position at the source, `ts` its time in UTC. `series` is absent when the source has one series. A signal without a value is absent (JSON) or empty (CSV). `Accept-Encoding: gzip` is honoured for pulls.',
  [
    '| Parameter | For | Meaning |',
    '| --- | --- | --- |',
    '| `from` | pull, stream | Earliest time of a record: `2026-12-31T23:59:59Z`, or milliseconds since 1970. A stream begins with the history from there. |',
    '| `to` | pull | End of the time, itself excluded. |',
    '| `limit` | pull | Records in this answer, 1 to 100000. `Link: <...>; rel="next"` leads on while there is more. |',
    '| `after` | pull, stream | Go on behind the record with this `id`. |',
  ].join('\n'),
  'Without `limit` a pull is streamed in one go. When it cannot be completed, the connection breaks: an answer that ends properly is complete. A stream without `from` and `after` begins with what arrives from now on.',
  'Server-Sent Events: each event carries the `id` of its record, so that a client that reconnects with `Last-Event-ID` goes on where it was. A comment line is a sign of life every 15 seconds. The last event is `end`, with `{"code", "reason"}`. WebSocket: the handshake answer names the start position in `Last-Event-ID`; the last message is `{"end": {"code", "reason"}}`, then the connection closes with code 4403 (ended by contract) or 1001 (the connector is going down). When records wait unsent at a revocation, the connection is cut without them, and the next request is told the reason.',
  '`stream --to mqtt://HOST/TOPIC` publishes each record as JSON to `TOPIC/` and its series, or to `TOPIC/record` when it has none, at QoS 1.',
  'At most 8 requests run at the same time under one transfer (`TooManyFlows`). A refusal has the body `{"code", "reason": ["..."]}`.',
].join('\n\n')

/** Names of the checks, in their order. */
export const CHECKS: readonly Row[] = [
  ['config', 'The configuration can be read and used.'],
  ['data-directory', 'The folder exists, belongs to this user alone, and has space.'],
  ['keys', 'The key files are there, sound, and private.'],
  ['tls', 'The certificate fits the public address and its key, and is not about to expire.'],
  ['ports', 'Both ports are free, or in use by this connector.'],
  ['clock', 'The clock agrees with those of partners.'],
  ['public-address', 'The public address leads to this connector: what partners call back.'],
]

export const DOCTOR = [
  '## Checks of doctor',
  '`handschlag doctor` runs these checks in this order; `--json` prints `{"ok", "checks": [...]}` with stable names. While the connector runs, it also checks `owed-messages`, every trusted partner and every source, and `lab-partners`, which fails as long as there is a partner whose identity nobody proves.',
  rows(CHECKS),
].join('\n\n')

export const FILES = [
  '## Data directory',
  'Everything a connector knows is in one folder that only its user can read. For a backup, stop the connector and copy the folder; keep the copy as safe as the original.',
  rows([
    ['handschlag.db', 'Partners, datasets, offers, contracts, running processes, owed messages (SQLite).'],
    ['history.db', 'Live records, for as long as `historyRetention` says (SQLite).'],
    ['keys/', 'Identity and contract keys, and the key that encrypts stored secrets.'],
    ['sources/', 'How far files have been read.'],
    ['streams/', 'How far `stream --to` has come.'],
    ['cli.token', 'Access token of the commands of this user. Delete it and restart for a new one.'],
    ['dev-certs/', 'Development certificates, made by `init --dev`.'],
  ]),
].join('\n\n')
