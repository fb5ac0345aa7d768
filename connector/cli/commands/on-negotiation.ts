/** The frame of the commands that name one negotiation, and the reason that some of them tell the partner. */
import { type Command, usageError } from '../command.js'
import { connected, fail, type Here } from './connected.js'
import { findOne } from './ids.js'

/** A command that names one negotiation. */
export function onNegotiation(
  name: string,
  summary: Command['summary'],
  work: (here: Here, pid: string) => Promise<number>,
  options: Command['options'] = {},
  {
    usage = 'ID [options]',
    operands = [1, 1],
  }: { readonly usage?: string; readonly operands?: readonly [number, number] } = {},
): Command {
  return {
    name: `negotiation ${name}`,
    summary,
    usage,
    operands,
    options,
    json: true,
    run: (call) =>
      connected(call, async (here) => {
        const found = await findOne(here, ['negotiation'], call.operands[0] ?? '')
        return found.ok ? work(here, found.value.id) : fail(here, found.error, 'negotiation list')
      }),
  }
}

export const REASON = {
  reason: {
    type: 'string',
    value: 'TEXT',
    about: { en: 'why; the partner is told', de: 'warum; der Partner erfährt es' },
  },
} as const

/** The same command, which must be told why. */
export const withReason = (command: Command): Command => ({
  ...command,
  usage: 'ID --reason TEXT',
  run: async (call) =>
    (call.value('reason') ?? '').trim() === ''
      ? usageError(
          call,
          {
            en: '--reason is missing: the partner is told why.',
            de: '--reason fehlt: Der Partner erfährt den Grund.',
          },
          command.name,
        )
      : command.run(call),
})
