/**
 * The connector under test: the product as it is, in this process, with real keys, a real certificate and a real store.
 * The harness adds a partner, goods and the rules of an operator, as any company does.
 */
import { join } from 'node:path'
import { type Connector, startConnector } from '../../connector/app.js'
import { createManagementClient, findToken, type ManagementClient } from '../../connector/cli/client.js'
import { resolveConfig } from '../../connector/config/load.js'
import { createLog } from '../../connector/core/log.js'
import { Resources } from '../../connector/core/resources.js'
import { systemClock } from '../../connector/core/types.js'
import { openStore } from '../../connector/store/sqlite/store.js'
import { type Company, foundCompanies, type Place } from '../bench/company.js'
import { demand } from '../bench/report.js'
import { scriptedRules } from './rules.js'
import { offer, putContracts, putKit } from './seed.js'

export type UnderTest = AsyncDisposable & {
  readonly connector: Connector
  readonly company: Company
  readonly api: ManagementClient
}

export async function startUnderTest(place: Place, kitAddress: string): Promise<UnderTest> {
  await using started = new Resources()
  const [company] = await foundCompanies(place, ['under-test'])
  if (company === undefined) throw new Error('no company')
  const { config } = demand(resolveConfig({ cwd: place.folder, env: { ...company.env, ...LOG } }))
  {
    await using store = openStore(join(company.dataDir, 'handschlag.db'))
    await putKit(store, kitAddress)
    await putContracts(store, { ownDid: company.did, kitAddress })
  }
  const connector = demand(
    await startConnector(config, {
      clock: systemClock,
      log: createLog(config.logLevel),
      dev: true,
      version: 'kit',
      automation: scriptedRules,
    }),
  )
  started.use(connector)
  const token = demand(findToken({}, company.dataDir, 'en'))
  const api = createManagementClient({ url: connector.managementUrl, token, lang: 'en' })
  await offer(api, place.folder)
  const open = started.move()
  return { connector, company, api, [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() }
}

/** Refusals are part of the game: half of the cases send what is not allowed. */
const LOG = { HANDSCHLAG_LOG_LEVEL: process.env.HANDSCHLAG_LOG_LEVEL ?? 'silent' }
