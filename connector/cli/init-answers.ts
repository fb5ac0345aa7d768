/** What `init` must know: from flags, from the environment, and at a terminal from the person. */
import { createInterface } from 'node:readline/promises'
import type { Text } from '../core/types.js'
import { type Call, complain, EXIT, usageError } from './command.js'

export const DEV_URL = 'https://localhost:8484'
const DEV_NAME = 'Development'

/** What init needs and may ask for. */
const QUESTIONS = {
  publicUrl: {
    flag: 'public-url',
    ask: {
      en: 'Public address, where partners reach this connector (https://connector.example.com): ',
      de: 'Öffentliche Adresse, unter der Partner diesen Connector erreichen (https://connector.example.com): ',
    },
  },
  name: {
    flag: 'name',
    ask: { en: 'Name of your company: ', de: 'Name Ihres Unternehmens: ' },
  },
} as const satisfies Record<string, { readonly flag: string; readonly ask: Text }>

type Question = keyof typeof QUESTIONS

export type Answers = Readonly<Record<Question, string>>

/** The answers from flags and, at a terminal, from the person; or the exit code when something stays open. */
export async function collectAnswers(call: Call): Promise<Answers | number> {
  const { SETTINGS } = await import('../config/settings.js')
  if (call.flag('no-tls') && (call.flag('dev') || call.value('tls-cert') !== undefined)) {
    return usageError(
      call,
      {
        en: '--no-tls leaves nothing for a certificate to do. Name one of the two.',
        de: 'Mit --no-tls wird kein Zertifikat gebraucht. Geben Sie eines von beiden an.',
      },
      'init',
    )
  }
  if ((call.value('tls-cert') === undefined) !== (call.value('tls-key') === undefined)) {
    return usageError(
      call,
      { en: '--tls-cert and --tls-key belong together.', de: '--tls-cert und --tls-key gehören zusammen.' },
      'init',
    )
  }
  const dev = call.flag('dev')
  if (call.value('dev-ca') !== undefined && (!dev || call.value('tls-cert') !== undefined)) {
    return usageError(
      call,
      {
        en: '--dev-ca is for development certificates: it needs --dev and goes without --tls-cert.',
        de: '--dev-ca gehört zu Entwicklungszertifikaten: Es braucht --dev und steht nicht neben --tls-cert.',
      },
      'init',
    )
  }
  const given: Readonly<Record<Question, string | undefined>> = {
    publicUrl: call.value('public-url') ?? call.io.env.HANDSCHLAG_PUBLIC_URL ?? (dev ? DEV_URL : undefined),
    name: call.value('name') ?? call.io.env.HANDSCHLAG_NAME ?? (dev ? DEV_NAME : undefined),
  }
  const check = (question: Question, raw: string): Text | string => {
    const setting = SETTINGS[question]
    const parsed = setting.parse(raw)
    return 'value' in parsed
      ? parsed.value
      : (parsed.fix ?? expectation(question, parsed.expected, setting.example))
  }
  const answers: Partial<Record<Question, string>> = {}
  for (const question of ['publicUrl', 'name'] as const) {
    const raw = given[question]
    const answer =
      raw === undefined
        ? await askPerson(call, question, (text) => check(question, text))
        : check(question, raw)
    if (answer === undefined) return missing(call, question)
    if (typeof answer !== 'string') return usageError(call, answer, 'init')
    answers[question] = answer
  }
  const { publicUrl, name } = answers
  if (publicUrl === undefined || name === undefined) throw new Error('a question was left out')
  return { publicUrl, name }
}

const expectation = (question: Question, expected: Text, example: string): Text => ({
  en: `--${QUESTIONS[question].flag} takes ${expected.en}, for example ${example}`,
  de: `--${QUESTIONS[question].flag} nimmt ${expected.de}, zum Beispiel ${example}`,
})

function missing(call: Call, question: Question): number {
  const { flag } = QUESTIONS[question]
  if (call.io.isTTY) {
    complain(call, { en: '\nNothing was changed.', de: '\nEs wurde nichts geändert.' }[call.lang])
    return EXIT.failed
  }
  return usageError(
    call,
    {
      en: `--${flag} is missing, and there is no terminal to ask at. Nothing was changed.`,
      de: `--${flag} fehlt, und es gibt kein Terminal für eine Rückfrage. Es wurde nichts geändert.`,
    },
    'init',
  )
}

/** How often a person is asked again before init gives up. */
const TRIES = 3

async function askPerson(
  call: Call,
  question: Question,
  check: (text: string) => Text | string,
): Promise<string | Text | undefined> {
  if (!call.io.isTTY) return undefined
  const terminal = createInterface({ input: call.io.stdin, output: call.io.stdout })
  // Ctrl-C, Ctrl-D and a closed window leave the question open for ever.
  const gone = new AbortController()
  terminal.once('close', () => gone.abort())
  try {
    for (let i = 1; ; i++) {
      const line = await terminal.question(QUESTIONS[question].ask[call.lang], { signal: gone.signal })
      const answer = check(line.trim())
      if (typeof answer === 'string' || i === TRIES) return answer
      complain(call, answer[call.lang])
    }
  } catch (cause) {
    if (gone.signal.aborted) return undefined
    throw cause
  } finally {
    terminal.close()
  }
}
