/** --accept-not-understood: a person takes on, by contract, terms that this connector cannot read. */
import type { Call } from '../command.js'

export const ACCEPT_NOT_UNDERSTOOD = {
  type: 'boolean',
  about: {
    en: 'accept what this connector does not understand as promises of yours, by contract only; needs TERMS',
    de: 'annehmen, was dieser Connector nicht versteht, nur vertraglich als Ihr Versprechen; nötig ist TERMS',
  },
} as const

export const acceptNotUnderstoodOf = (call: Call): { readonly acceptNotUnderstood?: true } =>
  call.flag('accept-not-understood') ? { acceptNotUnderstood: true } : {}
