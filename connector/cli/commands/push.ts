/** `push`: has the provider deliver the data of a contract, to a file or a broker of this connector, for as long as it runs. */
import type { Text } from '../../core/types.js'
import { type Call, type Command, usageError } from '../command.js'
import { connected } from './connected.js'
import type { FollowDeps } from './deps.js'
import { WAIT_OPTION, waitOf } from './follow-process.js'
import { beginTransfer } from './transfer.js'
import { instantOf } from './when.js'

const WAIT = 60_000
const PASSWORD_VARIABLE = 'HANDSCHLAG_MQTT_PASSWORD'

export const pushCommand = (deps: FollowDeps): Command => ({
  name: 'push',
  summary: {
    en: 'have the data of a contract delivered here, to a file or an MQTT broker, without a command that runs',
    de: 'die Daten zu einem Vertrag hierher zustellen lassen, in eine Datei oder an einen MQTT-Broker, ohne laufenden Befehl',
  },
  usage: 'CONTRACT [options]',
  operands: [1, 1],
  options: {
    to: {
      type: 'string',
      value: 'file:NAME|mqtt://HOST/TOPIC',
      about: {
        en: 'where the data goes: a file below receiveDir (records as NDJSON; default: named after the transfer), or a broker',
        de: 'wohin die Daten kommen: eine Datei unter receiveDir (Einträge als NDJSON; sonst nach der Übertragung benannt) oder ein Broker',
      },
    },
    username: {
      type: 'string',
      value: 'NAME',
      about: {
        en: `user at that broker; its password comes from ${PASSWORD_VARIABLE} and is stored encrypted`,
        de: `Benutzer an diesem Broker; das Passwort kommt aus ${PASSWORD_VARIABLE} und wird verschlüsselt gespeichert`,
      },
    },
    from: {
      type: 'string',
      value: 'TIME',
      about: {
        en: 'earliest time of a record; without it everything there is',
        de: 'früheste Zeit eines Eintrags; sonst alles, was da ist',
      },
    },
    until: {
      type: 'string',
      value: 'TIME',
      about: {
        en: 'end of the time, itself excluded; the transfer ends with it',
        de: 'Ende der Zeit, selbst ausgeschlossen; damit endet die Übertragung',
      },
    },
    wait: WAIT_OPTION,
  },
  examples: [
    'handschlag push 3f2a91c4 --to file:pump.ndjson',
    'handschlag push 3f2a91c4 --to mqtt://127.0.0.1/partner/pump',
    'handschlag push 3f2a91c4 --from 2026-11-01 --until 2026-12-01',
  ],
  json: true,
  run: async (call) => {
    const waitMs = waitOf(call.value('wait'), WAIT)
    if (typeof waitMs !== 'number') return usageError(call, waitMs, 'push')
    const wish = wishOf(call)
    if ('en' in wish) return usageError(call, wish, 'push')
    return connected(call, (here) => beginTransfer(here, deps, wish.body, waitMs))
  },
})

type Wish = { readonly body: { readonly [name: string]: unknown } }

function wishOf(call: Call): Wish | Text {
  const to = call.value('to')
  const username = call.value('username')
  const isBroker = to !== undefined && /^mqtts?:\/\//.test(to)
  if (username !== undefined && !isBroker) {
    return {
      en: '--username belongs to a broker: --to mqtt://HOST/TOPIC.',
      de: '--username gehört zu einem Broker: --to mqtt://HOST/TOPIC.',
    }
  }
  const from = timeOf(call, 'from')
  if (typeof from === 'object') return from
  const until = timeOf(call, 'until')
  if (typeof until === 'object') return until
  if (from !== undefined && until !== undefined && Date.parse(until) <= Date.parse(from)) {
    return { en: '--until has to be later than --from.', de: '--until muss nach --from liegen.' }
  }
  const password = call.io.env[PASSWORD_VARIABLE]
  const body = {
    format: 'HttpData-PUSH',
    ...(to === undefined
      ? {}
      : {
          sink: {
            // A plain name is a file.
            to: isBroker || to.startsWith('file:') ? to : `file:${to}`,
            ...(username === undefined ? {} : { username }),
            ...(username === undefined || password === undefined ? {} : { password }),
          },
        }),
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { to: until }),
  }
  return { body }
}

function timeOf(call: Call, flag: 'from' | 'until'): string | undefined | Text {
  const given = call.value(flag)
  if (given === undefined) return undefined
  return (
    instantOf(given) ?? {
      en: `--${flag} takes a time such as 2026-11-23T08:00, 2026-11-23T08:00:00Z, or a day.`,
      de: `--${flag} nimmt eine Zeit, etwa 2026-11-23T08:00, 2026-11-23T08:00:00Z, oder einen Tag.`,
    }
  )
}
