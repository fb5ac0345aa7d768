/** Checks that open sockets: our ports, and our public address as partners see it. */
import { createServer } from 'node:net'
import type { Config } from '../../config/load.js'
import type { Text } from '../../core/types.js'
import type { Check, Finding } from '../doctor.js'
import { type ClockDeps, clockCheck } from './clock.js'
import { memberOf, type Probe } from './probe.js'

const codeOf = (cause: unknown): string =>
  cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)

/** `ports` learns whether the connector is running; what `public-address` finds means something else when it is not. */
export function reachChecks(config: Config, deps: ClockDeps): readonly Check[] {
  let running: boolean | undefined
  return [
    portsCheck(config, deps.probe, (seen) => {
      running = seen
    }),
    clockCheck(config, deps),
    publicAddressCheck(config, deps.probe, () => running),
  ]
}

/** Undefined when the port is free, otherwise the code of the failure to listen. */
function listenFailure(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (cause) => resolve(codeOf(cause)))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

const loopbackOf = (host: string): string => {
  const reached = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host
  return reached.includes(':') ? `[${reached}]` : reached
}

/** did:web Method Specification, "Read (Resolve)": the path below the host, or the well-known one. */
export function didDocumentUrl(did: string): string {
  const [, , host = '', ...path] = did.split(':')
  const authority = host.replace(/%3A/i, ':')
  return path.length === 0
    ? `https://${authority}/.well-known/did.json`
    : `https://${authority}/${path.join('/')}/did.json`
}

const didPath = (did: string): string => new URL(didDocumentUrl(did)).pathname

function portsCheck(config: Config, probe: Probe, learn: (running: boolean) => void): Check {
  const ports = [
    {
      setting: 'HANDSCHLAG_PORT',
      host: config.host,
      port: config.port,
      url: `${config.tls === 'on' ? 'https' : 'http'}://${loopbackOf(config.host)}:${config.port}${didPath(config.participantId)}`,
      isOurs: (body: string) => memberOf(body, 'id') === config.participantId,
    },
    {
      setting: 'HANDSCHLAG_MANAGEMENT_PORT',
      host: config.managementHost,
      port: config.managementPort,
      url: `http://${loopbackOf(config.managementHost)}:${config.managementPort}/health/live`,
      isOurs: (body: string) => memberOf(body, 'participantId') === config.participantId,
    },
  ]
  return {
    name: 'ports',
    needs: ['config'],
    run: async (signal) => {
      let ours = 0
      for (const { setting, host, port, url, isOurs } of ports) {
        const failure = await listenFailure(host, port)
        if (failure === undefined) continue
        if (failure !== 'EADDRINUSE') return cannotListen(setting, host, port, failure)
        const answer = await probe(url, signal, { anyCertificate: true }).catch(() => undefined)
        if (answer === undefined || !isOurs(answer.body)) return taken(setting, port)
        ours++
      }
      learn(ours > 0)
      return {
        status: 'ok',
        what:
          ours > 0
            ? {
                en: `${config.port} and ${config.managementPort}, the connector is running`,
                de: `${config.port} und ${config.managementPort}, der Connector läuft`,
              }
            : {
                en: `${config.port} and ${config.managementPort} are free`,
                de: `${config.port} und ${config.managementPort} sind frei`,
              },
      }
    },
  }
}

const NO_START: Text = { en: 'The connector will not start.', de: 'Der Connector startet nicht.' }

const taken = (setting: string, port: number): Finding => ({
  status: 'failed',
  what: {
    en: `port ${port} is taken by another program`,
    de: `Port ${port} ist von einem anderen Programm belegt`,
  },
  impact: NO_START,
  fix: {
    en: `Set ${setting} to a free port, or stop the other program (ss -ltnp 'sport = :${port}').`,
    de: `Setzen Sie ${setting} auf einen freien Port, oder beenden Sie das andere Programm (ss -ltnp 'sport = :${port}').`,
  },
})

const cannotListen = (setting: string, host: string, port: number, code: string): Finding => ({
  status: 'failed',
  what: {
    en: `this machine cannot listen on ${host}, port ${port} (${code})`,
    de: `diese Maschine kann nicht auf ${host}, Port ${port} lauschen (${code})`,
  },
  impact: NO_START,
  fix:
    code === 'EACCES'
      ? {
          en: `Set ${setting} to a port from 1024 up, and let a reverse proxy take ${port}.`,
          de: `Setzen Sie ${setting} auf einen Port ab 1024, und lassen Sie einen Reverse-Proxy ${port} übernehmen.`,
        }
      : {
          en: `Set ${setting.replace('PORT', 'HOST')} to an address of this machine (ip addr shows them).`,
          de: `Setzen Sie ${setting.replace('PORT', 'HOST')} auf eine Adresse dieser Maschine (ip addr zeigt sie).`,
        },
})

