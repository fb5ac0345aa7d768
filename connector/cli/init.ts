/** `init`: asks only what has no safe default, creates data directory, keys and configuration, overwrites nothing. */
import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { SampleValues } from '../config/sample.js'
import { problem, type Result, textOf } from '../core/result.js'
import type { Lang, Text } from '../core/types.js'
import { type Call, type Command, complain, EXIT, say } from './command.js'
import { configInput } from './context.js'
import { type Answers, collectAnswers, DEV_URL } from './init-answers.js'

export type InitDeps = {
  /** Makes the identity keys below the data directory; existing ones stay. Names the key in use. */
  readonly createKeys: (dataDir: string) => Promise<Result<{ readonly name: string }>>
  /**
   * Makes a development authority and a certificate for the hosts, as PEM files in the folder. With `authority`, the folder
   * of another connector's, that one is used; `NotFound` when there is none.
   */
  readonly createDevCertificates: (
    folder: string,
    hosts: readonly string[],
    authority?: string,
  ) => Promise<Result<{ readonly cert: string; readonly key: string; readonly ca: string }>>
}

export const initCommand = (deps: InitDeps): Command => ({
  name: 'init',
  summary: {
    en: 'create configuration, keys and data directory',
    de: 'Konfiguration, Schlüssel und Datenverzeichnis anlegen',
  },
  usage: '[--public-url URL] [--name NAME] [options]',
  options: {
    'public-url': {
      type: 'string',
      value: 'URL',
      about: {
        en: 'HTTPS address at which partners reach you',
        de: 'HTTPS-Adresse, unter der Partner Sie erreichen',
      },
    },
    name: {
      type: 'string',
      value: 'NAME',
      about: { en: 'name of your company', de: 'Name Ihres Unternehmens' },
    },
    'data-dir': {
      type: 'string',
      value: 'DIR',
      about: {
        en: 'data directory (default: ./handschlag-data)',
        de: 'Datenverzeichnis (sonst: ./handschlag-data)',
      },
    },
    'tls-cert': {
      type: 'string',
      value: 'FILE',
      about: {
        en: 'certificate of the public address (PEM)',
        de: 'Zertifikat der öffentlichen Adresse (PEM)',
      },
    },
    'tls-key': {
      type: 'string',
      value: 'FILE',
      about: { en: 'private key of the certificate (PEM)', de: 'privater Schlüssel des Zertifikats (PEM)' },
    },
    'no-tls': {
      type: 'boolean',
      about: { en: 'a reverse proxy in front speaks HTTPS', de: 'ein Reverse-Proxy davor spricht HTTPS' },
    },
    dev: {
      type: 'boolean',
      about: {
        en: `for trying out: development certificates, ${DEV_URL}`,
        de: `zum Ausprobieren: Entwicklungszertifikate, ${DEV_URL}`,
      },
    },
    'dev-ca': {
      type: 'string',
      value: 'DIR',
      about: {
        en: 'with --dev: the folder dev-certs of another connector on this machine, so that the two can meet',
        de: 'mit --dev: der Ordner dev-certs eines anderen Connectors auf dieser Maschine, damit die beiden sich treffen können',
      },
    },
  },
  examples: [
    'handschlag init --public-url https://connector.example.com --name "Example Machines GmbH"',
    'handschlag init --dev',
  ],
  run: (call) => init(call, deps),
})

async function init(call: Call, deps: InitDeps): Promise<number> {
  const { configPath } = await import('../config/load.js')
  const { path } = configPath(configInput(call))
  if (existsSync(path)) {
    complain(call, exists(path)[call.lang])
    return EXIT.failed
  }
  const answers = await collectAnswers(call)
  if (typeof answers === 'number') return answers

  const dataDir = resolve(
    call.io.cwd,
    call.value('data-dir') ?? call.io.env.HANDSCHLAG_DATA_DIR ?? './handschlag-data',
  )
  try {
    return await create(call, deps, { path, dataDir, answers })
  } catch (cause) {
    const { explainStartFailure } = await import('./errors.js')
    const sentence = explainStartFailure(cause, { lang: call.lang })
    if (sentence === undefined) throw cause
    complain(call, sentence)
    return EXIT.failed
  }
}

