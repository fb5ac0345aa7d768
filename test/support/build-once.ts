/** Compiles the program before the tests, so that tests can start it as a process of its own. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const BUILT = 'dist/.built'
const SOURCES = ['connector', 'certs-dev']

/** Time of the newest source, milliseconds since the epoch. */
function newestSource(): number {
  const files = SOURCES.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  )
  const stamps = [...files, 'package.json', 'tsconfig.json', 'tsconfig.build.json'].map(
    (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0,
  )
  return Math.max(...stamps)
}

export default function setup(): void {
  const built = statSync(BUILT, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (built > newestSource() && existsSync('dist/connector/main.js')) return
  const startedAt = new Date()
  const { status, stdout } = spawnSync(
    process.execPath,
    ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'],
    { encoding: 'utf8' },
  )
  if (status === 0) {
    writeFileSync(BUILT, startedAt.toISOString())
    return
  }
  // The compiler writes what it can also when types are wrong; the type check is a step of its own.
  console.error(`The program was built with type errors:\n${stdout}`)
  if (!existsSync('dist/connector/main.js')) throw new Error('there is no dist/connector/main.js to test')
}
