/**
 * Every DSP message that two live EDC connectors and a plain-JSON partner exchanged, read as we would receive it.
 * The recordings are not part of the project: they are looked for in HANDSCHLAG_SHARED or ../shared.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readDataAddress } from '../../connector/dsp/build.js'
import type { MessageName, Messages } from '../../connector/dsp/messages.js'
import { createValidator } from '../../connector/dsp/validate.js'

const shared = process.env.HANDSCHLAG_SHARED ?? resolve(import.meta.dirname, '../../../shared')
const recordings = join(shared, 'protocol', 'edc-wire')

const NO_RULE = 'needs a permission or a prohibition'

/** What we refuse of it, by hand: EDC's sample offer without any rule, and the requests that were made wrong on purpose. */
const REFUSED: { readonly [exchange: string]: { readonly as?: MessageName; readonly because: string } } = {
  '2-negotiation-open/01 request': { because: `offer ${NO_RULE}` },
  '2-negotiation-open/02 request': { because: `agreement ${NO_RULE}` },
  '10-negotiation-refused-wrong-policy/01 request': { because: `offer ${NO_RULE}` },
  '11-negotiation-unknown-offer/01 request': { because: `offer ${NO_RULE}` },
  '12-negotiation-terminated-by-consumer/01 request': { because: `offer ${NO_RULE}` },
  '12-negotiation-terminated-by-consumer/02 request': { because: `agreement ${NO_RULE}` },
  '13-probes/14 request': {
    as: 'CatalogRequestMessage',
    because: '@type is "ContractRequestMessage", expected "CatalogRequestMessage"',
  },
  '13-probes/15 request': { because: '@context is missing' },
  '13-probes/21 request': { because: `offer ${NO_RULE}` },
  '13-probes/22 request': { because: 'offer is missing' },
  '13-probes/23 request': { because: `callbackAddress is missing; offer ${NO_RULE}` },
  '13-probes/24 request': { because: `consumerPid is missing; offer ${NO_RULE}` },
  '13-probes/25 request': { because: `offer ${NO_RULE}` },
  '13-probes/32 request': { because: 'format is missing' },
}

type Body = { readonly [key: string]: unknown }
type Recorded = { readonly key: string; readonly name: MessageName; readonly body: Body }

function read(): readonly Recorded[] {
  const all: Recorded[] = []
  for (const folder of readdirSync(recordings, { withFileTypes: true })) {
    if (!folder.isDirectory()) continue
    for (const file of readdirSync(join(recordings, folder.name))) {
      const exchange = JSON.parse(readFileSync(join(recordings, folder.name, file), 'utf8'))
      for (const part of ['request', 'response'] as const) {
        const body: unknown = exchange[part]?.body
        if (typeof body !== 'object' || body === null) continue
        const type = (body as Body)['@type'] ?? ('protocolVersions' in body ? 'VersionResponse' : undefined)
        if (typeof type !== 'string') continue
        const key = `${folder.name}/${file.slice(0, 2)} ${part}`
        all.push({ key, name: REFUSED[key]?.as ?? (type as MessageName), body: body as Body })
      }
    }
  }
  return all
}

describe.skipIf(!existsSync(recordings))(
  'recorded exchanges with EDC (skipped without the recordings; HANDSCHLAG_SHARED names their folder)',
  () => {
    const recorded = existsSync(recordings) ? read() : []
    const validate = createValidator()

    test('there are as many messages as were recorded', () => {
      expect(recorded).toHaveLength(126)
    })

    test('every message that is right is accepted', () => {
      const complaints = recorded
        .filter(({ key }) => REFUSED[key] === undefined)
        .flatMap(({ key, name, body }) => {
          const checked = validate(name, body, 'incoming')
          return checked.ok ? [] : [`${key}: ${checked.error.message}`]
        })
      expect(complaints).toEqual([])
    })

    test('every message that is wrong is refused for its own reason', () => {
      const sentences = recorded
        .filter(({ key }) => REFUSED[key] !== undefined)
        .map(({ key, name, body }) => {
          const checked = validate(name, body, 'incoming')
          return [key, checked.ok ? 'accepted' : checked.error.message]
        })
      const expected = Object.entries(REFUSED).map(([key, { because }]) => {
        const name = recorded.find((r) => r.key === key)?.name
        return [key, `${name} is not valid: ${because}.`]
      })
      expect(Object.fromEntries(sentences)).toEqual(Object.fromEntries(expected))
    })

    test('the data addresses of EDC lead to its data plane with a token', () => {
      const starts = recorded.filter(
        ({ name, body }) => name === 'TransferStartMessage' && 'dataAddress' in body,
      )
      expect(starts).toHaveLength(7)
      for (const { body } of starts) {
        const message = body as unknown as Messages['TransferStartMessage']
        const read = message.dataAddress === undefined ? undefined : readDataAddress(message.dataAddress)
        expect(read).toMatchObject({
          ok: true,
          value: {
            endpoint: expect.stringMatching(/^http:\/\/localhost:18\d\d\d\//),
            token: expect.stringMatching(/^(eyJ|foreign-token)/),
            authType: 'bearer',
          },
        })
      }
    })

    test('the data address of a push leads to the sink of the consumer', () => {
      const push = recorded.find(
        ({ name, body }) => name === 'TransferRequestMessage' && 'dataAddress' in body,
      )
      const message = push?.body as unknown as Messages['TransferRequestMessage']
      expect(message.dataAddress && readDataAddress(message.dataAddress)).toEqual({
        ok: true,
        value: { endpoint: 'http://localhost:18180/sink/pushed' },
      })
    })
  },
)