async function create(
  call: Call,
  deps: InitDeps,
  plan: { readonly path: string; readonly dataDir: string; readonly answers: Answers },
): Promise<number> {
  const { path, dataDir, answers } = plan
  const foreign = await foreignContent(dataDir)
  if (foreign !== undefined) {
    complain(call, foreign[call.lang])
    return EXIT.failed
  }
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  await chmod(dataDir, 0o700)

  const keys = await deps.createKeys(dataDir)
  if (!keys.ok) {
    complain(call, textOf(keys.error)[call.lang])
    return EXIT.failed
  }
  const tls = await tlsValues(call, deps, dataDir, answers.publicUrl)
  if (!tls.ok) {
    complain(call, textOf(tls.error)[call.lang])
    return EXIT.failed
  }
  const { sampleFile } = await import('../config/sample.js')
  const home = dirname(path)
  const inFile = (target: string): string => written(home, target)
  const values: SampleValues = {
    publicUrl: answers.publicUrl,
    name: answers.name,
    dataDir: inFile(dataDir),
    ...Object.fromEntries(
      Object.entries(tls.value).map(([name, value]) => [
        name,
        typeof value === 'string' && name !== 'tls' ? inFile(value) : value,
      ]),
    ),
    ...(call.value('lang') === undefined ? {} : { language: call.lang }),
  }
  await mkdir(home, { recursive: true })
  try {
    // wx: a file that appeared meanwhile is not overwritten either. 0600: it may come to hold a passphrase.
    await writeFile(path, sampleFile(call.lang, values), { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause
    complain(call, exists(path)[call.lang])
    return EXIT.failed
  }
  say(call, created(call, path, dataDir, keys.value.name, tls.value))
  return EXIT.ok
}

const exists = (path: string): Text => ({
  en: `${path} exists already. Nothing was changed: init overwrites nothing. To start over, move the file away, or name another one with --config.`,
  de: `${path} gibt es schon. Es wurde nichts geändert: init überschreibt nichts. Für einen neuen Anfang verschieben Sie die Datei, oder nennen Sie mit --config eine andere.`,
})

/** What an empty volume may hold, and what an earlier init made. */
const OURS: readonly string[] = ['lost+found', 'keys', 'dev-certs']

/** A folder in use for something else must neither be closed to others nor filled. */
async function foreignContent(dataDir: string): Promise<Text | undefined> {
  if (!existsSync(dataDir)) return undefined
  const names = await readdir(dataDir)
  if (names.includes('keys') || names.every((name) => OURS.includes(name))) return undefined
  return {
    en: `${dataDir} is in use for something else: it holds ${names[0]}. Nothing was changed. Name an empty or new folder with --data-dir.`,
    de: `${dataDir} wird schon für etwas anderes benutzt: Dort liegt ${names[0]}. Es wurde nichts geändert. Nennen Sie mit --data-dir einen leeren oder neuen Ordner.`,
  }
}

/** Relative to the file when it lies below it, so that the folder can move; absolute otherwise. */
function written(home: string, target: string): string {
  const path = relative(home, target)
  return path.startsWith('..') || path === '' ? target : `./${path}`
}

async function tlsValues(
  call: Call,
  deps: InitDeps,
  dataDir: string,
  publicUrl: string,
): Promise<Result<SampleValues>> {
  const fromCwd = (name: string): string | undefined => {
    const value = call.value(name)
    return value === undefined ? undefined : resolve(call.io.cwd, value)
  }
  if (call.flag('no-tls')) return { ok: true, value: { tls: 'off' } }
  const cert = fromCwd('tls-cert')
  const key = fromCwd('tls-key')
  if (!call.flag('dev') || cert !== undefined) {
    return {
      ok: true,
      value: {
        ...(cert === undefined ? {} : { tlsCert: cert }),
        ...(key === undefined ? {} : { tlsKey: key }),
      },
    }
  }
  const authority = fromCwd('dev-ca')
  const made = await deps.createDevCertificates(
    join(dataDir, 'dev-certs'),
    [new URL(publicUrl).hostname],
    authority,
  )
  if (!made.ok) {
    return authority === undefined || made.error.code !== 'NotFound'
      ? made
      : problem('NotFound', noAuthority(authority)[call.lang])
  }
  return {
    ok: true,
    value: {
      tlsCert: made.value.cert,
      tlsKey: made.value.key,
      trustedCa: made.value.ca,
      allowPrivateAddresses: ['localhost', '127.0.0.0/8', '::1/128'],
      ...portsOf(publicUrl),
    },
  }
}

const noAuthority = (folder: string): Text => ({
  en: `${folder} holds no development authority that could be used: ca.pem and ca.key as init --dev makes them, valid for another month. Name the folder dev-certs in the data directory of the other connector. No configuration was written.`,
  de: `${folder} enthält keine brauchbare Entwicklungs-Zertifizierungsstelle: ca.pem und ca.key, wie init --dev sie anlegt, noch einen Monat gültig. Nennen Sie den Ordner dev-certs im Datenverzeichnis des anderen Connectors. Es wurde keine Konfiguration geschrieben.`,
})

/** In development nothing stands in front, so the address says where to listen. Several connectors share one machine. */
function portsOf(publicUrl: string): SampleValues {
  const port = Number(new URL(publicUrl).port || 443)
  return publicUrl === DEV_URL ? {} : { port, managementPort: port + 1 }
}

function created(call: Call, path: string, dataDir: string, key: string, tls: SampleValues): string {
  const dev = call.flag('dev')
  const needsTls = tls.tls !== 'off' && tls.tlsCert === undefined
  const again = [
    ...(call.file === undefined ? [] : [`--config ${quoted(call.file)}`]),
    ...(dev ? ['--dev'] : []),
  ].join(' ')
  const next = `handschlag doctor ${again}`.trim()
  const second = dev && tls.trustedCa !== undefined && call.value('dev-ca') === undefined
  const joining = secondConnector(dataDir, tls)
  const lines: Readonly<Record<Lang, readonly string[]>> = {
    en: [
      `Created ${path}`,
      `Created ${dataDir}, with key ${key}; only this user can read it`,
      ...(dev
        ? ['Development certificates: good for trying out on this machine, refused without --dev.']
        : []),
      ...(second ? [`For a second connector that can meet this one: ${joining}`] : []),
      ...(needsTls
        ? [
            `Still open: the certificate. Set tlsCert and tlsKey in ${basename(path)}, or tls: off behind a reverse proxy.`,
          ]
        : []),
      '',
      `Next: ${next}`,
    ],
    de: [
      `Angelegt: ${path}`,
      `Angelegt: ${dataDir}, mit Schlüssel ${key}; nur dieser Benutzer kann es lesen`,
      ...(dev
        ? ['Entwicklungszertifikate: gut zum Ausprobieren auf dieser Maschine, ohne --dev abgelehnt.']
        : []),
      ...(second ? [`Für einen zweiten Connector, der diesen treffen kann: ${joining}`] : []),
      ...(needsTls
        ? [
            `Noch offen: das Zertifikat. Setzen Sie tlsCert und tlsKey in ${basename(path)}, oder tls: off hinter einem Reverse-Proxy.`,
          ]
        : []),
      '',
      `Weiter: ${next}`,
    ],
  }
  return lines[call.lang].join('\n')
}

/** The whole command, so that nobody has to find free ports and names. */
function secondConnector(dataDir: string, { port }: SampleValues): string {
  const taken = typeof port === 'number' ? port : Number(new URL(DEV_URL).port)
  const free = taken + 1000 < 65_535 ? taken + 1000 : taken - 1000
  const url = `https://localhost:${free}`
  return `handschlag init --dev --dev-ca ${quoted(join(dataDir, 'dev-certs'))} --public-url ${url} --data-dir second-data --config second.yaml`
}

const quoted = (word: string): string =>
  /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
