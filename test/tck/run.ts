/**
 * The official conformance kit against the connector: starts both, judges the result, and keeps it in kit/target.
 * Ends with 0 when every case did what it must, with 1 when not, and with 3 when the kit could not be run at all.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Problem } from '../../connector/core/result.js'
import { freePorts } from '../../connector/demo/world.js'
import { openPlace } from '../bench/company.js'
import { CASES, KIT_ID } from './cases.js'
import { startUnderTest } from './connector.js'
import { startInitiate } from './initiate.js'
import { checkJava, KIT_NAME, prepareKit, RESULTS, runKit } from './kit.js'
import { kitProperties } from './properties.js'
import { closingLine, judge, markdown } from './verdict.js'

const COULD_NOT_RUN = 3

/** Longer than any message of a working connector takes on a busy machine, seconds. */
const PATIENCE = 10

const say = (text: string): void => void process.stdout.write(`${text}\n`)

function giveUp({ message }: Problem): number {
  say(message)
  say('0 passed, 1 failed')
  return COULD_NOT_RUN
}

async function main(): Promise<number> {
  for (const check of [checkJava, prepareKit]) {
    const checked = await check()
    if (!checked.ok) return giveUp(checked.error)
  }
  await using place = await openPlace()
  const [kitPort = 0] = await freePorts(1)
  await using underTest = await startUnderTest(place, `http://localhost:${kitPort}`)
  await using initiate = await startInitiate(underTest)
  const { company } = underTest
  const properties = join(place.folder, 'kit.properties')
  await writeFile(
    properties,
    kitProperties({
      kitPort,
      participantId: company.did,
      dspAddress: company.address,
      versionBase: company.publicUrl,
      authorization: JSON.stringify({ region: 'eu', audience: company.address, clientId: KIT_ID }),
      initiate: initiate.url,
      patience: PATIENCE,
    }),
  )
  await mkdir(RESULTS, { recursive: true })
  const result = await runKit({ properties, result: join(RESULTS, 'result.json'), ca: place.tls.ca })
  if (!result.ok) return giveUp(result.error)
  const verdict = judge(CASES, result.value)
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { readonly version: string }
  const page = markdown(verdict, result.value, { kit: KIT_NAME, version, at: new Date().toISOString() })
  await writeFile(join(RESULTS, 'result.md'), page)
  for (const finding of verdict.findings) say(`not as required: ${finding}`)
  say(`kept in ${RESULTS}`)
  say(closingLine(verdict))
  return verdict.failed === 0 ? 0 : 1
}

// Connections that the kit left open must not keep the process.
process.exit(await main())
