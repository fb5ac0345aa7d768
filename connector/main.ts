#!/usr/bin/env node
/** argv in, exit code out: the only place that ends the process. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { doctorParts } from './assembly/doctor.js'
import { serveCommand } from './assembly/serve.js'
import { connectorCommands } from './cli/commands/table.js'
import { baseCommands } from './cli/commands.js'
import { unexpected } from './cli/errors.js'
import { runCli } from './cli/run.js'
import { chooseLang } from './cli/text.js'
import { demoCommand } from './demo/command.js'

const startedAt = Date.now() - process.uptime() * 1000

/** The version of the package this file belongs to: from source, from dist, or installed. */
function ownVersion(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      if (manifest.name === 'handschlag') return String(manifest.version)
    } catch {
      // No manifest here: it is further up.
    }
  }
  return 'unknown'
}

const version = ownVersion()
const commands = [
  demoCommand,
  serveCommand({ version, startedAt }),
  ...baseCommands({ version, ...doctorParts }),
  ...connectorCommands,
]
const io = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  isTTY: process.stdin.isTTY === true,
}

// A reader that goes away, such as `| head`, ends the output and not with an error.
process.stdout.on('error', (cause: NodeJS.ErrnoException) => process.exit(cause.code === 'EPIPE' ? 0 : 1))

try {
  process.exitCode = await runCli(process.argv.slice(2), io, commands)
} catch (cause) {
  process.stderr.write(`${unexpected(cause, 'handschlag', chooseLang(undefined, process.env))}\n`)
  process.exitCode = 1
}
if (process.exitCode !== 0 || process.argv[2] === 'serve') process.exit(process.exitCode)
