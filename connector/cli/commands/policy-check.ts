/**
 * `policy check`: what is wrong with a policy by itself, and what this connector cannot enforce in it; of several policies,
 * whether they can be kept together.
 */

import type { Common } from '../../policy/analysis/common.js'
import type { OdrlPolicy } from '../../policy/odrl/policy.js'
import { pathWords, withPlaces } from '../../policy/path-words.js'
import { type Call, type Command, EXIT, say, sayJson, usageError } from '../command.js'
import { inLang } from './connected.js'
import { readDescription } from './file-input.js'
import { runBatch } from './policy-batch.js'
import { failed } from './policy-evaluate.js'

/** Which tier of offers the policy belongs to, and the clauses that make it so; undefined for what cannot be offered. */
async function tierOf(json: unknown) {
  const [{ parsePolicy }, { tiersOf }, { tierClauses, tierWords }] = await Promise.all([
    import('../../policy/parse.js'),
    import('../../policy/tier.js'),
    import('../../policy/tier-words.js'),
  ])
  const parsed = parsePolicy(json)
  if (!parsed.ok) return undefined
  const { tier, refused } = tiersOf(parsed.value)
  return refused.length > 0
    ? undefined
    : { number: tier, text: tierWords(tier), clauses: tierClauses(parsed.value) }
}

export const checkCommand: Command = {
  name: 'policy check',
  summary: {
    en: 'find contradictions, idle rules and what cannot be enforced in a policy, or in several together',
    de: 'Widersprüche, wirkungslose Regeln und nicht Durchsetzbares in einer Policy finden, oder in mehreren zusammen',
  },
  usage: 'POLICY [POLICY...] | --batch [FILE] [options]',
  operands: [0, 32],
  options: {
    batch: {
      type: 'boolean',
      about: {
        en: 'read lines of JSON {id, policy} or {id, policies} from FILE or stdin, write lines {id, verdict, satisfiable, findings, ...}',
        de: 'JSON-Zeilen {id, policy} oder {id, policies} aus FILE oder stdin lesen, Zeilen {id, verdict, satisfiable, findings, ...} schreiben',
      },
    },
    profile: {
      type: 'string',
      value: 'IRI',
      multiple: true,
      about: { en: 'a further ODRL profile to accept', de: 'ein weiteres ODRL-Profil annehmen' },
    },
  },
  json: true,
  examples: [
    'handschlag policy check policy.json',
    'handschlag policy check offer.json group-rules.json licence.json',
  ],
  run: async (call) => {
    if (call.flag('batch')) {
      const { checkLine } = await import('../../policy/batch-check.js')
      const options = { lang: call.lang, profiles: call.values('profile') }
      return runBatch(call, call.operands[0], (line) => checkLine(line, options))
    }
    if (call.operands.length === 0) return usageError(call, NAME_ONE, 'policy check')
    if (call.operands.length > 1) return checkTogether(call)
    const read = await readDescription(call, call.operands[0] ?? '')
    if (!read.ok) return failed(call, read.error)
    const [{ readPolicy }, { checkPolicy, unenforceable }] = await Promise.all([
      import('../../policy/odrl/read.js'),
      import('../../policy/analysis/check.js'),
    ])
    const policy = readPolicy(read.value, call.values('profile'))
    if (!policy.ok) return failed(call, policy.error)
    const findings = [...checkPolicy(policy.value), ...unenforceable(read.value)]
    const tier = await tierOf(read.value)
    if (call.json) sayJson(call, { findings, ...(tier === undefined ? {} : { tier }) })
    else if (findings.length === 0) say(call, inLang(call, 'Nothing was found.', 'Es wurde nichts gefunden.'))
    else {
      const { exampleWords } = await import('../../policy/difference-words.js')
      const words = {
        error: inLang(call, 'Error', 'Fehler'),
        warning: inLang(call, 'Warning', 'Warnung'),
        info: inLang(call, 'Note', 'Hinweis'),
      }
      for (const { severity, path, text, witness } of findings) {
        const example = exampleWords(witness)
        const shown =
          example === undefined ? '' : ` (${inLang(call, 'example', 'Beispiel')}: ${example[call.lang]})`
        const place = path === '' ? '' : `${pathWords(path)[call.lang]}: `
        say(call, `${words[severity]}: ${place}${withPlaces(text)[call.lang]}${shown}`)
      }
    }
    if (!call.json && tier !== undefined) {
      const number = inLang(call, `Tier ${tier.number} of 3`, `Stufe ${tier.number} von 3`)
      say(call, `${number}: ${tier.text[call.lang]}`)
      for (const clause of tier.clauses) say(call, `  ${clause[call.lang]}`)
    }
    return findings.some(({ severity }) => severity === 'error') ? EXIT.failed : EXIT.ok
  },
}

