/** `partner ...`: who may exchange data with us. Nobody is trusted before a person has compared the fingerprint. */
import { ok, type Result } from '../../core/result.js'
import { type Call, type Command, say, usageError } from '../command.js'
import { renderTable } from '../table.js'
import { APPROVAL, approvalWords, wrongApproval } from './approval.js'
import { answer, connected, fail, type Here, inLang, next, path, quoted } from './connected.js'
import { failPartner, findPartner } from './ids.js'
import {
  accessWords,
  called,
  compareFirst,
  isLab,
  showPartner,
  trustWords,
  warnOfLab,
} from './partner-words.js'
import { readSecretLines } from './secret-input.js'
import { entriesOf, type View, viewOf } from './view.js'

const SEALS = ['off', 'offer', 'require']

const CHANGES = {
  name: {
    type: 'string',
    value: 'NAME',
    about: { en: 'how you call the company', de: 'wie Sie die Firma nennen' },
  },
  seal: {
    type: 'string',
    value: 'off|offer|require',
    about: {
      en: 'signatures: off, offer them (default), or require them for every contract',
      de: 'Signaturen: aus, anbieten (sonst so), oder für jeden Vertrag verlangen',
    },
  },
  approval: APPROVAL,
  'own-id': {
    type: 'string',
    value: 'ID',
    about: {
      en: 'your own id as this partner knows you, when it is not your DID',
      de: 'Ihre eigene Kennung, wie dieser Partner Sie kennt, wenn es nicht Ihre DID ist',
    },
  },
  'own-address': {
    type: 'string',
    value: 'URL',
    about: {
      en: 'your own public address as this partner reaches you, when it is another one',
      de: 'Ihre eigene öffentliche Adresse, wie dieser Partner Sie erreicht, wenn es eine andere ist',
    },
  },
  dialect: {
    type: 'string',
    value: 'dsp|edc',
    about: {
      en: 'edc: the partner is an Eclipse EDC (default for laboratories)',
      de: 'edc: der Partner ist ein Eclipse EDC (bei Laboren sonst so)',
    },
  },
  'data-token': {
    type: 'string',
    value: 'as-given|bearer',
    about: {
      en: 'its data token goes out as it was given (default), or with Bearer in front',
      de: 'sein Datentoken geht so hinaus, wie es kam (sonst so), oder mit Bearer davor',
    },
  },
  'empty-policies': {
    type: 'string',
    value: 'refuse|accept',
    about: {
      en: 'whether offers and contracts of it without any terms are taken (default: refuse)',
      de: 'ob Angebote und Verträge von ihm ganz ohne Bedingungen genommen werden (sonst refuse)',
    },
  },
  'tokens-stdin': {
    type: 'boolean',
    about: {
      en: 'fixed tokens instead of a DID: two lines of standard input, the token you send and the token you get',
      de: 'feste Token statt einer DID: zwei Zeilen der Standardeingabe, Ihr Token und das des Partners',
    },
  },
} as const

/** Flags of one text each, and what the API calls them. */
const TEXTS = {
  name: 'name',
  seal: 'seal',
  approval: 'approval',
  'own-id': 'ownId',
  'own-address': 'ownAddress',
  dialect: 'dialect',
  'data-token': 'dataToken',
  'empty-policies': 'emptyPolicies',
} as const

function wrongSeal(call: Call): boolean {
  const seal = call.value('seal')
  return seal !== undefined && !SEALS.includes(seal)
}

const sealError = (call: Call, command: string): number =>
  usageError(
    call,
    { en: '--seal takes off, offer or require.', de: '--seal nimmt off, offer oder require.' },
    command,
  )

const bodyOf = (call: Call, names: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(names).flatMap(([flag, name]) => {
      const value = call.value(flag)
      return value === undefined ? [] : [[name, value]]
    }),
  )

/** The two tokens, when they are announced. */
async function tokensOf(here: Here): Promise<Result<Record<string, string>>> {
  if (!here.flag('tokens-stdin')) return ok({})
  const lines = await readSecretLines(here, 2)
  if (!lines.ok) return lines
  const [outgoingToken = '', incomingToken = ''] = lines.value
  return ok({ outgoingToken, incomingToken })
}

const add: Command = {
  name: 'partner add',
  summary: {
    en: 'add a company by its DID and address',
    de: 'eine Firma mit ihrer DID und Adresse hinzufügen',
  },
  usage: 'DID ADDRESS [options]',
  operands: [2, 2],
  options: {
    ...CHANGES,
    lab: {
      type: 'boolean',
      about: {
        en: 'a laboratory with the mock identity of EDC: nobody proves who it is, plain HTTP is allowed',
        de: 'ein Labor mit der Schein-Identität von EDC: niemand belegt, wer er ist, HTTP ist erlaubt',
      },
    },
  },
  json: true,
  examples: [
    'handschlag partner add did:web:connector.example.com https://connector.example.com --name Example',
    'handschlag partner add edc-provider http://edc.example.com:8282/protocol/2025-1 --lab --own-id handschlag',
  ],
  run: async (call) => {
    if (wrongSeal(call)) return sealError(call, 'partner add')
    const wrong = wrongApproval(call)
    if (wrong !== undefined) return usageError(call, wrong, 'partner add')
    const [did = '', address = ''] = call.operands
    return connected(call, async (here) => {
      const tokens = await tokensOf(here)
      if (!tokens.ok) return fail(here, tokens.error)
      const lab = call.flag('lab') ? { lab: true } : {}
      const body = { did, address, ...bodyOf(call, TEXTS), ...lab, ...tokens.value }
      return answer(here, await here.client.post('/api/v1/partners', body), (value) => {
        const partner = viewOf(value)
        showPartner(here, partner)
        compareFirst(here, partner)
        const decidable = partner.has('fingerprint') || ['bearer', 'lab'].includes(partner.text('access'))
        next(here, decidable ? `partner trust ${quoted(did)}` : 'doctor')
      })
    })
  },
}

