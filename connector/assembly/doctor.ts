/** What init and doctor need from rooms the command line must not know. Heavy parts are loaded when they are asked for. */
import { join } from 'node:path'
import type { BaseDeps } from '../cli/commands.js'
import type { Check, Finding } from '../cli/doctor.js'
import type { Config } from '../config/load.js'
import { ok, problem, type Result } from '../core/result.js'
import { type Json, type Lang, systemClock } from '../core/types.js'
import { deliveriesCheck, type TransfersAnswer } from './doctor-deliveries.js'
import { type DutiesAnswer, dutiesCheck } from './doctor-duties.js'

type StatusAnswer = {
  readonly owed: { readonly count: number; readonly oldest?: string }
  readonly schema: number
}
type PartnersAnswer = {
  readonly partners: readonly {
    readonly did: string
    readonly name: string
    readonly address: string
    readonly trust: string
    readonly access: string
  }[]
}
type SourcesAnswer = { readonly sources: readonly { readonly id: string }[] }

/** Messages that wait for longer than this are a finding, milliseconds. */
const OWED_TOO_LONG = 5 * 60_000

export const doctorParts: Omit<BaseDeps, 'version'> = {
  clock: systemClock,

  async createKeys(dataDir) {
    const [{ createKeys }, { createSecretKey }] = await Promise.all([
      import('../crypto/keys.js'),
      import('../crypto/secret-box.js'),
    ])
    const dir = join(dataDir, 'keys')
    const secret = await createSecretKey(dir)
    if (!secret.ok) return secret
    const keys = await createKeys(dir, systemClock)
    return keys.ok ? ok({ name: keys.value.name }) : keys
  },

  async createDevCertificates(folder, hosts, authority) {
    const { adoptDevelopmentCa, writeDevelopmentCertificates } = await import('../../certs-dev/generate.js')
    if (authority !== undefined && !(await adoptDevelopmentCa(authority, folder))) {
      return problem('NotFound', {
        en: `There is no development authority in ${authority}.`,
        de: `In ${authority} liegt keine Entwicklungs-Zertifizierungsstelle.`,
      })
    }
    const [host = 'localhost'] = hosts
    const files = await writeDevelopmentCertificates(folder, [host])
    const server = files.servers[host]
    if (server === undefined) throw new Error('no development certificate was made')
    return ok({ ...server, ca: files.ca })
  },

  async loadKeys(dataDir) {
    const { loadKeys } = await import('../crypto/keys.js')
    const keys = await loadKeys(join(dataDir, 'keys'))
    return keys.ok ? ok({ name: keys.value.name }) : keys
  },

  async isDevelopmentCertificate(certificate) {
    const { isDevelopmentCertificate } = await import('../crypto/certificates.js')
    return isDevelopmentCertificate(certificate)
  },

  async partnerUrls(config) {
    const client = await clientOf(config.dataDir, config)
    const answer = await read<PartnersAnswer>(client?.get('/api/v1/partners', { timeoutMs: 4000 }))
    const partners = answer.ok ? answer.value.partners.filter((p) => p.access !== 'lab') : []
    return partners.map((p) => new URL(p.address).origin)
  },

  async extraChecks(config) {
    const checks = await runningChecks(config)
    return [databaseCheck(config.dataDir), ...checks]
  },
}

async function runningChecks(config: Config): Promise<readonly Check[]> {
  const client = await clientOf(config.dataDir, config)
  if (client === undefined) return []
  const status = await read<StatusAnswer>(client.get('/api/v1/status', { timeoutMs: 4000 }))
  // Without a running connector there is nothing more to ask; the checks before this one stand for themselves.
  if (!status.ok) return []
  const partners = await read<PartnersAnswer>(client.get('/api/v1/partners', { timeoutMs: 4000 }))
  const running = '/api/v1/transfers?state=STARTED'
  const transfers = await read<TransfersAnswer>(client.get(running, { timeoutMs: 4000 }))
  const sources = await read<SourcesAnswer>(client.get('/api/v1/sources', { timeoutMs: 4000 }))
  const duties = await read<DutiesAnswer>(client.get('/api/v1/duties', { timeoutMs: 4000 }))
  return [
    owedCheck(status.value),
    deliveriesCheck(transfers.ok ? transfers.value.transfers : []),
    dutiesCheck(duties.ok ? duties.value.duties : []),
    labCheck(partners.ok ? partners.value.partners : []),
    ...(partners.ok ? partners.value.partners : [])
      .filter((p) => p.trust === 'trusted')
      .map(
        (p): Check => ({
          name: `partner ${p.name}`,
          run: async () => {
            const catalog = await client.get(`/api/v1/partners/${encodeURIComponent(p.did)}/catalog`)
            return catalog.ok
              ? { status: 'ok', what: { en: `${p.address} answers us`, de: `${p.address} antwortet uns` } }
              : failed(
                  catalog.error.message,
                  {
                    en: 'No contract can be made and no message delivered to this partner.',
                    de: 'Mit diesem Partner kommt kein Vertrag zustande, und keine Nachricht erreicht ihn.',
                  },
                  {
                    en: `Ask the partner whether it trusts ${config.participantId} and can be reached at ${p.address}.`,
                    de: `Fragen Sie den Partner, ob er ${config.participantId} vertraut und unter ${p.address} erreichbar ist.`,
                  },
                )
          },
        }),
      ),
    ...(sources.ok ? sources.value.sources : []).map(
      (s): Check => ({
        name: `source ${s.id}`,
        run: async () => {
          const checked = await read<{ ok: boolean; message: string }>(
            client.post(`/api/v1/sources/${encodeURIComponent(s.id)}/check`),
          )
          if (checked.ok && checked.value.ok)
            return { status: 'ok', what: { en: 'reachable', de: 'erreichbar' } }
          return failed(
            checked.ok ? checked.value.message : checked.error.message,
            {
              en: 'No new data comes from this source.',
              de: 'Aus dieser Quelle kommen keine neuen Daten.',
            },
            {
              en: `handschlag source show ${s.id}`,
              de: `handschlag source show ${s.id}`,
            },
          )
        },
      }),
    ),
  ]
}

