/**
 * The story of the demo, told step by step over the management API of two real connectors. Nothing here is shown that
 * was not answered by them; a step that does not happen ends the demo with its reason.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Resources } from '../core/resources.js'
import { err, ok, type Result } from '../core/result.js'
import type { Json, Lang, Text } from '../core/types.js'
import { followEvents, readLines } from './reading.js'
import { type Company, freePorts, openBroker, runMachine, startCompany } from './world.js'

export type DemoOptions = {
  readonly lang: Lang
  readonly keep: boolean
  readonly broker?: string
  readonly print: (line: string) => void
}

const TOPIC = 'plant1/pump7'
/** The contract of the story. */
const SHARED = ['bearing_temperature', 'vibration', 'pressure']
const SIGNALS = [
  { name: 'bearing_temperature', type: 'number', unit: '°C' },
  { name: 'vibration', type: 'number', unit: 'mm/s' },
  { name: 'pressure', type: 'number', unit: 'bar' },
  { name: 'flow', type: 'number', unit: 'l/min' },
  { name: 'speed', type: 'number', unit: '1/min' },
]
const MAPPING = {
  time: { path: 'time', format: 'iso' },
  series: 'pump-7',
  signals: {
    bearing_temperature: 'bearing.temperature',
    vibration: 'vibration',
    pressure: 'pressure',
    flow: 'flow',
    speed: 'speed',
  },
}
const TRIAL_RECORDS = 5
const TRIAL_SECONDS = 3
const STEP_TIMEOUT_MS = 10_000

/** A step of the story failed; the sentence says which and why. */
class StepFailed extends Error {}

type Answer = { readonly [key: string]: Json }

