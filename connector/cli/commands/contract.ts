/** `contract ...`: what was agreed, whether it holds, and its early end. */
import { type Command, EXIT, say, sayJson, usageError } from '../command.js'
import { renderPairs, renderTable } from '../table.js'
import { answer, connected, fail, type Here, inLang, next, path, quoted } from './connected.js'
import { dutyLine } from './duty.js'
import { findOne, idOf, shortId } from './ids.js'
import { entriesOf, type View, viewOf } from './view.js'
import { whenWords } from './when.js'
import { roleWords, sideWords, signatureWords, signedWords, statusWords, termsWords } from './words.js'

const list: Command = {
  name: 'contract list',
  summary: { en: 'list contracts', de: 'Verträge auflisten' },
  usage: '[options]',
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) =>
      answer(here, await here.client.get('/api/v1/contracts'), (value) => {
        const contracts = entriesOf(value, 'contracts')
        if (contracts.length === 0) {
          say(here, inLang(here, 'There is no contract yet.', 'Es gibt noch keinen Vertrag.'))
          return next(here, 'catalog PARTNER', 'negotiate PARTNER DATASET')
        }
        const ids = contracts.map((contract) => idOf(contract, 'contract'))
        say(
          here,
          renderTable(
            here.lang === 'de'
              ? ['ID', 'Zustand', 'Rolle', 'Partner', 'Datensatz', 'Signiert', 'Geschlossen']
              : ['ID', 'Status', 'Role', 'Partner', 'Dataset', 'Signed', 'Agreed'],
            contracts.map((contract) => [
              shortId(idOf(contract, 'contract'), ids),
              statusWords(contract.text('status'), here.lang),
              roleWords(contract.text('role'), here.lang),
              contract.text('partnerName') || contract.text('partner'),
              contract.text('dataset'),
              signedWords(contract.text('signed'), here.lang),
              whenWords(contract.text('agreedAt'), here.lang),
            ]),
          ),
        )
      }),
    ),
}

function statusLine(here: Here, contract: View): string {
  const side = contract.maybe('statusBy')
  const reason = contract.maybe('statusReason')
  const by = side === undefined ? '' : ` ${sideWords(side, here.lang)}`
  return `${statusWords(contract.text('status'), here.lang)}${by}${reason === undefined ? '' : `: ${reason}`}`
}

function showContract(here: Here, contract: View, verification: View | undefined): void {
  const { lang } = here
  const name = contract.text('partnerName')
  const did = contract.text('partner')
  const pairs: readonly (readonly [string, string])[] = [
    ['ID', contract.text('id')],
    [inLang(here, 'Status', 'Zustand'), statusLine(here, contract)],
    [inLang(here, 'Role', 'Rolle'), roleWords(contract.text('role'), lang)],
    ['Partner', name === '' ? did : `${name} (${did})`],
    [inLang(here, 'Dataset', 'Datensatz'), contract.text('dataset')],
    [inLang(here, 'Agreed', 'Geschlossen'), whenWords(contract.text('agreedAt'), lang)],
    [inLang(here, 'Delivered', 'Geliefert'), contract.text('used')],
    [inLang(here, 'SHA-256 of the text', 'SHA-256 des Textes'), contract.text('hash')],
    ...(verification === undefined
      ? [[inLang(here, 'Signed', 'Signiert'), signedWords(contract.text('signed'), lang)] as const]
      : []),
  ]
  say(here, renderPairs(pairs.filter(([, value]) => value !== '')))
  say(here, `\n${termsWords(contract, lang)}`)
  const duties = contract.views('duties')
  if (duties.length > 0) {
    say(
      here,
      `\n${inLang(here, 'Duties', 'Pflichten')}:\n${duties.map((duty) => dutyLine(duty, lang)).join('\n')}`,
    )
  }
  if (verification !== undefined) {
    say(
      here,
      `\n${inLang(here, 'Signatures', 'Signaturen')}:\n${signatureWords(verification.views('signatures'), lang)}`,
    )
  }
}

function onContract(
  name: string,
  summary: Command['summary'],
  work: (here: Here, id: string) => Promise<number>,
  more: Partial<Command> = {},
): Command {
  return {
    name: `contract ${name}`,
    summary,
    usage: 'ID [options]',
    operands: [1, 1],
    options: {},
    json: true,
    run: (call) =>
      connected(call, async (here) => {
        const found = await findOne(here, ['contract'], call.operands[0] ?? '')
        return found.ok ? work(here, found.value.id) : fail(here, found.error, 'contract list')
      }),
    ...more,
  }
}

