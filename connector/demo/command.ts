/** `demo`: the main job from end to end on this machine, in seconds; every line is one step that really happened. */

import type { Command } from '../cli/command.js'
import { complain, EXIT, say } from '../cli/command.js'
import { textOf } from '../core/result.js'

export const demoCommand: Command = {
  name: 'demo',
  summary: {
    en: 'watch two companies share machine data under a signed contract',
    de: 'zusehen, wie zwei Firmen Maschinendaten unter signiertem Vertrag teilen',
  },
  usage: '[--keep] [--broker URL]',
  options: {
    keep: {
      type: 'boolean',
      about: {
        en: 'leave both connectors running until Ctrl-C, to try more',
        de: 'beide Connectoren bis Strg-C weiterlaufen lassen, zum Ausprobieren',
      },
    },
    broker: {
      type: 'string',
      value: 'URL',
      about: {
        en: 'use this MQTT broker instead of the embedded one',
        de: 'diesen MQTT-Broker statt des eingebauten benutzen',
      },
    },
  },
  examples: ['handschlag demo', 'handschlag demo --keep', 'handschlag demo --broker mqtt://127.0.0.1:1883'],
  run: async (call) => {
    const { playDemo } = await import('./story.js')
    const broker = call.value('broker')
    const outcome = await playDemo({
      lang: call.lang,
      keep: call.flag('keep'),
      ...(broker === undefined ? {} : { broker }),
      print: (line) => say(call, line),
    })
    if (outcome.ok) return EXIT.ok
    complain(call, textOf(outcome.error)[call.lang])
    return EXIT.failed
  },
}