export async function playDemo(options: DemoOptions): Promise<Result<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'handschlag-demo-'))
  try {
    await using world = new Resources()
    await play(options, folder, world)
    return ok(undefined)
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause
    if (!(cause instanceof StepFailed) && !cause.message.startsWith('The ')) throw cause
    return err({ code: 'InvalidInput', message: cause.message })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function play(options: DemoOptions, folder: string, world: Resources): Promise<void> {
  const { lang, print } = options
  const startedAt = Date.now()
  const tell = (mark: string, text: Text): void => print(`${mark} ${text[lang]}`)
  const step = (text: Text): void => tell('✔', text)
  const refused = (text: Text): void => tell('✖', text)
  const more = (text: string): void => print(`    ${text}`)

  const [brokerPort = 0, port1 = 0, management1 = 0, port2 = 0, management2 = 0] = await freePorts(5)
  const { writeDevelopmentCertificates } = await import('../../certs-dev/generate.js')
  const certificates = await writeDevelopmentCertificates(join(folder, 'certs'), ['localhost'])
  const server = certificates.servers.localhost
  if (server === undefined) throw new StepFailed('No development certificate was made.')
  const tls = { ...server, ca: certificates.ca }

  const broker = world.use(await openBroker(options.broker, brokerPort))
  const machine = world.use(await runMachine(broker.url, TOPIC))
  step({
    en: `A pump publishes ${SIGNALS.length} signals ten times a second: ${broker.url} ${TOPIC} (${broker.kind} broker)`,
    de: `Eine Pumpe meldet ${SIGNALS.length} Signale zehnmal je Sekunde: ${broker.url} ${TOPIC} (${broker.kind === 'embedded' ? 'eingebauter' : 'externer'} Broker)`,
  })

  const [operator, builder] = await Promise.all([
    startCompany({
      name: 'Pump Operator',
      folder: join(folder, 'operator'),
      port: port1,
      managementPort: management1,
      lang,
      tls,
    }),
    startCompany({
      name: 'Machine Builder',
      folder: join(folder, 'builder'),
      port: port2,
      managementPort: management2,
      lang,
      tls,
    }),
  ])
  world.use(operator)
  world.use(builder)
  step({
    en: `Two companies run their own connector: ${operator.publicUrl} (Pump Operator), ${builder.publicUrl} (Machine Builder)`,
    de: `Zwei Firmen betreiben je einen Connector: ${operator.publicUrl} (Pump Operator), ${builder.publicUrl} (Machine Builder)`,
  })

  const seen = await introduce(operator, builder)
  await introduce(builder, operator)
  step({
    en: `They compare fingerprints and trust each other: ${seen}`,
    de: `Sie vergleichen Fingerabdrücke und vertrauen einander: ${seen}`,
  })

  await call(
    operator.api.put('/api/v1/sources/pump-7', {
      kind: 'mqtt',
      config: { url: broker.url, topics: [TOPIC], mapping: MAPPING },
    }),
  )
  await call(
    operator.api.put('/api/v1/datasets/pump-7', {
      title: 'Pump 7, condition',
      description: 'Condition signals of the coolant pump',
      keywords: ['pump', 'condition'],
      machineId: 'pump-7',
      signals: SIGNALS,
      sourceId: 'pump-7',
    }),
  )
  const until = new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10)
  await call(
    operator.api.post('/api/v1/datasets/pump-7/offers', {
      id: 'pump-7-condition',
      terms: { recipients: [builder.did], fields: SHARED, samplingInterval: 'PT0.2S', until },
    }),
  )
  await call(
    operator.api.post('/api/v1/datasets/pump-7/offers', {
      id: 'pump-7-trial',
      terms: {
        recipients: [builder.did],
        fields: SHARED,
        count: TRIAL_RECORDS,
        agreementAge: `PT${TRIAL_SECONDS}S`,
      },
    }),
  )
  await call(operator.api.post('/api/v1/datasets/pump-7/publish'))
  step({
    en: `The operator publishes ${SHARED.length} of ${SIGNALS.length} signals, five records a second, until ${until} (dataset pump-7)`,
    de: `Der Betreiber veröffentlicht ${SHARED.length} von ${SIGNALS.length} Signalen, fünf Einträge je Sekunde, bis ${until} (Datensatz pump-7)`,
  })

  const catalog = await call(
    builder.api.get(`/api/v1/partners/${encodeURIComponent(operator.did)}/catalog/pump-7`),
  )
  const offers = list(catalog.offers)
  step({
    en: `The builder reads the catalog and finds ${offers.length} offers on pump-7; the first one says:`,
    de: `Der Maschinenbauer liest den Katalog und findet ${offers.length} Angebote zu pump-7; das erste besagt:`,
  })
  const main = offers.find((offer) => offer.id === 'pump-7-condition')
  for (const clause of list(main?.clauses))
    more(`${clause.number}. ${words(clause.text, lang)} [${words(clause.enforcement, lang)}]`)

  const contract = await negotiate(builder, operator, 'pump-7-condition')
  step({
    en: `Negotiated and signed by both in ${contract.tookMs} ms: contract ${contract.id}`,
    de: `Verhandelt und von beiden signiert in ${contract.tookMs} ms: Vertrag ${contract.id}`,
  })

  const transfer = await startTransfer(builder, contract.id)
  const history = await readLines(builder.api, `/api/v1/transfers/${encodeURIComponent(transfer)}/data`)
  const last = history.lines.at(-1)
  if (last === undefined) throw new StepFailed('The history is empty although the machine publishes.')
  const records = history.lines.length
  step({
    en: `History pulled: ${records} ${records === 1 ? 'record' : 'records'}; the machine sent ${machine.published()}. The last one:`,
    de: `Verlauf abgeholt: ${records} ${records === 1 ? 'Eintrag' : 'Einträge'}; die Maschine sandte ${machine.published()}. Der letzte:`,
  })
  more(last)

  const live = followEvents(builder.api, `/api/v1/transfers/${encodeURIComponent(transfer)}/stream`, lang)
  world.use(live)
  await live.records(3, STEP_TIMEOUT_MS)
  step({
    en: 'Live stream runs; flow and speed never leave the operator:',
    de: 'Die Live-Daten fließen; Durchfluss und Drehzahl verlassen den Betreiber nie:',
  })
  for (const record of live.seen().slice(0, 3)) more(record)

  const trial = await negotiate(builder, operator, 'pump-7-trial')
  const trialTransfer = await startTransfer(builder, trial.id)
  const trialData = `/api/v1/transfers/${encodeURIComponent(trialTransfer)}/data`
  const sample = await readLines(builder.api, `${trialData}?limit=${TRIAL_RECORDS}`)
  const tooMuch = await readLines(builder.api, `${trialData}?limit=1`, lang)
  if (tooMuch.refusal === undefined) throw new StepFailed('The quota of the trial contract was not enforced.')
  refused({
    en: `A trial contract allows ${TRIAL_RECORDS} records; ${sample.lines.length} came, and the next request is refused:`,
    de: `Ein Probevertrag erlaubt ${TRIAL_RECORDS} Einträge; ${sample.lines.length} kamen, die nächste Anfrage wird abgelehnt:`,
  })
  more(tooMuch.refusal)

  const expiresAt = Date.parse(trial.agreedAt) + TRIAL_SECONDS * 1000
  await pause(Math.max(0, expiresAt - Date.now() + 50))
  const late = await call(builder.api.post('/api/v1/transfers', { contract: trial.id }))
  const ended = await until_(
    builder,
    `/api/v1/transfers/${encodeURIComponent(String(late.pid))}`,
    (t) => t.state === 'TERMINATED',
  )
  refused({
    en: `It also ends after ${TRIAL_SECONDS} seconds; a new transfer is refused:`,
    de: `Er endet zudem nach ${TRIAL_SECONDS} Sekunden; eine neue Übertragung wird abgelehnt:`,
  })
  more(String(ended.reason))

  const revokedAt = Date.now()
  await call(
    operator.api.post(`/api/v1/contracts/${encodeURIComponent(contract.id)}/revoke`, {
      reason: { en: 'Pump 7 is taken out of service.', de: 'Pumpe 7 wird stillgelegt.' }[lang],
    }),
  )
  const end = await live.ended(STEP_TIMEOUT_MS)
  step({
    en: `The operator revokes the contract; ${end.at - revokedAt} ms later the stream has ended:`,
    de: `Der Betreiber widerruft den Vertrag; ${end.at - revokedAt} ms später ist der Datenstrom beendet:`,
  })
  more(end.reason)

  const here = await until_(
    builder,
    `/api/v1/contracts/${encodeURIComponent(contract.id)}`,
    (c) => c.status === 'revoked',
  )
  more(
    {
      en: `Builder's view: ${here.status}: ${here.statusReason}`,
      de: `Sicht des Maschinenbauers: widerrufen: ${here.statusReason}`,
    }[lang],
  )

  const verified = await Promise.all(
    [operator, builder].map((company) =>
      call(company.api.get(`/api/v1/contracts/${encodeURIComponent(contract.id)}/verify`)),
    ),
  )
  const signatures = verified.flatMap((v) => list(v.signatures))
  const valid = signatures.filter((s) => s.verdict === 'valid').length
  if (valid !== 6) throw new StepFailed(`Only ${valid} of 6 signatures are valid.`)
  step({
    en: 'The contract stays provable: agreement, countersignature and receipt are valid on both sides',
    de: 'Der Vertrag bleibt beweisbar: Vereinbarung, Gegenzeichnung und Quittung sind auf beiden Seiten gültig',
  })

  const took = ((Date.now() - startedAt) / 1000).toFixed(1)
  print('')
  print({ en: `Done in ${took} s.`, de: `Fertig in ${took.replace('.', ',')} s.` }[lang])
  if (!options.keep) {
    print(
      {
        en: 'Next: handschlag demo --keep leaves both running. For real: handschlag init, then handschlag serve.',
        de: 'Weiter: handschlag demo --keep lässt beide laufen. Im Ernst: handschlag init, dann handschlag serve.',
      }[lang],
    )
    return
  }
  const [a, b] = [operator.configFile, builder.configFile]
  print(
    {
      en: 'Both keep running. Try, in another terminal:',
      de: 'Beide laufen weiter. Zum Ausprobieren in einem anderen Terminal:',
    }[lang],
  )
  print(`  npx handschlag status --config ${a}`)
  print(`  npx handschlag contract list --config ${b}`)
  print(`  npx handschlag negotiate ${operator.did} pump-7 --offer pump-7-condition --config ${b}`)
  print(`  npx handschlag stream CONTRACT --config ${b}`)
  print(
    {
      en: 'Ctrl-C ends everything and removes the folder.',
      de: 'Strg-C beendet alles und entfernt den Ordner.',
    }[lang],
  )
  await new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve)
  })
}

