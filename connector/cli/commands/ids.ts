/** Finding the one thing somebody means by a name or by a part of a long id. */
import { ok, type Problem, problem, type Result } from '../../core/result.js'
import { fail, type Here, inLang, path } from './connected.js'
import { entriesOf, type View } from './view.js'

/** Shorter parts would often fit several. */
const SHORTEST_PART = 6
const SHOWN = 8

const bare = (id: string): string => id.replace(/^urn:uuid:/, '')

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** RFC 9562, version 7: begins with the time, so that those of one minute begin alike. */
const ORDERED = /^[0-9a-f]{8}-[0-9a-f]{4}-7/i

/**
 * As much of a UUID as tells it from the others in the list, and as `findOne` takes it: its beginning, or its end when it
 * begins with the time. Other ids stay whole.
 */
export function shortId(id: string, among: readonly string[] = []): string {
  const own = bare(id)
  if (!UUID.test(own)) return id
  const others = among.filter((other) => other !== id).map(bare)
  for (let length = SHOWN; length < own.length; length += 4) {
    const part = ORDERED.test(own) ? own.slice(-length) : own.slice(0, length)
    if (others.every((other) => !other.startsWith(part) && !other.endsWith(part))) return part
  }
  return own
}

export type Kind = 'contract' | 'negotiation' | 'transfer'

type KindRule = {
  readonly list: 'contracts' | 'negotiations' | 'transfers'
  readonly key: 'id' | 'pid'
  readonly en: string
  readonly de: string
}

const KINDS: Readonly<Record<Kind, KindRule>> = {
  contract: { list: 'contracts', key: 'id', en: 'contract', de: 'Vertrag' },
  negotiation: { list: 'negotiations', key: 'pid', en: 'negotiation', de: 'Verhandlung' },
  transfer: { list: 'transfers', key: 'pid', en: 'transfer', de: 'Übertragung' },
}

export async function listOfKind(here: Here, kind: Kind): Promise<Result<readonly View[]>> {
  const { list } = KINDS[kind]
  const found = await here.client.get(path`/` + list)
  return found.ok ? ok(entriesOf(found.value, list)) : found
}

export const idOf = (view: View, kind: Kind): string => view.text(KINDS[kind].key)

export type Found = { readonly kind: Kind; readonly id: string; readonly entry: View }

/** The one entry with this id, or with an id that begins or ends with the part given. */
export async function findOne(here: Here, kinds: readonly Kind[], given: string): Promise<Result<Found>> {
  const lists = await Promise.all(kinds.map((kind) => listOfKind(here, kind)))
  const all: Found[] = []
  for (const [i, list] of lists.entries()) {
    if (!list.ok) return list
    const kind = kinds[i]
    if (kind !== undefined) all.push(...list.value.map((entry) => ({ kind, id: idOf(entry, kind), entry })))
  }
  const part = bare(given)
  const exact = all.filter(({ id }) => id === given || bare(id) === part)
  const [only] = exact
  if (only !== undefined && exact.length === 1) return ok(only)
  const names = kinds.map((kind) => KINDS[kind])
  const what = {
    en: names.map(({ en }) => en).join(inLang(here, ' or ', ' oder ')),
    de: names.map(({ de }) => de).join(' oder '),
  }
  if (part.length < SHORTEST_PART) {
    return problem(
      'InvalidInput',
      inLang(
        here,
        `"${given}" is too short for an id. Give at least ${SHORTEST_PART} characters of it.`,
        `„${given}“ ist zu kurz für eine Kennung. Geben Sie mindestens ${SHORTEST_PART} Zeichen davon an.`,
      ),
    )
  }
  const fitting = all.filter(({ id }) => bare(id).startsWith(part) || bare(id).endsWith(part))
  const [first, ...more] = fitting
  if (first === undefined) {
    const lists = kinds.map((kind) => `handschlag ${kind} list`)
    return problem(
      'NotFound',
      inLang(
        here,
        `There is no ${what.en} "${given}". See: ${lists.join(', ')}`,
        `Unter „${given}“ ist nichts bekannt (gesucht: ${what.de}). Siehe: ${lists.join(', ')}`,
      ),
    )
  }
  if (more.length > 0) {
    const ids = fitting.map(({ id }) => `  ${id}`).join('\n')
    return problem(
      'InvalidInput',
      inLang(
        here,
        `"${given}" fits several. Give more of the id:\n${ids}`,
        `„${given}“ passt auf mehrere. Geben Sie mehr von der Kennung an:\n${ids}`,
      ),
    )
  }
  return ok(first)
}

/** Says why no partner was found, and leads to the list, or to adding the first one. */
export const failPartner = (here: Here, why: Problem): number =>
  fail(here, why, why.detail === NO_PARTNERS ? 'partner add DID ADDRESS' : 'partner list')

const NO_PARTNERS = Symbol('no partners')

/** A partner by DID, by name, or by the beginning of one of them. */
export async function findPartner(here: Here, given: string): Promise<Result<View>> {
  const list = await here.client.get(path`/partners`)
  if (!list.ok) return list
  const partners = entriesOf(list.value, 'partners')
  const wanted = given.toLowerCase()
  const named = (partner: View): readonly string[] =>
    [partner.text('did'), partner.text('did').replace(/^did:web:/, ''), partner.text('name')].map((name) =>
      name.toLowerCase(),
    )
  const exact = partners.filter((partner) => named(partner).includes(wanted))
  const found =
    exact.length > 0
      ? exact
      : partners.filter(
          (partner) => wanted.length > 2 && named(partner).some((name) => name.startsWith(wanted)),
        )
  const [first, ...more] = found
  if (first === undefined) {
    const known = partners.map((partner) => partner.text('name') || partner.text('did')).join(', ')
    return problem(
      'NotFound',
      inLang(
        here,
        known === '' ? 'There is no partner yet.' : `There is no partner "${given}". Known: ${known}.`,
        known === ''
          ? 'Es gibt noch keinen Partner.'
          : `Es gibt keinen Partner „${given}“. Bekannt: ${known}.`,
      ),
      known === '' ? NO_PARTNERS : undefined,
    )
  }
  if (more.length > 0) {
    const dids = found.map((partner) => `  ${partner.text('did')}`).join('\n')
    return problem(
      'InvalidInput',
      inLang(
        here,
        `"${given}" fits several partners. Give the DID:\n${dids}`,
        `„${given}“ passt auf mehrere Partner. Geben Sie die DID an:\n${dids}`,
      ),
    )
  }
  return ok(first)
}