const failed = (
  summary: string,
  impact: { en: string; de: string },
  fix: { en: string; de: string },
): Finding => ({
  status: 'failed',
  what: { en: summary, de: summary },
  impact,
  fix,
})

function databaseCheck(dataDir: string): Check {
  return {
    name: 'database',
    needs: ['data-directory'],
    run: async () => {
      const { inspectDatabase } = await import('../store/sqlite/inspect.js')
      const seen = inspectDatabase(join(dataDir, 'handschlag.db'))
      switch (seen.found) {
        case 'nothing':
          return { status: 'skipped', what: { en: 'none yet', de: 'noch keine' } }
        case 'in use':
          return {
            status: 'skipped',
            what: {
              en: 'in use by the running connector; stop it to check every page',
              de: 'vom laufenden Connector benutzt; zum Prüfen aller Seiten anhalten',
            },
          }
        case 'sound':
          return {
            status: 'ok',
            what: { en: `sound, schema ${seen.schema}`, de: `unversehrt, Schema ${seen.schema}` },
          }
        case 'damaged':
          return failed(
            seen.verdict.slice(0, 200),
            {
              en: 'Contracts and what is owed may be lost.',
              de: 'Verträge und Ausstehendes können verloren sein.',
            },
            {
              en: 'Put the data directory of your newest backup in its place. Keep the damaged one.',
              de: 'Setzen Sie das Datenverzeichnis Ihrer neuesten Sicherung an seine Stelle. Heben Sie das beschädigte auf.',
            },
          )
      }
    },
  }
}

/** A connector in use has no laboratories among its partners. */
function labCheck(partners: PartnersAnswer['partners']): Check {
  const labs = partners.filter((p) => p.access === 'lab' && p.trust !== 'blocked')
  const names = labs.map((p) => p.name).join(', ')
  return {
    name: 'lab-partners',
    run: async () =>
      labs.length === 0
        ? { status: 'ok', what: { en: 'none', de: 'keine' } }
        : {
            status: 'failed',
            what: {
              en: `${names}: nobody's identity is proven`,
              de: `${names}: niemandes Identität ist belegt`,
            },
            impact: {
              en: 'Whoever reaches this connector can call itself that, and gets what is offered to it, over plain HTTP too.',
              de: 'Wer diesen Connector erreicht, kann sich so nennen und bekommt, was dort angeboten ist, auch über HTTP.',
            },
            fix: {
              en: `When the test is over: ${labs.map((p) => `handschlag partner remove ${p.did}`).join('; ')}`,
              de: `Nach dem Test: ${labs.map((p) => `handschlag partner remove ${p.did}`).join('; ')}`,
            },
          },
  }
}

function owedCheck(status: StatusAnswer): Check {
  return {
    name: 'owed-messages',
    run: async () => {
      const { count, oldest } = status.owed
      const since = oldest === undefined ? 0 : Date.now() - Date.parse(oldest)
      if (since < OWED_TOO_LONG) {
        return { status: 'ok', what: { en: `${count} waiting`, de: `${count} wartend` } }
      }
      const minutes = Math.round(since / 60_000)
      return {
        status: 'warning',
        what: {
          en: `${count} waiting, the oldest for ${minutes} minutes`,
          de: `${count} wartend, die älteste seit ${minutes} Minuten`,
        },
        impact: {
          en: 'A partner cannot be reached or refuses our messages.',
          de: 'Ein Partner ist nicht erreichbar oder weist unsere Nachrichten ab.',
        },
        fix: {
          en: 'handschlag negotiation list, then: handschlag negotiation show PID',
          de: 'handschlag negotiation list, dann: handschlag negotiation show PID',
        },
      }
    },
  }
}

async function clientOf(
  dataDir: string,
  config: { managementHost: string; managementPort: number; language: Lang },
) {
  const { createManagementClient, findToken, managementUrl } = await import('../cli/client.js')
  const token = findToken(process.env, dataDir, config.language)
  return token.ok
    ? createManagementClient({ url: managementUrl(config), token: token.value, lang: config.language })
    : undefined
}

/** The management API is ours: its answers have the shapes its OpenAPI document promises. */
async function read<T>(answer: Promise<Result<Json>> | undefined): Promise<Result<T>> {
  return ((await answer) ??
    problem('NotFound', { en: 'No connector runs here.', de: 'Hier läuft kein Connector.' })) as Result<T>
}