const NAME_ONE = {
  en: 'Name a file with a policy, or use --batch.',
  de: 'Nennen Sie eine Datei mit einer Policy, oder nutzen Sie --batch.',
}

/** Whether all policies allow something in common, and which of their rules contradict each other. */
async function checkTogether(call: Call): Promise<number> {
  const [{ readPolicy }, { common }] = await Promise.all([
    import('../../policy/odrl/read.js'),
    import('../../policy/analysis/common.js'),
  ])
  const policies: OdrlPolicy[] = []
  for (const file of call.operands) {
    const read = await readDescription(call, file)
    if (!read.ok) return failed(call, read.error)
    const policy = readPolicy(read.value, call.values('profile'), `${file}:`)
    if (!policy.ok) return failed(call, policy.error)
    policies.push(policy.value)
  }
  const found = common(policies)
  if (call.json) sayJson(call, found)
  else await tell(call, found)
  return found.verdict === 'conflict' ? EXIT.failed : EXIT.ok
}

async function tell(call: Call, found: Common): Promise<void> {
  const { exampleWords } = await import('../../policy/difference-words.js')
  const example = exampleWords(found.witness)
  const shown =
    example === undefined ? '' : ` (${inLang(call, 'example', 'Beispiel')}: ${example[call.lang]})`
  const words = {
    conflict: inLang(call, 'The policies contradict each other.', 'Die Policies widersprechen sich.'),
    compatible: inLang(
      call,
      `The policies can be kept together${shown}.`,
      `Die Policies lassen sich zusammen einhalten${shown}.`,
    ),
    unknown: inLang(
      call,
      'Whether the policies can be kept together cannot be told.',
      'Ob sich die Policies zusammen einhalten lassen, ist nicht feststellbar.',
    ),
  }
  say(call, words[found.verdict])
  if (found.verdict === 'conflict' && found.overlap === 'no') {
    say(call, inLang(call, 'There is nothing that all of them allow.', 'Es gibt nichts, was alle erlauben.'))
  }
  for (const [index, answer] of found.satisfiable.entries()) {
    const file = call.operands[index] ?? ''
    if (answer === 'no')
      say(call, inLang(call, `${file} allows nothing at all.`, `${file} erlaubt überhaupt nichts.`))
  }
  for (const { permission, prohibition, answer } of found.clashes) {
    say(
      call,
      answer === 'yes'
        ? inLang(
            call,
            `Some use is allowed by ${permission} and prohibited by ${prohibition}.`,
            `Manche Nutzung ist durch ${permission} erlaubt und durch ${prohibition} verboten.`,
          )
        : inLang(
            call,
            `Whether ${prohibition} prohibits something that ${permission} allows cannot be told.`,
            `Ob ${prohibition} etwas verbietet, was ${permission} erlaubt, ist nicht feststellbar.`,
          ),
    )
  }
  for (const { duty, prohibition, blocked } of found.blockedDuties) {
    if (blocked === 'perhaps') continue
    say(
      call,
      inLang(
        call,
        `What ${duty} demands, ${prohibition} prohibits.`,
        `Was ${duty} verlangt, verbietet ${prohibition}.`,
      ),
    )
  }
}
