/** `offer ...`: the terms under which a dataset is given away, as flags or as an ODRL policy. */
import { ok, problem, type Result } from '../../core/result.js'
import type { Text } from '../../core/types.js'
import { type Call, type Command, say, usageError } from '../command.js'
import { APPROVAL, approvalWords, WHICH_APPROVAL, wrongApproval } from './approval.js'
import { answer, connected, fail, type Here, inLang, next, path, quoted } from './connected.js'
import { CONTRACT_ONLY, contractOnlyOf } from './contract-only.js'
import { shortId } from './ids.js'
import { TEMPLATE_FLAGS, templateChoice, templateMistake } from './template-flags.js'
import { namesTerms, TERMS_FLAGS, termsMistake, termsOf } from './terms-flags.js'
import { entriesOf, type View, viewOf } from './view.js'
import { termsWords } from './words.js'

const add: Command = {
  name: 'offer add',
  summary: {
    en: 'attach terms to a dataset, and read them in words',
    de: 'einem Datensatz Bedingungen geben und sie in Worten lesen',
  },
  usage: 'DATASET [options]',
  operands: [1, 1],
  options: {
    ...TERMS_FLAGS,
    ...TEMPLATE_FLAGS,
    approval: APPROVAL,
    'contract-only': CONTRACT_ONLY,
    id: {
      type: 'string',
      value: 'ID',
      about: { en: 'id of the offer (default: a new one)', de: 'Kennung des Angebots (sonst eine neue)' },
    },
  },
  json: true,
  examples: [
    'handschlag offer add pump-7 --fields temperature,pressure --every 10s --until 2026-12-31',
    'handschlag offer add pump-7 --for-days 30 --count 100000 --only-for did:web:connector.example.com',
    'handschlag offer add pump-7 --template trial --set term=7d --set records=500',
    'handschlag offer add pump-7 --policy terms.json --contract-only',
  ],
  run: async (call) => {
    const wrong = templateMistake(call) ?? termsMistake(call) ?? wrongApproval(call) ?? withoutTerms(call)
    return wrong === undefined ? connected(call, post) : usageError(call, wrong, 'offer add')
  },
}

/** A forgotten flag must not give everything to every trusted partner; a policy can still say that. */
const withoutTerms = (call: Call): Text | undefined =>
  namesTerms(call) || call.value('template') !== undefined
    ? undefined
    : {
        en: 'Name the terms, for example --until 2030-12-31 or --only-for PARTNER: without any, every trusted partner could use all of it for good. If you mean that, say it in a --policy.',
        de: 'Nennen Sie die Bedingungen, etwa --until 2030-12-31 oder --only-for PARTNER: Ohne sie dürfte jeder vertraute Partner alles auf Dauer nutzen. Wenn Sie das wollen, sagen Sie es in einer --policy.',
      }

async function post(here: Here): Promise<number> {
  const [dataset = ''] = here.operands
  const written = here.value('template') === undefined ? await termsOf(here) : await templateChoice(here)
  if (!written.ok) return fail(here, written.error, 'help offer add')
  const id = here.value('id')
  const approval = here.value('approval')
  const body = {
    ...(id === undefined ? {} : { id }),
    ...written.value,
    ...(approval === undefined ? {} : { approval }),
    ...contractOnlyOf(here),
  }
  const made = await here.client.post(path`/datasets/${dataset}/offers`, body)
  if (!made.ok)
    return fail(here, made.error, made.error.code === 'NotFound' ? 'dataset list' : 'help offer add')
  const described = await here.client.get(path`/datasets/${dataset}`)
  return answer(here, made, (value) => {
    const offer = viewOf(value)
    say(
      here,
      inLang(
        here,
        `Offer ${offer.text('id')} for ${dataset}:`,
        `Angebot ${offer.text('id')} für ${dataset}:`,
      ),
    )
    say(here, termsWords(offer, here.lang))
    for (const warning of offer.list('warnings', here.lang)) {
      say(here, `${inLang(here, 'Warning', 'Warnung')}: ${warning}`)
    }
    if (!described.ok || !viewOf(described.value).flag('published')) {
      return next(here, `dataset publish ${quoted(dataset)}`)
    }
    say(
      here,
      inLang(
        here,
        `\n${dataset} is published: the partners whom this offer is for see it from now on.`,
        `\n${dataset} ist veröffentlicht: Partner, für die dieses Angebot gilt, sehen es ab jetzt.`,
      ),
    )
    next(here, `offer list ${quoted(dataset)}`)
  })
}