const show = onContract(
  'show',
  {
    en: 'show a contract in words, with its status and signatures',
    de: 'einen Vertrag in Worten zeigen, mit Zustand und Signaturen',
  },
  async (here, id) => {
    const found = await here.client.get(path`/contracts/${id}`)
    // For programs the answer stays what the API says; whoever wants the check asks `contract verify`.
    const verified = here.json ? undefined : await here.client.get(path`/contracts/${id}/verify`)
    return answer(here, found, (value) => {
      const contract = viewOf(value)
      showContract(here, contract, verified?.ok === true ? viewOf(verified.value) : undefined)
      const short = quoted(shortId(id))
      if (contract.text('status') !== 'active') return
      if (contract.text('role') === 'consumer')
        next(here, `pull ${short} --out data.ndjson`, `stream ${short}`)
      else next(here, `contract revoke ${short} --reason "..."`)
    })
  },
)

const verify = onContract(
  'verify',
  {
    en: 'check text and signatures of a contract again; exit code 1 when something is wrong',
    de: 'Text und Signaturen eines Vertrags noch einmal prüfen; Exit-Code 1, wenn etwas nicht stimmt',
  },
  async (here, id) => {
    const found = await here.client.get(path`/contracts/${id}/verify`)
    if (!found.ok) return fail(here, found.error)
    const verification = viewOf(found.value)
    const signatures = verification.views('signatures')
    const isSound =
      verification.flag('intact') && signatures.every((signature) => signature.text('verdict') !== 'invalid')
    const exit = isSound ? EXIT.ok : EXIT.failed
    if (here.json) {
      sayJson(here, found.value)
      return exit
    }
    say(
      here,
      verification.flag('intact')
        ? inLang(here, 'The text is what was agreed.', 'Der Text ist der vereinbarte.')
        : inLang(
            here,
            'THE STORED TEXT WAS CHANGED after it was agreed.',
            'DER GESPEICHERTE TEXT WURDE nach Vertragsschluss VERÄNDERT.',
          ),
    )
    say(here, signatureWords(signatures, here.lang))
    if (isSound) return exit
    return fail(
      here,
      inLang(
        here,
        'Do not rely on this contract before you know why.',
        'Verlassen Sie sich nicht auf diesen Vertrag, bevor Sie den Grund kennen.',
      ),
      'doctor',
    )
  },
)

const revokeNow = onContract(
  'revoke',
  {
    en: 'end a contract early: running transfers stop, the partner is told why',
    de: 'einen Vertrag widerrufen: Laufende Übertragungen enden, der Partner erfährt den Grund',
  },
  async (here, id) => {
    const revoked = await here.client.post(path`/contracts/${id}/revoke`, { reason: here.value('reason') })
    if (!revoked.ok) return fail(here, revoked.error, `contract show ${quoted(shortId(id))}`)
    return answer(here, revoked, (value) => {
      const contract = viewOf(value)
      const partner = contract.text('partnerName') || contract.text('partner')
      say(
        here,
        inLang(
          here,
          `The contract ${shortId(id)} is revoked. Transfers under it end at the next record; ${partner} is told why.`,
          `Der Vertrag ${shortId(id)} ist widerrufen. Übertragungen enden beim nächsten Eintrag; ${partner} erfährt den Grund.`,
        ),
      )
      next(here, `contract show ${quoted(shortId(id))}`)
    })
  },
  {
    usage: 'ID --reason TEXT',
    options: {
      reason: {
        type: 'string',
        value: 'TEXT',
        about: { en: 'why; the partner is told', de: 'warum; der Partner erfährt es' },
      },
    },
    examples: ['handschlag contract revoke 3f2a91c4 --reason "Machine sold"'],
  },
)

const revoke: Command = {
  ...revokeNow,
  run: async (call) =>
    (call.value('reason') ?? '').trim() === ''
      ? usageError(
          call,
          {
            en: '--reason is missing: the partner is told why.',
            de: '--reason fehlt: Der Partner erfährt den Grund.',
          },
          'contract revoke',
        )
      : revokeNow.run(call),
}

export const contractCommands: readonly Command[] = [list, show, verify, revoke]