async function introduce(from: Company, to: Company): Promise<string> {
  await call(
    from.api.post('/api/v1/partners', { did: to.did, address: to.publicUrl, name: to.name, seal: 'require' }),
  )
  const partner = await call(from.api.post(`/api/v1/partners/${encodeURIComponent(to.did)}/trust`))
  return String(partner.fingerprint)
}

async function negotiate(
  consumer: Company,
  provider: Company,
  offer: string,
): Promise<{ readonly id: string; readonly agreedAt: string; readonly tookMs: number }> {
  const startedAt = Date.now()
  const begun = await call(
    consumer.api.post('/api/v1/negotiations', { partner: provider.did, dataset: 'pump-7', offer }),
  )
  const path = `/api/v1/negotiations/${encodeURIComponent(String(begun.pid))}`
  const done = await until_(consumer, path, (n) => n.state === 'FINALIZED' || n.state === 'TERMINATED')
  if (done.state !== 'FINALIZED') throw new StepFailed(`The negotiation ended: ${done.reason}`)
  const tookMs = Date.now() - startedAt
  const contract = await call(
    consumer.api.get(`/api/v1/contracts/${encodeURIComponent(String(done.contract))}`),
  )
  return { id: String(contract.id), agreedAt: String(contract.agreedAt), tookMs }
}

async function startTransfer(consumer: Company, contract: string): Promise<string> {
  const begun = await call(consumer.api.post('/api/v1/transfers', { contract }))
  const pid = String(begun.pid)
  const path = `/api/v1/transfers/${encodeURIComponent(pid)}`
  const done = await until_(consumer, path, (t) => t.state === 'STARTED' || t.state === 'TERMINATED')
  if (done.state !== 'STARTED') throw new StepFailed(`The transfer ended: ${done.reason}`)
  return pid
}

async function call(answer: Promise<Result<Json>>): Promise<Answer> {
  const result = await answer
  if (!result.ok) throw new StepFailed(result.error.message)
  return (result.value ?? {}) as Answer
}

/** Asks until the answer is as wanted. */
async function until_(company: Company, path: string, isDone: (answer: Answer) => boolean): Promise<Answer> {
  const deadline = Date.now() + STEP_TIMEOUT_MS
  while (true) {
    const answer = await call(company.api.get(path))
    if (isDone(answer)) return answer
    if (Date.now() > deadline)
      throw new StepFailed(`${company.name}: ${path} stays ${String(answer.state ?? answer.status)}.`)
    await pause(10)
  }
}

const list = (value: Json | undefined): readonly Answer[] =>
  Array.isArray(value) ? (value as readonly Answer[]) : []

const words = (text: Json | undefined, lang: Lang): string =>
  String((text as Answer | undefined)?.[lang] ?? '')
