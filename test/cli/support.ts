/** A terminal for tests: runs a command in this process and catches what it writes. */
import { PassThrough } from 'node:stream'
import type { Command, Io } from '../../connector/cli/command.js'
import { type BaseDeps, baseCommands } from '../../connector/cli/commands.js'
import { runCli } from '../../connector/cli/run.js'
import { ok } from '../../connector/core/result.js'
import { systemClock } from '../../connector/core/types.js'

export const fakeDeps: BaseDeps = {
  version: '1.2.3',
  clock: systemClock,
  createKeys: async () => ok({ name: '2026-11-a' }),
  loadKeys: async () => ok({ name: '2026-11-a' }),
  createDevCertificates: async (folder, hosts) =>
    ok({ cert: `${folder}/${hosts[0]}.pem`, key: `${folder}/${hosts[0]}.key`, ca: `${folder}/ca.pem` }),
  isDevelopmentCertificate: async () => false,
  partnerUrls: async () => [],
  extraChecks: async () => [],
}

export type Setting = {
  readonly cwd?: string
  readonly env?: Io['env']
  /** Typed at the terminal, one line per question. */
  readonly typed?: readonly string[]
  readonly commands?: readonly Command[]
}

export async function cli(
  argv: readonly string[],
  setting: Setting = {},
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const stdin = new PassThrough()
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const waiting = [...(setting.typed ?? [])]
  const answer = (): void => {
    const line = waiting.shift()
    if (line === undefined) stdin.end()
    else stdin.write(`${line}\n`)
  }
  let out = ''
  let err = ''
  stdout.on('data', (chunk: Buffer) => {
    out += chunk
    if (setting.typed !== undefined && String(chunk).includes(': ')) setImmediate(answer)
  })
  stderr.on('data', (chunk: Buffer) => {
    err += chunk
  })
  const code = await runCli(
    argv,
    {
      stdin,
      stdout,
      stderr,
      env: setting.env ?? {},
      cwd: setting.cwd ?? '/nonexistent',
      isTTY: setting.typed !== undefined,
    },
    setting.commands ?? baseCommands(fakeDeps),
  )
  // What was written is handed over on the next turn of the loop.
  await new Promise((resolve) => setImmediate(resolve))
  return { code, out, err }
}
