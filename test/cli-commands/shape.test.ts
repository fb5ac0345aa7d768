import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Desk, openDesk } from './support.js'

const HASH = '4b9fb1f9b2d50c0b20b9a8fd18c14b2999335a3d56eaa4d4a05f78123dda97d8'
const DOCUMENT = {
  type: 'https://w3id.org/machine-data-policy/v1#Shape',
  version: '1',
  fields: { temp: { valueStep: '0.5' } },
}
const SHAPE = {
  hash: HASH,
  name: `urn:sha256:${HASH}`,
  document: DOCUMENT,
  text: {
    en: '"temp" is rounded down to multiples of 0.5.',
    de: '„temp“ wird auf Vielfache von 0,5 abgerundet.',
  },
  addedAt: '2026-11-25T10:00:00Z',
}

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
})
afterEach(() => desk[Symbol.asyncDispose]())

describe('shape add', () => {
  it('sends the document of a file, JSON or YAML, and says how an offer names it', async () => {
    desk.routes['POST /shapes'] = SHAPE
    writeFileSync(
      join(desk.folder, 'shape.yaml'),
      `type: ${DOCUMENT.type}\nversion: "1"\nfields: { temp: { valueStep: "0.5" } }\n`,
    )
    const { code, out, err } = await desk.run(['shape', 'add', 'shape.yaml', '--lang', 'de'])
    expect(code).toBe(0)
    expect(desk.asked.at(-1)?.body).toEqual({ document: DOCUMENT })
    expect(out).toContain(HASH)
    expect(out).toContain('„temp“ wird auf Vielfache von 0,5 abgerundet.')
    expect(out + err).toContain(`offer add DATASET --shape ${HASH}`)
  })

  it('says which file it cannot read', async () => {
    const { code, err } = await desk.run(['shape', 'add', 'nowhere.json'])
    expect(code).toBe(1)
    expect(err).toContain('nowhere.json cannot be read')
    expect(desk.asked).toEqual([])
  })
})

describe('shape list, show and remove', () => {
  it('name each document by its hash, and whose it is', async () => {
    desk.routes['GET /shapes'] = {
      shapes: [SHAPE, { ...SHAPE, hash: 'a'.repeat(64), from: 'did:web:maker.example' }],
    }
    const { out } = await desk.run(['shape', 'list'])
    expect(out).toContain(HASH)
    expect(out).toContain('did:web:maker.example')
    desk.routes['GET /shapes'] = { shapes: [] }
    expect((await desk.run(['shape', 'list'])).out).toContain('There is no shape document.')
  })

  it('show the document in words and exactly', async () => {
    desk.routes[`GET /shapes/${HASH}`] = SHAPE
    const { out } = await desk.run(['shape', 'show', HASH])
    expect(out).toContain('"temp" is rounded down to multiples of 0.5.')
    expect(JSON.parse(out.slice(out.indexOf('\n{')))).toEqual(DOCUMENT)
  })

  it('remove it', async () => {
    desk.routes[`DELETE /shapes/${HASH}`] = (_asked, response) => void response.writeHead(204).end()
    const { code, out } = await desk.run(['shape', 'remove', HASH])
    expect([code, out.trim()]).toEqual([0, 'The shape document is removed.'])
  })
})

it('offer add --shape names the document in the terms', async () => {
  desk.routes['POST /datasets/pump-7/offers'] = { id: 'o-1', datasetId: 'pump-7', policy: {}, clauses: [] }
  await desk.run(['offer', 'add', 'pump-7', '--shape', HASH])
  expect(desk.asked.find(({ path }) => path.endsWith('/offers'))?.body).toMatchObject({
    terms: { shape: HASH },
  })
})