/** Why our own address could not be fetched, by the code of Node. */
const UNREACHABLE: Readonly<Record<string, { readonly what: Text; readonly fix: Text }>> = {
  ENOTFOUND: {
    what: { en: 'the host name is not known to DNS', de: 'der Rechnername ist im DNS nicht bekannt' },
    fix: {
      en: 'Enter it in DNS, or correct publicUrl.',
      de: 'Tragen Sie ihn im DNS ein, oder berichtigen Sie publicUrl.',
    },
  },
  ECONNREFUSED: {
    what: { en: 'the connection is refused', de: 'die Verbindung wird abgelehnt' },
    fix: {
      en: 'Forward the port of publicUrl to the port of this connector, and check the firewall.',
      de: 'Leiten Sie den Port aus publicUrl an den Port dieses Connectors weiter, und prüfen Sie die Firewall.',
    },
  },
  CERT_HAS_EXPIRED: {
    what: { en: 'the certificate shown there has ended', de: 'das dort gezeigte Zertifikat ist abgelaufen' },
    fix: { en: 'Renew it where HTTPS is spoken.', de: 'Erneuern Sie es dort, wo HTTPS gesprochen wird.' },
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    what: {
      en: 'the certificate shown there is made out to another name',
      de: 'das dort gezeigte Zertifikat ist auf einen anderen Namen ausgestellt',
    },
    fix: {
      en: 'Get a certificate for the host of publicUrl.',
      de: 'Beschaffen Sie ein Zertifikat für den Rechner aus publicUrl.',
    },
  },
}

const BAD_CHAIN = {
  what: {
    en: 'the certificate shown there cannot be verified',
    de: 'das dort gezeigte Zertifikat lässt sich nicht prüfen',
  },
  fix: {
    en: 'Show the full chain (fullchain.pem). For a company CA, name it in trustedCa here and at every partner.',
    de: 'Zeigen Sie die vollständige Kette (fullchain.pem). Eine Firmen-CA nennen Sie in trustedCa, hier und bei jedem Partner.',
  },
} as const

const CHAIN_CODES: readonly string[] = [
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]

const UNSEEN: Text = {
  en: 'Partners cannot verify who you are, and their answers do not reach you: negotiations hang.',
  de: 'Partner können nicht prüfen, wer Sie sind, und ihre Antworten erreichen Sie nicht: Verhandlungen bleiben hängen.',
}

function publicAddressCheck(config: Config, probe: Probe, isRunning: () => boolean | undefined): Check {
  const url = `${config.publicUrl}${didPath(config.participantId)}`
  return {
    name: 'public-address',
    needs: ['config', 'ports'],
    run: async (signal) => {
      const answer = await probe(url, signal).catch((cause: unknown) => codeOf(cause))
      if (
        typeof answer !== 'string' &&
        answer.status === 200 &&
        memberOf(answer.body, 'id') === config.participantId
      ) {
        return {
          status: 'ok',
          what: { en: `${url} answers our DID`, de: `${url} antwortet mit unserer DID` },
        }
      }
      if (isRunning() !== true) {
        return {
          status: 'skipped',
          what: {
            en: 'the connector is not running; start it (handschlag serve) and run doctor again',
            de: 'der Connector läuft nicht; starten Sie ihn (handschlag serve), und rufen Sie doctor noch einmal auf',
          },
        }
      }
      return typeof answer === 'string' ? unreachable(url, answer) : wrongAnswer(url, answer.status, config)
    },
  }
}

function unreachable(url: string, code: string): Finding {
  const known = CHAIN_CODES.includes(code) ? BAD_CHAIN : UNREACHABLE[code]
  return {
    status: 'failed',
    what: {
      en: `${url} cannot be reached: ${known?.what.en ?? code}`,
      de: `${url} ist nicht erreichbar: ${known?.what.de ?? code}`,
    },
    impact: UNSEEN,
    fix: known?.fix ?? {
      en: 'Check DNS, port forwarding and firewall. If only this network cannot reach it (no hairpin NAT), try from outside: curl -v',
      de: 'Prüfen Sie DNS, Portweiterleitung und Firewall. Falls nur dieses Netz nicht dorthin kommt (kein NAT-Hairpinning), versuchen Sie es von außen: curl -v',
    },
  }
}

const wrongAnswer = (url: string, status: number, config: Config): Finding => ({
  status: 'failed',
  what:
    status === 200
      ? {
          en: `${url} answers, but not with ${config.participantId}`,
          de: `${url} antwortet, aber nicht mit ${config.participantId}`,
        }
      : { en: `${url} answered ${status}`, de: `${url} antwortete ${status}` },
  impact: UNSEEN,
  fix: {
    en: `Something else answers there. Forward ${new URL(config.publicUrl).host} to port ${config.port} of this machine, all paths unchanged.`,
    de: `Dort antwortet etwas anderes. Leiten Sie ${new URL(config.publicUrl).host} an Port ${config.port} dieser Maschine weiter, alle Pfade unverändert.`,
  },
})
