/** A partner in words: how it proves who it is, and what to look at before it is trusted. */
import { say } from '../command.js'
import { red } from '../red.js'
import { renderPairs } from '../table.js'
import { approvalWords } from './approval.js'
import { type Here, inLang } from './connected.js'
import type { View } from './view.js'
import { whenWords } from './when.js'

export const called = (partner: View): string => partner.text('name') || partner.text('did')

export const isLab = (partner: View): boolean => partner.text('access') === 'lab'

export const trustWords = (trust: string, here: Here): string =>
  ({
    known: inLang(here, 'not decided yet', 'noch nicht entschieden'),
    trusted: inLang(here, 'trusted', 'vertraut'),
    blocked: inLang(here, 'blocked', 'gesperrt'),
  })[trust] ?? trust

export const accessWords = (access: string, here: Here): string =>
  ({
    did: inLang(here, 'signed tokens', 'signierte Token'),
    bearer: inLang(here, 'fixed tokens', 'feste Token'),
    lab: inLang(here, 'NOBODY (laboratory)', 'NIEMAND (Labor)'),
  })[access] ?? access

export function showPartner(here: Here, partner: View): void {
  const own = (key: string, en: string, de: string): readonly (readonly [string, string])[] =>
    partner.has(key) ? [[inLang(here, en, de), partner.text(key)]] : []
  say(
    here,
    renderPairs([
      [inLang(here, 'Name', 'Name'), partner.text('name')],
      [isLab(partner) ? 'Id' : 'DID', partner.text('did')],
      [inLang(here, 'Address', 'Adresse'), partner.text('address')],
      [
        inLang(here, 'Trust', 'Vertrauen'),
        trustWords(partner.text('trust'), here) + approvalWords(partner, here),
      ],
      [
        inLang(here, 'Identity proven by', 'Identität belegt durch'),
        accessWords(partner.text('access'), here),
      ],
      [inLang(here, 'Signatures', 'Signaturen'), partner.text('seal')],
      ...(isLab(partner)
        ? []
        : [
            [
              inLang(here, 'Fingerprint', 'Fingerabdruck'),
              partner.maybe('fingerprint') ?? inLang(here, 'not known yet', 'noch nicht bekannt'),
            ] as const,
          ]),
      ...dutiesWords(here, partner),
      ...own('ownId', 'It knows us as', 'Er kennt uns als'),
      ...own('ownAddress', 'It reaches us at', 'Er erreicht uns unter'),
      [inLang(here, 'Added', 'Hinzugefügt'), whenWords(partner.text('addedAt'), here.lang)],
    ]),
  )
}

/** What the partner has proved about its connector; of one that cannot have called yet, nothing. */
function dutiesWords(here: Here, partner: View): readonly (readonly [string, string])[] {
  const name = inLang(here, 'Duties', 'Pflichten')
  const since = partner.maybe('dutiesProvenAt')
  if (since !== undefined) {
    const when = whenWords(since, here.lang)
    return [
      [
        name,
        inLang(
          here,
          `its connector carries them out (proven ${when})`,
          `sein Connector erfüllt sie (nachgewiesen ${when})`,
        ),
      ],
    ]
  }
  if (partner.text('trust') !== 'trusted') return []
  const unproven = inLang(
    here,
    'its connector has not proved that it carries them out',
    'sein Connector hat nicht nachgewiesen, dass er sie erfüllt',
  )
  return [[name, unproven]]
}

/** In red: whoever can reach us can pass itself off as this partner. */
export function warnOfLab(here: Here, name: string): void {
  say(
    here,
    red(
      here.io,
      inLang(
        here,
        `\n${name} is a laboratory: nobody's identity is proven. Whoever reaches this connector can call itself\nthat and get what you offer to it. Offer it test data only, and remove it when the test is over.`,
        `\n${name} ist ein Labor: Niemandes Identität ist belegt. Wer diesen Connector erreicht, kann sich so nennen\nund bekommt, was Sie dort anbieten. Bieten Sie nur Testdaten an, und entfernen Sie den Partner nach dem Test.`,
      ),
    ),
  )
}

/** What to look at before the partner is trusted. */
export function compareFirst(here: Here, partner: View): void {
  if (isLab(partner)) warnOfLab(here, called(partner))
  else say(here, partner.has('fingerprint') ? compareKeys(here) : withoutKeys(here, partner.text('access')))
}

const compareKeys = (here: Here): string =>
  inLang(
    here,
    `\nCall your partner and compare this fingerprint with the one that "handschlag status" shows there.\nOnly when both are the same, trust it: until then it gets nothing and you get nothing.`,
    `\nRufen Sie Ihren Partner an und vergleichen Sie diesen Fingerabdruck mit dem, den „handschlag status“ dort zeigt.\nErst wenn beide gleich sind, vertrauen Sie ihm: Bis dahin bekommt er nichts, und Sie bekommen nichts.`,
  )

const withoutKeys = (here: Here, access: string): string =>
  access === 'bearer'
    ? inLang(
        here,
        '\nIts identity is proven by the token alone: whoever has it is this partner. No keys were found, so its\nsignatures cannot be checked. Trust it when both tokens came to you from the right person.',
        '\nSeine Identität belegt allein das Token: Wer es hat, ist dieser Partner. Schlüssel wurden nicht gefunden,\nseine Signaturen sind also nicht prüfbar. Vertrauen Sie ihm, wenn beide Token von der richtigen Person kamen.',
      )
    : inLang(
        here,
        `\nIts keys could not be fetched yet, so there is no fingerprint to compare. Check the DID and that it can be reached.`,
        `\nSeine Schlüssel waren noch nicht abrufbar, es gibt also keinen Fingerabdruck zum Vergleichen. Prüfen Sie die DID und ob sie erreichbar ist.`,
      )