const list: Command = {
  name: 'offer list',
  summary: {
    en: 'list the offers of a dataset, in words',
    de: 'die Angebote eines Datensatzes in Worten auflisten',
  },
  usage: 'DATASET [options]',
  operands: [1, 1],
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) => {
      const [dataset = ''] = here.operands
      const found = await here.client.get(path`/datasets/${dataset}/offers`)
      if (!found.ok) return fail(here, found.error, 'dataset list')
      return answer(here, found, (value) => {
        const offers = entriesOf(value, 'offers')
        if (offers.length === 0) {
          say(
            here,
            inLang(
              here,
              `The dataset ${dataset} has no offer yet.`,
              `Der Datensatz ${dataset} hat noch kein Angebot.`,
            ),
          )
          next(here, `offer add ${quoted(dataset)} --for-days 30`)
          return
        }
        say(
          here,
          offers
            .map(
              (offer) => `${offer.text('id')}${approvalWords(offer, here)}\n${termsWords(offer, here.lang)}`,
            )
            .join('\n\n'),
        )
      })
    }),
}

/** An offer by its id or by a part of it; offers are found through the datasets. */
async function findOffer(here: Here, given: string): Promise<Result<string>> {
  const datasets = await here.client.get('/api/v1/datasets')
  if (!datasets.ok) return datasets
  const ids = entriesOf(datasets.value, 'datasets').flatMap((dataset) =>
    dataset.views('offers').map((offer: View) => offer.text('id')),
  )
  const fitting = ids.filter(
    (id) =>
      id === given ||
      (given.length >= 6 &&
        (shortId(id).startsWith(given) ||
          id.endsWith(given) ||
          id.replace(/^urn:uuid:/, '').startsWith(given))),
  )
  const [only] = fitting
  if (ids.includes(given) || only === undefined) return ok(given)
  if (fitting.length === 1) return ok(only)
  return problem(
    'InvalidInput',
    inLang(
      here,
      `"${given}" fits several offers:\n${fitting.join('\n')}`,
      `„${given}“ passt auf mehrere Angebote:\n${fitting.join('\n')}`,
    ),
  )
}

const set: Command = {
  name: 'offer set',
  summary: {
    en: 'let requests for an offer be agreed by themselves, or by a person',
    de: 'Anfragen auf ein Angebot von selbst oder durch einen Menschen zusagen',
  },
  usage: 'OFFER --approval automatic|stricter-or-equal|manual',
  operands: [1, 1],
  options: { approval: APPROVAL },
  json: true,
  examples: ['handschlag offer set 3f2a91c4 --approval manual'],
  run: async (call) => {
    const approval = call.value('approval')
    const wrong = approval === undefined ? WHICH_APPROVAL : wrongApproval(call)
    if (wrong !== undefined) return usageError(call, wrong, 'offer set')
    return connected(call, async (here) => {
      const id = await findOffer(here, call.operands[0] ?? '')
      if (!id.ok) return fail(here, id.error)
      const changed = await here.client.patch(path`/offers/${id.value}`, { approval })
      if (!changed.ok) return fail(here, changed.error, 'dataset list')
      return answer(here, changed, (value) => {
        const offer = viewOf(value)
        say(here, `${offer.text('id')}${approvalWords(offer, here)}`)
        say(here, termsWords(offer, here.lang))
      })
    })
  },
}

const remove: Command = {
  name: 'offer remove',
  summary: {
    en: 'take an offer back; contracts made from it stay in force',
    de: 'ein Angebot zurückziehen; daraus geschlossene Verträge gelten weiter',
  },
  usage: 'OFFER [options]',
  operands: [1, 1],
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) => {
      const id = await findOffer(here, call.operands[0] ?? '')
      if (!id.ok) return fail(here, id.error)
      const removed = await here.client.delete(path`/offers/${id.value}`)
      if (!removed.ok) return fail(here, removed.error, 'dataset list')
      return answer(here, removed, () =>
        say(
          here,
          inLang(
            here,
            `The offer ${id.value} was taken back. Contracts made from it stay in force.`,
            `Das Angebot ${id.value} ist zurückgezogen. Daraus geschlossene Verträge gelten weiter.`,
          ),
        ),
      )
    }),
}

export const offerCommands: readonly Command[] = [add, list, set, remove]
