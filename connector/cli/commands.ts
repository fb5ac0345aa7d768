/** The commands of this room. Those that talk to a running connector are added by main.ts behind them. */
import { type Command, EXIT, say, sayJson } from './command.js'
import { policyCommands } from './commands/policy.js'
import { configCheckCommand, configPrintCommand } from './config-commands.js'
import { type DoctorDeps, doctorCommand } from './doctor-command.js'
import { type InitDeps, initCommand } from './init.js'

export type BaseDeps = InitDeps & DoctorDeps & { readonly version: string }

/** `help` is in the table for its own help only: runCli answers it, because it needs the whole table. */
const helpCommand: Command = {
  name: 'help',
  summary: {
    en: 'show this overview, or the help of a command',
    de: 'diese Übersicht zeigen, oder die Hilfe zu einem Befehl',
  },
  usage: '[command]',
  options: {},
  operands: [0, 3],
  run: async () => EXIT.ok,
}

const versionCommand = (version: string): Command => ({
  name: 'version',
  summary: { en: 'print the version', de: 'Version ausgeben' },
  usage: '',
  options: {},
  json: true,
  run: async (call) => {
    if (call.json) sayJson(call, { version, node: process.version })
    else say(call, `handschlag ${version}`)
    return EXIT.ok
  },
})

export const baseCommands = (deps: BaseDeps): readonly Command[] => [
  initCommand(deps),
  doctorCommand(deps),
  configCheckCommand,
  configPrintCommand,
  ...policyCommands,
  helpCommand,
  versionCommand(deps.version),
]
