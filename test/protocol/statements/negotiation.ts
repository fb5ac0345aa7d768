/** Statements 25 to 53: the contract negotiation protocol and its HTTPS binding. */
import type { Chapter } from './table.js'

export const NEGOTIATION: Chapter = {
  title: 'Contract negotiation',
  statements: [
    {
      number: 25,
      level: 'must',
      says: 'Each negotiation has an IRI of its own, which is not used again after its end.',
      tests: {
        'protocol/terminal-states.test.ts': [
          'of ours is an IRI that was never used before, for negotiations, agreements, transfers and offers alike',
          'of a consumer names the same negotiation for ever, also after its end: nothing begins anew',
          'of a provider names the same negotiation for ever, also after its end',
        ],
      },
    },
    {
      number: 26,
      level: 'must',
      says: 'When the two sides are not in the same state, the negotiation is terminated.',
      here: 'A message that the partner refuses, and an answer in a state that cannot be, end the negotiation with a reason; the partner is told.',
      tests: {
        'protocol/answers.test.ts': [
          'ends a negotiation that stands somewhere else at the partner than it can, and tells the partner',
          'is at the end with a partner that has ended the negotiation before it answers',
          'tells a partner that refuses a message in the middle that the process is over',
          'gives up on a partner that does not know the process, after a few attempts',
        ],
        'domain/convergence.test.ts': ['both sides of a negotiation end in the same state'],
      },
    },
    {
      number: 27,
      level: 'must',
      says: 'FINALIZED and TERMINATED are final.',
      tests: {
        'protocol/terminal-states.test.ts': [
          'a negotiation as provider takes no message any more > when it is FINALIZED',
          'a negotiation as provider takes no message any more > when the consumer has terminated it',
          'a negotiation as provider takes no message any more > when we have terminated it',
          'a negotiation as consumer takes no message any more > when it is FINALIZED',
          'a negotiation as consumer takes no message any more > when the provider has terminated it',
          'a negotiation as consumer takes no message any more > when we have terminated it',
        ],
        'protocol/negotiation-provider.test.ts': ['CN:03-01 refuses to terminate what is finalized'],
      },
    },
    {
      number: 28,
      level: 'must',
      says: 'States and messages follow the state machine: which message, from whom, leads from where to where.',
      here: 'Either side may terminate in every state that is not final, as the text about terminations says.',
      tests: {
        'domain/state-tables.test.ts': [
          'contract negotiation > has every state and every message in the matrix',
          'contract negotiation > received …',
          'contract negotiation > sent …',
        ],
        'protocol/negotiation-provider.test.ts': [
          'CN:01-04 request, agreement, verification, finalization',
          'CN:02-02 request, termination',
          'CN:02-03 request, agreement, termination',
          'answers 400 with an error in … and changes nothing: …',
        ],
        'protocol/negotiation-consumer.test.ts': [
          'CN_C:01-04 request, agreement, verification, finalization',
          'CN_C:01-01 request, offer, acceptance by the operator, agreement on the new offer, finalization',
          'answers 400 with an error in … and changes nothing: …',
        ],
      },
    },
    {
      number: 29,
      level: 'must',
      says: 'Offers and agreements have an @id, unique and a URI.',
      here: 'Ids that Handschlag makes are UUIDs as URNs. An id that an operator gives to an offer by hand is served as it was given, so it should be a URI.',
      tests: {
        'protocol/policies-in-messages.test.ts': [
          'gets an id that is an IRI of its own unless the operator gives it one',
          'of ours names both processes, itself, one dataset, both parties and the time of its conclusion',
          'without %s is refused as no valid message, and nothing has changed',
        ],
        'protocol/terminal-states.test.ts': [
          'of ours is an IRI that was never used before, for negotiations, agreements, transfers and offers alike',
        ],
        'dataspace/bad-input-agreement.test.ts': ['the @id of another contract'],
      },
    },
    {
      number: 30,
      level: 'must',
      says: 'A request names its offer by @id. With a providerPid it belongs to a negotiation, without one it opens one.',
      tests: {
        'protocol/counter-offers.test.ts': [
          'agrees when the consumer answers the offer with a request for what is published',
          'counters with a request in the same negotiation, and is bound to it alone',
        ],
        'protocol/negotiation-provider.test.ts': [
          'CN:01-04 request, agreement, verification, finalization',
          'makes one negotiation of requests that arrive at the same time',
        ],
        'protocol/policies-in-messages.test.ts': [
          'without a target is refused, in a request and in an offer message',
        ],
        'dsp/messages.test.ts': [
          'a first request carries the callbackAddress',
          'a counter-request carries the providerPid instead',
        ],
      },
    },
    {
      number: 31,
      level: 'must',
      says: 'An offer that the provider does not know is an error.',
      tests: {
        'protocol/negotiation-provider.test.ts': [
          'refuses an offer that does not exist, that is for others, or that was changed',
        ],
        'services/negotiation.test.ts': [
          'for an offer of a dataset that is not published is refused in the same words',
          'for an offer that has expired is refused',
        ],
      },
    },
    {
      number: 32,
      level: 'must',
      says: 'A callbackAddress that is not understood is an error, and nothing begins.',
      tests: {
        'protocol/callbacks.test.ts': [
          'refuses a callbackAddress that it does not understand, for each message that brings one, and begins nothing',
        ],
        'protocol/negotiation-provider.test.ts': [
          'refuses a callbackAddress that it could not or must not call, and says why',
        ],
      },
    },
    {
      number: 33,
      level: 'must',
      says: 'An offer or agreement in a message names its target; the rules in it do not.',
      tests: {
        'protocol/policies-in-messages.test.ts': [
          'of ours names the dataset as its target, and no rule in it names one',
          'without a target is refused, in a request and in an offer message',
          'an offer > with a target in a rule is refused',
          'an agreement > with a target in a rule is refused',
        ],
      },
    },
    {
      number: 34,
      level: 'must',
      says: 'A provider may begin: an offer without consumerPid opens a negotiation and brings a callbackAddress; with one it belongs to a negotiation.',
      here: 'Both ways: a partner may begin, and so may the operator; offers are countered to and fro in the same negotiation.',
      tests: {
        'protocol/negotiation-offers.test.ts': [
          'goes to /negotiations/offers with a callbackAddress, and becomes a contract when it is accepted',
          'is accepted before its answer has come',
          'ends with the words of a partner that wants no offers',
          'that come twice are acknowledged twice and asked about once, also after a restart',
        ],
        'protocol/counter-offers.test.ts': [
          'opens a negotiation with an offer that brings its pid and its callbackAddress, and is accepted',
          'counters with an offer in the same negotiation, which is accepted or asked about again',
          'counters with a request in the same negotiation, and is bound to it alone',
          'takes an agreement on the terms that it has countered with',
        ],
        'protocol/negotiation-consumer.test.ts': [
          'waits for the operator, and leads to a contract when it is accepted',
          'binds the provider: an agreement on other terms than the accepted ones is refused',
          'cannot be accepted when it has a term that is not understood',
          'needs a callbackAddress that can be called, and a providerPid that is not in use',
        ],
        'protocol/callbacks.test.ts': [
          'is where a provider gets everything about the negotiation that it began',
        ],
      },
    },
    {
      number: 35,
      level: 'must',
      says: 'An agreement message has both pids; its agreement an @id, exactly one dataset as target, a timestamp, an assigner and an assignee.',
      tests: {
        'protocol/policies-in-messages.test.ts': [
          'of ours names both processes, itself, one dataset, both parties and the time of its conclusion',
          'without %s is refused as no valid message, and nothing has changed',
          'about two datasets, or with a time that is none, is refused as no valid message',
        ],
        'dataspace/bad-input-agreement.test.ts': [
          'no time of its conclusion: nothing in it is left to be guessed',
        ],
      },
    },
    {
      number: 36,
      level: 'must',
      says: 'A provider answers a verification that does not fit the agreement with an error.',
      tests: {
        'protocol/negotiation-provider.test.ts': [
          'answers 400 when the pid in the body is not the one in the path, or the other pid is another one',
          'answers 400 with an error in … and changes nothing: …',
        ],
        'dataspace/bad-input-agreement.test.ts': [
          'require: a countersignature is confirmed with a receipt; without one, or with a wrong one, it ends',
        ],
      },
    },
    {
      number: 37,
      level: 'must',
      says: 'A consumer answers a finalization that does not fit the agreement with an error.',
      tests: {
        'protocol/negotiation-consumer.test.ts': ['answers 400 with an error in … and changes nothing: …'],
        'dataspace/bad-input-agreement.test.ts': [
          'require: no finalization without a receipt, or with one that does not cover both signatures',
        ],
        'services/negotiation.test.ts': ['FINALIZED before the agreement is refused'],
      },
    },
    {
      number: 38,
      level: 'must',
      says: 'Only a consumer sends ACCEPTED and only a provider FINALIZED; the other way round is an error.',
      tests: {
        'protocol/endpoints.test.ts': [
          'is not found there: the paths of the other role, and those of the other protocol',
        ],
        'protocol/negotiation-provider.test.ts': [
          'says which role may not send an event, and which state forbids a message',
        ],
        'protocol/negotiation-consumer.test.ts': [
          'keeps its own side out of reach: what only a consumer receives or sends is not found or refused',
        ],
      },
    },
    {
      number: 39,
      level: 'must',
      says: 'An event after the end is an error.',
      tests: {
        'protocol/terminal-states.test.ts': [
          'a negotiation as provider takes no message any more > when it is FINALIZED',
          'a negotiation as provider takes no message any more > when the consumer has terminated it',
          'a negotiation as consumer takes no message any more > when it is FINALIZED',
          'a negotiation as consumer takes no message any more > when the provider has terminated it',
        ],
      },
    },
    {
      number: 40,
      level: 'must',
      says: 'A termination has both pids. Whoever sends it may ignore that it is refused.',
      tests: {
        'protocol/answers.test.ts': ['is at the end also when the partner refuses the termination'],
        'protocol/negotiation-consumer.test.ts': [
          'CN_C:01-03 request, offer, termination by the operator',
          'answers 400 when the pid in the body is not the one in the path, or the providerPid is another one',
        ],
        'protocol/callbacks.test.ts': ['is where a consumer gets everything about its negotiation'],
      },
    },
    {
      number: 41,
      level: 'must',
      says: 'An error as an answer does not change the state of the negotiation.',
      tests: {
        'protocol/answers.test.ts': [
          'sends the same bytes again after 409, 500, 401 and a closed connection, until it is acknowledged',
          'says to the operator what is owed and why the last attempt failed',
        ],
        'protocol/negotiation-provider.test.ts': ['answers 400 with an error in … and changes nothing: …'],
        'protocol/negotiation-consumer.test.ts': ['answers 400 with an error in … and changes nothing: …'],
      },
    },
    {
      number: 42,
      level: 'must',
      says: 'A mistake of the client is answered 4xx, with a ContractNegotiationError if with anything.',
      tests: {
        'protocol/endpoints.test.ts': [
          'is answered 400 with an error body: …',
          'is answered 404 with an error body on every path that names a process or a dataset',
        ],
        'dataspace/bad-input-message.test.ts': [
          'is not JSON, or not JSON with one meaning',
          'does not match its schema: says where, at most three places',
        ],
      },
    },
    {
      number: 43,
      level: 'must',
      says: 'A message that the state does not allow is answered 400 with a ContractNegotiationError.',
      tests: {
        'protocol/negotiation-provider.test.ts': ['answers 400 with an error in … and changes nothing: …'],
        'protocol/negotiation-consumer.test.ts': ['answers 400 with an error in … and changes nothing: …'],
      },
    },
    {
      number: 44,
      level: 'must',
      says: 'A negotiation that does not exist is answered 404.',
      tests: {
        'protocol/endpoints.test.ts': [
          'is not found there: the paths of the other role, and those of the other protocol',
          'is answered 404 with an error body on every path that names a process or a dataset',
        ],
        'protocol/negotiation-provider.test.ts': [
          'answers 404 with an error for a negotiation that does not exist, on every path',
        ],
      },
    },
    {
      number: 45,
      level: 'must',
      says: 'Whoever may not have a negotiation is answered 404, like for one that does not exist.',
      here: 'Strangers get an empty 404 for every path. Only a partner that has proven who it is reads, with 401, that its token has expired or was used before.',
      tests: {
        'protocol/endpoints.test.ts': [
          'looks to a partner exactly like what belongs to another one, in both roles and on every path',
        ],
        'protocol/access.test.ts': [
          'shows a process of another partner exactly as it shows one that does not exist',
          'gives strangers, and partners that are not trusted, an empty 404 for everything, as for paths that do not exist',
        ],
        'dataspace/bad-input-partner.test.ts': [
          'has expired: says until when it was valid and how far the clocks are apart',
          'is replayed: says so, also after a restart',
        ],
      },
    },
    {
      number: 46,
      level: 'must',
      says: 'A negotiation can be read by its pid on both sides: 200 and a ContractNegotiation.',
      tests: {
        'protocol/endpoints.test.ts': [
          'is answered 200, or 201 where a process begins, to a consumer',
          'is answered 200, or 201 where a process begins, to a provider',
        ],
      },
    },
    {
      number: 47,
      level: 'must',
      says: 'A first request and a first offer are answered 201 with the ContractNegotiation.',
      tests: {
        'protocol/endpoints.test.ts': [
          'is answered 200, or 201 where a process begins, to a consumer',
          'is answered 200, or 201 where a process begins, to a provider',
        ],
        'protocol/answers.test.ts': ['takes 200 for 201 and does without a Content-Type'],
      },
    },
    {
      number: 48,
      level: 'must',
      says: 'Every other message that succeeds is answered 200.',
      tests: {
        'protocol/counter-offers.test.ts': [
          'opens a negotiation with an offer that brings its pid and its callbackAddress, and is accepted',
          'agrees when the consumer answers the offer with a request for what is published',
        ],
        'protocol/endpoints.test.ts': [
          'is answered 200, or 201 where a process begins, to a consumer',
          'is answered 200, or 201 where a process begins, to a provider',
        ],
      },
    },
    {
      number: 49,
      level: 'must',
      says: 'A consumer that accepts an offer of its own is answered 400 with an error.',
      tests: {
        'protocol/negotiation-offers.test.ts': [
          'statement 49: accepting what the consumer itself asked for is 400 with an error',
        ],
        'protocol/counter-offers.test.ts': [
          'refuses that a consumer accepts what it has asked for itself, with 400 and nothing changed',
        ],
        'protocol/negotiation-provider.test.ts': ['answers 400 with an error in … and changes nothing: …'],
      },
    },
    {
      number: 50,
      level: 'must',
      says: 'Callbacks over https are supported; other schemes may be.',
      here: 'Only https, and the refusal of another scheme says so. Plain http is for partners that were added as a laboratory.',
      tests: {
        'protocol/callbacks.test.ts': [
          'gives an https address below which its own callbacks are found, for each message that brings one',
          'refuses a callbackAddress that it does not understand, for each message that brings one, and begins nothing',
        ],
      },
    },
    {
      number: 51,
      level: 'should',
      says: 'A slash at the end of a callbackAddress makes no difference.',
      tests: {
        'protocol/callbacks.test.ts': [
          'is where a consumer gets everything about its negotiation',
          'is where a provider gets everything about the negotiation that it began',
          'is where a consumer gets everything about its transfer',
        ],
      },
    },
    {
      number: 52,
      level: 'must',
      says: 'Messages are application/json; application/ld+json may be taken in addition.',
      tests: {
        'protocol/endpoints.test.ts': [
          'is left to the partner, and every answer is application/json',
          'is told by every message of ours as application/json',
        ],
      },
    },
    {
      number: 53,
      level: 'must',
      says: 'The paths of callbacks extend the callbackAddress, which may have any path itself.',
      tests: {
        'protocol/callbacks.test.ts': [
          'is where a consumer gets everything about its negotiation',
          'is where a provider gets everything about the negotiation that it began',
          'is where a consumer gets everything about its transfer',
        ],
        'protocol/negotiation-provider.test.ts': [
          'calls back below any path prefix, with or without a trailing slash',
        ],
      },
    },
  ],
}
