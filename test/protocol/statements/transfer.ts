/** Statements 54 to 66: the transfer process protocol and its HTTPS binding. */
import type { Chapter } from './table.js'

const TERMINAL = [
  'a transfer as %s takes no message any more > when the partner has made it %s',
  'a transfer as %s takes no message any more > when we have made it %s',
] as const

export const TRANSFER: Chapter = {
  title: 'Transfer process',
  statements: [
    {
      number: 54,
      level: 'must',
      says: 'A transfer request names the process of the consumer and an agreement between exactly these two.',
      tests: {
        'protocol/transfer.test.ts': [
          'refuses an agreement that does not exist, is of another partner, not final or revoked, alike',
        ],
        'services/transfer.test.ts': ['under the contract of somebody else finds no contract'],
      },
    },
    {
      number: 55,
      level: 'must',
      says: 'Its format is one in which the dataset of the agreement is distributed.',
      tests: {
        'protocol/transfer.test.ts': [
          'refuses a format that is not offered and a callbackAddress that cannot be called',
        ],
      },
    },
    {
      number: 56,
      level: 'must',
      says: 'It has a data address if the data is pushed, and only then, with all that is needed to deliver there.',
      here: 'A request for the one kind in the shape of the other is refused.',
      tests: {
        'protocol/push.test.ts': [
          'takes a data address for a push, delivers there, and starts without one of its own',
          'refuses a push without a data address, a pull with one, and begins nothing',
          'says in a request for a push where the data is to go and with which token, and in one for a pull nothing',
        ],
        'dsp/messages-recorded.test.ts': ['the data address of a push leads to the sink of the consumer'],
      },
    },
    {
      number: 57,
      level: 'should',
      says: 'A request that comes again for the same process of the consumer is answered with the transfer that is there.',
      tests: {
        'protocol/transfer.test.ts': [
          'answers a request that comes again with the process that is there, and starts it once',
        ],
        'protocol/terminal-states.test.ts': [
          'of a consumer names the same transfer for ever, also after its end',
        ],
      },
    },
    {
      number: 58,
      level: 'must',
      says: 'Callbacks and acknowledgements have both pids.',
      tests: {
        'protocol/transfer.test.ts': [
          'TP:01-02 request, start with a data address, data, completion by the operator',
          'answers 404 for what does not exist and 400 for pids that do not belong together',
        ],
        'protocol/terminal-states.test.ts': TERMINAL,
      },
    },
    {
      number: 59,
      level: 'must',
      says: 'The start of a pull has the data address.',
      here: 'After every suspension the data address has a new token, and the old one opens nothing.',
      tests: {
        'protocol/transfer.test.ts': [
          'TP:01-02 request, start with a data address, data, completion by the operator',
          'TP:01-04 start, suspension, start again with another token, completion',
          'refuses a start whose data address has no endpoint or one that cannot be called',
          'says that there is no data address before a start, after one without it, and after the end',
        ],
      },
    },
    {
      number: 60,
      level: 'may',
      says: 'The properties of a data address can hold authorization and authType.',
      here: 'Ours are written by these names and by those of EDC; both are read.',
      tests: {
        'dsp/messages.test.ts': [
          'are written for the specification and for EDC',
          'are read from the short names and from the names of EDC',
          'may come without a token',
        ],
        'protocol/transfer.test.ts': [
          'TP_C:01-02 request, start, data through the operator, completion by the provider',
        ],
      },
    },
    {
      number: 61,
      level: 'must',
      says: 'Either side may suspend, complete and terminate. A consumer starts only what was suspended.',
      here: 'Whoever suspended decides when it goes on.',
      tests: {
        'protocol/transfer.test.ts': [
          'TP:02-01 start, termination by the consumer',
          'TP:02-02 start, completion by the consumer',
          'TP:02-04 start, suspension and start again by the consumer, and its token still opens the data',
          'lets only the operator end a suspension of its own',
          'TP_C:02-04 start, suspension and start again by the operator, without a data address, completion',
          'as provider > answers 400 and changes nothing: …',
        ],
      },
    },
    {
      number: 62,
      level: 'must',
      says: 'States and messages follow the state machine; COMPLETED and TERMINATED are final.',
      tests: {
        'domain/state-tables.test.ts': [
          'transfer process > has every state and every message in the matrix',
          'transfer process > received …',
          'transfer process > sent …',
        ],
        'protocol/terminal-states.test.ts': TERMINAL,
        'protocol/transfer.test.ts': [
          'as provider > answers 400 and changes nothing: …',
          'as consumer > answers 400 and changes nothing: …',
        ],
      },
    },
    {
      number: 63,
      level: 'must',
      says: 'A mistake of the client is answered 4xx with a TransferError: 400 for what the state does not allow, 404 for what does not exist or is not theirs.',
      tests: {
        'protocol/endpoints.test.ts': [
          'is not found there: the paths of the other role, and those of the other protocol',
          'is answered 400 with an error body: …',
          'is answered 404 with an error body on every path that names a process or a dataset',
          'looks to a partner exactly like what belongs to another one, in both roles and on every path',
        ],
        'protocol/transfer.test.ts': [
          'answers 404 for what does not exist and 400 for pids that do not belong together',
          'as provider > answers 400 and changes nothing: …',
          'as consumer > answers 400 and changes nothing: …',
        ],
      },
    },
    {
      number: 64,
      level: 'must',
      says: 'A transfer can be read by its pid: 200 and a TransferProcess.',
      here: 'On both sides, although the specification lists it for the provider only.',
      tests: {
        'protocol/endpoints.test.ts': [
          'is answered 200, or 201 where a process begins, to a consumer',
          'is answered 200, or 201 where a process begins, to a provider',
        ],
      },
    },
    {
      number: 65,
      level: 'must',
      says: 'A transfer request is answered 201 with the TransferProcess, every other message 200.',
      tests: {
        'protocol/endpoints.test.ts': [
          'is answered 200, or 201 where a process begins, to a consumer',
          'is answered 200, or 201 where a process begins, to a provider',
        ],
      },
    },
    {
      number: 66,
      level: 'must',
      says: 'Callbacks of transfers over https are supported.',
      tests: {
        'protocol/callbacks.test.ts': [
          'is where a consumer gets everything about its transfer',
          'gives an https address below which its own callbacks are found, for each message that brings one',
          'refuses a callbackAddress that it does not understand, for each message that brings one, and begins nothing',
        ],
      },
    },
  ],
}
