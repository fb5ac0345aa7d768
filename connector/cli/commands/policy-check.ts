/** `policy check`: what is wrong with a policy by itself, and what this connector cannot enforce in it. */
import { type Command, EXIT, say, sayJson } from '../command.js'
import { inLang } from './connected.js'
import { readDescription } from './file-input.js'
import { failed } from './policy-evaluate.js'

export const checkCommand: Command = {
  name: 'policy check',
  summary: {
    en: 'find contradictions, idle rules and what cannot be enforced in a policy',
    de: 'Widersprüche, wirkungslose Regeln und nicht Durchsetzbares in einer Policy finden',
  },
  usage: 'POLICY [options]',
  operands: [1, 1],
  options: {
    profile: {
      type: 'string',
      value: 'IRI',
      multiple: true,
      about: { en: 'a further ODRL profile to accept', de: 'ein weiteres ODRL-Profil annehmen' },
    },
  },
  json: true,
  examples: ['handschlag policy check policy.json'],
  run: async (call) => {
    const read = await readDescription(call, call.operands[0] ?? '')
    if (!read.ok) return failed(call, read.error)
    const [{ readPolicy }, { checkPolicy, unenforceable }] = await Promise.all([
      import('../../policy/odrl/read.js'),
      import('../../policy/analysis/check.js'),
    ])
    const policy = readPolicy(read.value, call.values('profile'))
    if (!policy.ok) return failed(call, policy.error)
    const findings = [...checkPolicy(policy.value), ...unenforceable(read.value)]
    if (call.json) sayJson(call, { findings })
    else if (findings.length === 0) say(call, inLang(call, 'Nothing was found.', 'Es wurde nichts gefunden.'))
    else {
      const { exampleWords } = await import('../../policy/difference-words.js')
      const words = { error: inLang(call, 'Error', 'Fehler'), warning: inLang(call, 'Warning', 'Warnung') }
      for (const { severity, path, text, witness } of findings) {
        const example = exampleWords(witness)
        const shown =
          example === undefined ? '' : ` (${inLang(call, 'example', 'Beispiel')}: ${example[call.lang]})`
        say(call, `${words[severity]}: ${path === '' ? '' : `${path}: `}${text[call.lang]}${shown}`)
      }
    }
    return findings.some(({ severity }) => severity === 'error') ? EXIT.failed : EXIT.ok
  },
}