const list: Command = {
  name: 'partner list',
  summary: { en: 'list all partners', de: 'alle Partner auflisten' },
  usage: '[options]',
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) =>
      answer(here, await here.client.get('/api/v1/partners'), (value) => {
        const partners = entriesOf(value, 'partners')
        if (partners.length === 0) {
          say(here, inLang(here, 'There is no partner yet.', 'Es gibt noch keinen Partner.'))
          next(here, 'partner add DID ADDRESS')
          return
        }
        say(
          here,
          renderTable(
            here.lang === 'de'
              ? ['Name', 'DID', 'Vertrauen', 'Identität', 'Signaturen']
              : ['Name', 'DID', 'Trust', 'Identity', 'Signatures'],
            partners.map((partner) => [
              partner.text('name'),
              partner.text('did'),
              trustWords(partner.text('trust'), here) + approvalWords(partner, here),
              accessWords(partner.text('access'), here),
              partner.text('seal'),
            ]),
          ),
        )
        for (const partner of partners.filter(isLab)) warnOfLab(here, called(partner))
      }),
    ),
}

/** The commands that name one partner. */
function onPartner(
  name: string,
  summary: Command['summary'],
  work: (here: Here, partner: View, did: string) => Promise<number>,
  more: Partial<Command> = {},
): Command {
  return {
    name: `partner ${name}`,
    summary,
    usage: 'PARTNER [options]',
    operands: [1, 1],
    options: {},
    json: true,
    run: (call) =>
      connected(call, async (here) => {
        const partner = await findPartner(here, call.operands[0] ?? '')
        if (!partner.ok) return failPartner(here, partner.error)
        return work(here, partner.value, partner.value.text('did'))
      }),
    ...more,
  }
}

const show = onPartner('show', { en: 'show a partner', de: 'einen Partner zeigen' }, async (here, _, did) =>
  answer(here, await here.client.get(path`/partners/${did}`), (value) => {
    const partner = viewOf(value)
    showPartner(here, partner)
    if (partner.text('trust') === 'known') {
      compareFirst(here, partner)
      next(here, `partner trust ${quoted(did)}`)
    }
  }),
)

const trust = onPartner(
  'trust',
  {
    en: 'trust a partner whose fingerprint you have compared',
    de: 'einem Partner vertrauen, dessen Fingerabdruck Sie verglichen haben',
  },
  async (here, _, did) =>
    answer(here, await here.client.post(path`/partners/${did}/trust`), (value) => {
      const partner = viewOf(value)
      say(
        here,
        inLang(
          here,
          `${called(partner)} is trusted.${partner.has('fingerprint') ? ` Fingerprint: ${partner.text('fingerprint')}` : ''}`,
          `${called(partner)} gilt jetzt als vertrauenswürdig.${partner.has('fingerprint') ? ` Fingerabdruck: ${partner.text('fingerprint')}` : ''}`,
        ),
      )
      if (isLab(partner)) warnOfLab(here, called(partner))
      next(here, `catalog ${quoted(did)}`)
    }),
)

const block = onPartner(
  'block',
  { en: 'block a partner: it gets nothing any more', de: 'einen Partner sperren: Er bekommt nichts mehr' },
  async (here, _, did) =>
    answer(here, await here.client.post(path`/partners/${did}/block`), (value) => {
      const name = called(viewOf(value))
      say(
        here,
        inLang(
          here,
          `${name} is blocked: its messages are refused and it gets no data.`,
          `${name} ist gesperrt: Nachrichten werden abgelehnt, Daten gibt es keine mehr.`,
        ),
      )
    }),
)

const remove = onPartner(
  'remove',
  { en: 'remove a partner', de: 'einen Partner entfernen' },
  async (here, partner, did) =>
    answer(here, await here.client.delete(path`/partners/${did}`), () =>
      say(here, inLang(here, `${called(partner)} was removed.`, `${called(partner)} wurde entfernt.`)),
    ),
)

const CHANGED = { ...TEXTS, address: 'address' } as const

const set = onPartner(
  'set',
  {
    en: 'change name, address, signatures or approval of a partner',
    de: 'Name, Adresse, Signaturen oder Freigabe eines Partners ändern',
  },
  async (here, _, did) => {
    const tokens = await tokensOf(here)
    if (!tokens.ok) return fail(here, tokens.error)
    const changes = { ...bodyOf(here, CHANGED), ...tokens.value }
    return answer(here, await here.client.patch(path`/partners/${did}`, changes), (value) =>
      showPartner(here, viewOf(value)),
    )
  },
  {
    options: {
      ...CHANGES,
      address: { type: 'string', value: 'URL', about: { en: 'its DSP address', de: 'seine DSP-Adresse' } },
    },
  },
)

const checkedSet: Command = {
  ...set,
  run: async (call) => {
    if (wrongSeal(call)) return sealError(call, 'partner set')
    const wrong = wrongApproval(call)
    if (wrong !== undefined) return usageError(call, wrong, 'partner set')
    const tokens = call.flag('tokens-stdin')
    if (tokens || Object.keys(bodyOf(call, CHANGED)).length > 0) return set.run(call)
    return usageError(
      call,
      {
        en: 'Name what to change: --name, --address, --seal, --approval, --own-id, --own-address or --tokens-stdin.',
        de: 'Nennen Sie, was sich ändern soll: --name, --address, --seal, --approval, --own-id, --own-address oder --tokens-stdin.',
      },
      'partner set',
    )
  },
}

export const partnerCommands: readonly Command[] = [add, list, show, trust, block, checkedSet, remove]
