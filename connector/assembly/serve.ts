/** The command `serve`: starts the connector, prints the banner, and stays until it is told to stop. */

import type { Command, Io } from '../cli/command.js'
import { complain, EXIT, say } from '../cli/command.js'
import { openConfig } from '../cli/context.js'
import { textOf } from '../core/result.js'

export const serveCommand = (m: { readonly version: string; readonly startedAt: number }): Command => ({
  name: 'serve',
  summary: { en: 'start the connector', de: 'den Connector starten' },
  usage: '[--dev]',
  options: {
    dev: {
      type: 'boolean',
      about: { en: 'accept development certificates', de: 'Entwicklungszertifikate annehmen' },
    },
  },
  examples: ['handschlag serve', 'handschlag serve --config /etc/handschlag.yaml'],
  run: async (call) => {
    const opened = await openConfig(call)
    if (!opened.ok) return opened.exitCode
    const { config, lang } = opened
    const [{ startConnector }, { createLog }, { systemClock }, { banner }] = await Promise.all([
      import('../app.js'),
      import('../core/log.js'),
      import('../core/types.js'),
      import('../cli/banner.js'),
    ])
    const log = createLog(config.logLevel)
    const stop = stopSignal()
    try {
      const started = await startConnector(config, {
        clock: systemClock,
        log,
        dev: call.flag('dev'),
        version: m.version,
      })
      if (!started.ok) {
        complain(call, textOf(started.error)[lang])
        return EXIT.failed
      }
      await using connector = started.value
      const { store } = connector
      const facts = {
        version: m.version,
        readyMs: Math.round(Date.now() - m.startedAt),
        dspUrl: connector.dspAddress,
        listening: connector.listening,
        managementUrl: connector.managementUrl,
        participantId: connector.did,
        keyId: connector.keyName,
        dataDir: config.dataDir,
        schema: store.schemaVersion(),
        datasets: store.datasets().length,
        agreements: store.agreements().length,
        owed: store.owedCount().count,
        ...(connector.setupCode === undefined
          ? {}
          : { setup: { url: `${connector.managementUrl}/setup#${connector.setupCode}`, validMinutes: 30 } }),
      }
      say(call, banner(facts, { isTTY: isTerminal(call.io), lang }))
      const signal = await stop
      log.info({ signal }, 'stopping')
    } catch (cause) {
      const { explainStartFailure } = await import('../cli/errors.js')
      const sentence = explainStartFailure(cause, { lang, config })
      if (sentence === undefined) throw cause
      complain(call, sentence)
      return EXIT.failed
    }
    return EXIT.ok
  },
})

const isTerminal = (io: Io): boolean => 'isTTY' in io.stdout && io.stdout.isTTY === true

/** The first SIGINT or SIGTERM begins the orderly end; a second one ends the process at once, as the system would. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal))
  })
}
