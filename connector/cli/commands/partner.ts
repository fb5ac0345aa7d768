/** `partner ...`: who may exchange data with us. Nobody is trusted before a person has compared the fingerprint. */
import { type Call, type Command, say, usageError } from '../command.js'
import { renderPairs, renderTable } from '../table.js'
import { answer, connected, type Here, inLang, next, path, quoted } from './connected.js'
import { failPartner, findPartner } from './ids.js'
import { entriesOf, type View, viewOf } from './view.js'
import { whenWords } from './when.js'

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

const bodyOf = (call: Call, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = call.value(name)
      return value === undefined ? [] : [[name, value]]
    }),
  )

const trustWords = (trust: string, here: Here): string =>
  ({
    known: inLang(here, 'not decided yet', 'noch nicht entschieden'),
    trusted: inLang(here, 'trusted', 'vertraut'),
    blocked: inLang(here, 'blocked', 'gesperrt'),
  })[trust] ?? trust

const called = (partner: View): string => partner.text('name') || partner.text('did')

function showPartner(here: Here, partner: View): void {
  say(
    here,
    renderPairs([
      [inLang(here, 'Name', 'Name'), partner.text('name')],
      ['DID', partner.text('did')],
      [inLang(here, 'Address', 'Adresse'), partner.text('address')],
      [inLang(here, 'Trust', 'Vertrauen'), trustWords(partner.text('trust'), here)],
      [inLang(here, 'Signatures', 'Signaturen'), partner.text('seal')],
      [
        inLang(here, 'Fingerprint', 'Fingerabdruck'),
        partner.maybe('fingerprint') ?? inLang(here, 'not known yet', 'noch nicht bekannt'),
      ],
      [inLang(here, 'Added', 'Hinzugefügt'), whenWords(partner.text('addedAt'), here.lang)],
    ]),
  )
}

function compareFirst(here: Here, partner: View): void {
  say(
    here,
    partner.has('fingerprint')
      ? inLang(
          here,
          `\nCall your partner and compare this fingerprint with the one that "handschlag status" shows there.\nOnly when both are the same, trust it: until then it gets nothing and you get nothing.`,
          `\nRufen Sie Ihren Partner an und vergleichen Sie diesen Fingerabdruck mit dem, den „handschlag status“ dort zeigt.\nErst wenn beide gleich sind, vertrauen Sie ihm: Bis dahin bekommt er nichts, und Sie bekommen nichts.`,
        )
      : inLang(
          here,
          `\nIts keys could not be fetched yet, so there is no fingerprint to compare. Check the DID and that it can be reached.`,
          `\nSeine Schlüssel waren noch nicht abrufbar, es gibt also keinen Fingerabdruck zum Vergleichen. Prüfen Sie die DID und ob sie erreichbar ist.`,
        ),
  )
}

const add: Command = {
  name: 'partner add',
  summary: {
    en: 'add a company by its DID and address',
    de: 'eine Firma mit ihrer DID und Adresse hinzufügen',
  },
  usage: 'DID ADDRESS [options]',
  operands: [2, 2],
  options: CHANGES,
  json: true,
  examples: [
    'handschlag partner add did:web:connector.example.com https://connector.example.com --name Example',
  ],
  run: async (call) => {
    if (wrongSeal(call)) return sealError(call, 'partner add')
    const [did = '', address = ''] = call.operands
    return connected(call, async (here) => {
      const body = { did, address, ...bodyOf(call, ['name', 'seal']) }
      return answer(here, await here.client.post('/api/v1/partners', body), (value) => {
        const partner = viewOf(value)
        showPartner(here, partner)
        compareFirst(here, partner)
        next(here, partner.has('fingerprint') ? `partner trust ${quoted(did)}` : 'doctor')
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
              ? ['Name', 'DID', 'Vertrauen', 'Signaturen']
              : ['Name', 'DID', 'Trust', 'Signatures'],
            partners.map((partner) => [
              partner.text('name'),
              partner.text('did'),
              trustWords(partner.text('trust'), here),
              partner.text('seal'),
            ]),
          ),
        )
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
          `${called(partner)} is trusted. Fingerprint: ${partner.text('fingerprint')}`,
          `${called(partner)} gilt jetzt als vertrauenswürdig. Fingerabdruck: ${partner.text('fingerprint')}`,
        ),
      )
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

const set = onPartner(
  'set',
  {
    en: 'change name, address or signatures of a partner',
    de: 'Name, Adresse oder Signaturen eines Partners ändern',
  },
  async (here, _, did) => {
    const changes = bodyOf(here, ['name', 'seal', 'address'])
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
    if (Object.keys(bodyOf(call, ['name', 'seal', 'address'])).length > 0) return set.run(call)
    return usageError(
      call,
      {
        en: 'Name what to change: --name, --address or --seal.',
        de: 'Nennen Sie, was sich ändern soll: --name, --address oder --seal.',
      },
      'partner set',
    )
  },
}

export const partnerCommands: readonly Command[] = [add, list, show, trust, block, checkedSet, remove]
