/** Processes of a benchmark: forked, asked and answered over IPC, with their CPU time and memory as the system sees them. */
import { type ChildProcess, fork } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Child = AsyncDisposable & {
  readonly pid: number
  /** Calls a function of the child's table. */
  ask<Answer>(name: string, input?: unknown): Promise<Answer>
  /** CPU time so far, user and system, microseconds. */
  cpu(): Promise<number>
}

type Question = { readonly id: number; readonly name: string; readonly input: unknown }
type Reply = { readonly id: number; readonly answer?: unknown; readonly failure?: string }

/** Longest any single question may take, milliseconds: a benchmark ends, whatever happens. */
const PATIENCE = 60_000

/** Starts a compiled module of this folder. `log` is the file that takes its stderr. */
export function startChild(module: string, input: unknown = {}, log?: string): Child {
  const child = fork(join(import.meta.dirname, `${module}.js`), [JSON.stringify(input)], {
    stdio: ['ignore', 'inherit', log === undefined ? 'inherit' : openSync(log, 'a'), 'ipc'],
  })
  const waiting = new Map<number, (reply: Reply) => void>()
  let asked = 0
  child.on('message', (reply: Reply) => {
    waiting.get(reply.id)?.(reply)
    waiting.delete(reply.id)
  })
  child.once('exit', (code) => {
    for (const [id, settle] of waiting) settle({ id, failure: `${module} ended with code ${code}` })
    waiting.clear()
  })
  const ask = <Answer>(name: string, question?: unknown): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const id = ++asked
      const timer = setTimeout(() => {
        waiting.delete(id)
        reject(new Error(`${module} did not answer "${name}" within ${PATIENCE / 1000} s`))
      }, PATIENCE)
      waiting.set(id, ({ answer, failure }) => {
        clearTimeout(timer)
        if (failure === undefined) resolve(answer as Answer)
        else reject(new Error(failure))
      })
      child.send({ id, name, input: question } satisfies Question)
    })
  return {
    pid: child.pid ?? 0,
    ask,
    cpu: () => ask<number>('cpu'),
    [Symbol.asyncDispose]: () => end(child),
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.disconnect()
  const force = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await ended
  clearTimeout(force)
}

export type Answers = Readonly<Record<string, (input: never) => unknown>>

/** The child's side: answers questions until the parent lets go, then cleans up. */
export function answerParent(answers: Answers, cleanUp: () => PromiseLike<void> = async () => {}): void {
  process.on('message', ({ id, name, input }: Question) => {
    const reply = (outcome: Omit<Reply, 'id'>): void => void process.send?.({ id, ...outcome })
    const answer = name === 'cpu' ? cpuOfThis : answers[name]
    Promise.resolve()
      .then(() => answer?.(input as never))
      .then(
        (value) => reply({ answer: value }),
        (cause: unknown) =>
          reply({ failure: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) }),
      )
  })
  process.once('disconnect', () => {
    Promise.resolve(cleanUp()).finally(() => process.exit(0))
  })
}

/** What the parent gave to `startChild`. */
export const childInput = <Input>(): Input => JSON.parse(process.argv[2] ?? '{}') as Input

const cpuOfThis = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** A line of /proc/<pid>/status in bytes; undefined where there is no such file. */
export function memoryOf(pid: number, line: 'VmRSS' | 'VmHWM' = 'VmRSS'): number | undefined {
  try {
    const [, kilobytes] =
      new RegExp(`^${line}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  } catch {
    return undefined
  }
}

/** CPU time of any process so far, milliseconds in steps of the system's clock; undefined where there is no such file. */
export function cpuOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Behind the name, which may hold anything, utime and stime are the 12th and 13th field; a tick is 10 ms.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return undefined
  }
}

/** Samples the memory of a process until stopped; answers the peak, and by how much the second half exceeds the first. */
export function watchMemory(
  pid: number,
  everyMs = 20,
): () => { readonly peak: number; readonly growth: number } {
  const samples: number[] = []
  const look = (): void => void samples.push(memoryOf(pid) ?? 0)
  const timer = setInterval(look, everyMs)
  return () => {
    clearInterval(timer)
    look()
    const half = Math.ceil(samples.length / 2)
    const peak = Math.max(...samples)
    return { peak, growth: peak - Math.max(...samples.slice(0, half)) }
  }
}
