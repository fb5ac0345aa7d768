/** What a dataset consists of, as buyer and seller see it before there is a contract: signals, units, machine. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Dataspace, enc, list, type Member, startDataspace } from '../support/dataspace.js'
import { PUMP_OFFER, pumpDataset } from './parties.js'
import { introduce, message, type Peer, startPeer } from './peer.js'
import { publishTank } from './tank.js'

const MDP = 'https://w3id.org/machine-data-policy/v1#'

let space: Dataspace
let member: Member
let peer: Peer
let other: Peer

beforeAll(async () => {
  space = await startDataspace([{ name: 'member' }])
  const [first] = space.members
  if (first === undefined) throw new Error('no member')
  member = first
  peer = await startPeer(space)
  other = await startPeer(space)
  await introduce(member, peer)
  await introduce(member, other, { name: 'other' })
  await publishTank(member, space.folder, { some: { fields: ['level'], recipients: [peer.did] } })
  await member.put('/api/v1/datasets/tank', {
    title: 'Tank',
    machineId: 'tank-of-hall-4',
    signals: [
      { name: 'level', type: 'number', unit: 'mm', description: 'Height of the surface' },
      { name: 'pressure', type: 'integer', unit: 'hPa' },
      { name: 'recipe', type: 'string' },
    ],
    sourceId: 'tank',
  })
})
afterAll(async () => {
  for (const one of [peer, other]) await one[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
})

const level = {
  [`${MDP}name`]: 'level',
  [`${MDP}type`]: 'number',
  [`${MDP}unit`]: 'mm',
  [`${MDP}description`]: 'Height of the surface',
}
const pressure = { [`${MDP}name`]: 'pressure', [`${MDP}type`]: 'integer', [`${MDP}unit`]: 'hPa' }

it('names the signals that an offer delivers, and keeps quiet about those that none of the partner does', async () => {
  const { json, text } = await peer.send(member, '/catalog/datasets/tank')
  // A list of one and its value are the same in JSON-LD.
  expect(json[`${MDP}signals`]).toEqual(level)
  expect(json[`${MDP}machineId`]).toBe('tank-of-hall-4')
  for (const hidden of ['pressure', 'recipe']) expect(text).not.toContain(hidden)

  // An offer to somebody else that delivers more changes nothing here.
  await member.post('/api/v1/datasets/tank/offers', {
    id: 'more',
    terms: { withoutFields: ['recipe'], recipients: [other.did], pseudonym: 'agreement' },
  })
  expect((await peer.send(member, '/catalog/datasets/tank')).text).not.toContain('pressure')
  // What is left out is named by the terms themselves, and by nothing else.
  const theirs = await other.send(member, '/catalog/request', message('CatalogRequestMessage', {}))
  expect(theirs.json.dataset).toMatchObject([{ '@id': 'tank', [`${MDP}signals`]: [level, pressure] }])
})

it('does not name the machine where every offer promises a pseudonym for it, nor lets it be looked for', async () => {
  expect((await other.send(member, '/catalog/datasets/tank')).text).not.toContain('hall-4')
  const find = (who: Peer) =>
    who.send(
      member,
      '/catalog/request',
      message('CatalogRequestMessage', {
        filter: [
          {
            '@type': 'QuerySpec',
            filterExpression: [{ operandLeft: 'machineId', operator: '=', operandRight: 'tank-of-hall-4' }],
          },
        ],
      }),
    )
  expect((await find(peer)).json.dataset).toMatchObject([{ '@id': 'tank' }])
  expect((await find(other)).json).not.toHaveProperty('dataset')
})

it('shows the buyer what a partner says of machine and signals, and drops what is no signal', async () => {
  peer.script(() => ({
    body: message('Catalog', {
      '@id': 'urn:peer',
      participantId: peer.did,
      service: [{ '@id': 'urn:service', '@type': 'DataService', endpointURL: peer.address }],
      dataset: [
        {
          ...pumpDataset([PUMP_OFFER], 'pump'),
          '@type': 'Dataset',
          [`${MDP}machineId`]: 'pump-7',
          [`${MDP}signals`]: [level, { [`${MDP}name`]: 'count', [`${MDP}unit`]: 7 }, 'flow', { name: 'x' }],
        },
        { ...pumpDataset([PUMP_OFFER], 'one'), '@type': 'Dataset', [`${MDP}signals`]: pressure },
        { ...pumpDataset([PUMP_OFFER], 'none'), '@type': 'Dataset' },
      ],
    }),
  }))
  const read = list(await member.get(`/api/v1/partners/${enc(peer.did)}/catalog`), 'datasets')
  expect(read.map(({ machineId, signals }) => [machineId, signals])).toEqual([
    [
      'pump-7',
      [
        { name: 'level', type: 'number', unit: 'mm', description: 'Height of the surface' },
        { name: 'count' },
      ],
    ],
    [undefined, [{ name: 'pressure', type: 'integer', unit: 'hPa' }]],
    [undefined, []],
  ])
})
