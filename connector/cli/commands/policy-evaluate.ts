/** `policy evaluate`: judges uses under ODRL policies, one by one for people or as a batch for programs. */

import { type Problem, problem, type Result, textOf } from '../../core/result.js'
import { type Call, type Command, complain, EXIT, say, sayJson, usageError } from '../command.js'
import { inLang } from './connected.js'
import { readDescription } from './file-input.js'
import { runBatch } from './policy-batch.js'

export const evaluateCommand: Command = {
  name: 'policy evaluate',
  summary: {
    en: 'judge uses of data under ODRL policies of any make',
    de: 'Nutzungen nach ODRL-Policies beliebiger Herkunft beurteilen',
  },
  usage: '[POLICY REQUEST [STATE]] | --batch [FILE] [options]',
  operands: [0, 3],
  options: {
    batch: {
      type: 'boolean',
      about: {
        en: 'read lines of JSON {id, policy, request, state} from FILE or stdin, write lines {id, decision, rules, duties, trace}',
        de: 'JSON-Zeilen {id, policy, request, state} aus FILE oder stdin lesen, Zeilen {id, decision, rules, duties, trace} schreiben',
      },
    },
    duties: {
      type: 'string',
      value: 'MODE',
      about: {
        en: 'how duties of a permission count: "before" (done before the use, the default) or "eventual" (not violated); a line may say otherwise by its member "duties"',
        de: 'wie Pflichten einer Erlaubnis zählen: „before“ (vor der Nutzung erfüllt, Voreinstellung) oder „eventual“ (nicht verletzt); eine Zeile kann mit „duties“ anderes bestimmen',
      },
    },
    profile: {
      type: 'string',
      value: 'IRI',
      multiple: true,
      about: {
        en: 'a further ODRL profile to accept; policies with other profiles are refused',
        de: 'ein weiteres ODRL-Profil annehmen; Policies mit anderen Profilen werden abgelehnt',
      },
    },
    reading: {
      type: 'string',
      value: 'READING',
      about: {
        en: 'how policies are read: "odrl" (the default) or "edc": a prediction of what an EDC provider would do, which drops terms it does not know and wants all permissions fulfilled',
        de: 'wie Policies gelesen werden: „odrl“ (Voreinstellung) oder „edc“: eine Vorhersage, was ein EDC-Anbieter täte, der unbekannte Bedingungen weglässt und alle Erlaubnisse erfüllt sehen will',
      },
    },
    bound: {
      type: 'string',
      value: 'IRI',
      multiple: true,
      about: {
        en: 'with --reading edc: a further left operand that the provider evaluates',
        de: 'mit --reading edc: ein weiterer linker Operand, den der Anbieter auswertet',
      },
    },
    report: {
      type: 'boolean',
      about: {
        en: 'add the compliance report (JSON-LD, FORCE vocabulary)',
        de: 'den Prüfbericht beifügen (JSON-LD, FORCE-Vokabular)',
      },
    },
  },
  json: true,
  examples: [
    'handschlag policy evaluate policy.json request.json state.json',
    'handschlag policy evaluate policy.json request.json state.json --reading edc',
    `echo '{"id":1,"policy":{"permission":[{"action":"use","constraint":[{"leftOperand":"dateTime","operator":"lt","rightOperand":"2027-01-01T00:00:00Z"}]}]},"request":{"action":"use"},"state":{"at":"2026-06-01T00:00:00Z"}}' | handschlag policy evaluate --batch`,
  ],
  run: async (call) => {
    const duties = call.value('duties') ?? 'before'
    if (duties !== 'before' && duties !== 'eventual') {
      return usageError(
        call,
        { en: '--duties takes before or eventual.', de: '--duties nimmt before oder eventual.' },
        'policy evaluate',
      )
    }
    const reading = call.value('reading') ?? 'odrl'
    if (reading !== 'odrl' && reading !== 'edc') {
      return usageError(
        call,
        { en: '--reading takes odrl or edc.', de: '--reading nimmt odrl oder edc.' },
        'policy evaluate',
      )
    }
    if (reading === 'edc') return predict(call)
    const { decisionsOf, evaluateLine } = await import('../../policy/batch.js')
    const options = {
      lang: call.lang,
      profiles: call.values('profile'),
      duties,
      report: call.flag('report'),
    } as const
    if (call.flag('batch')) return runBatch(call, call.operands[0], (line) => evaluateLine(line, options))
    const line = await readParts(call, ['policy', 'request', 'state'])
    if (!line.ok) return failed(call, line.error)
    const decisions = decisionsOf(line.value, options)
    if (!decisions.ok) return failed(call, decisions.error)
    if (decisions.value.length === 0)
      return failed(call, {
        code: 'InvalidMessage',
        message: 'The request asks for no use.',
        messageDe: 'Die Anfrage verlangt keine Nutzung.',
      })
    if (call.json) sayJson(call, evaluateLine(JSON.stringify(line.value), options))
    else {
      const { numberedTrace } = await import('../../policy/odrl/trace.js')
      for (const decision of decisions.value) {
        for (const line of numberedTrace(decision, call.lang)) say(call, line)
      }
    }
    return decisions.value.every(({ allowed }) => allowed) ? EXIT.ok : EXIT.failed
  },
}

/** What an EDC provider would do, labelled as what it is. */
async function predict(call: Call): Promise<number> {
  const { predictLine, prediction } = await import('../../policy/batch-edc.js')
  const options = { lang: call.lang, bound: call.values('bound') }
  if (call.flag('batch')) return runBatch(call, call.operands[0], (line) => predictLine(line, options))
  const line = await readParts(call, ['policy', 'request', 'state'])
  if (!line.ok) return failed(call, line.error)
  const found = prediction(line.value, options)
  if (!found.ok) return failed(call, found.error)
  if (call.json) sayJson(call, predictLine(JSON.stringify(line.value), options))
  else {
    for (const { path, text } of found.value.trace) {
      say(call, path === '' ? text[call.lang] : `  ${path}: ${text[call.lang]}`)
    }
  }
  return found.value.decision === 'permit' ? EXIT.ok : EXIT.failed
}

export function failed(call: Call, error: Problem): number {
  complain(call, textOf(error)[call.lang])
  return EXIT.failed
}

/** The files of a call, by what they are; those that were not named are left out. */
export async function readParts(
  call: Call,
  names: readonly string[],
): Promise<Result<Readonly<Record<string, unknown>>>> {
  const parts: Record<string, unknown> = {}
  for (const [index, name] of names.entries()) {
    const file = call.operands[index]
    if (file === undefined) continue
    const read = await readDescription(call, file)
    if (!read.ok) return read
    parts[name] = read.value
  }
  if (call.operands.length >= 2) return { ok: true, value: parts }
  return problem(
    'InvalidInput',
    inLang(
      call,
      `Name the files, or use --batch. See: handschlag help policy`,
      `Nennen Sie die Dateien, oder nutzen Sie --batch. Siehe: handschlag help policy`,
    ),
  )
}
