/** --contract-only: the operator's choice to offer terms that no connector keeps. */
import type { Call } from '../command.js'

export const CONTRACT_ONLY = {
  type: 'boolean',
  about: {
    en: 'offer the terms although some of them are kept by contract only; without it they are refused and named',
    de: 'die Bedingungen anbieten, obwohl manche nur vertraglich gelten; sonst werden sie abgelehnt und genannt',
  },
} as const

export const contractOnlyOf = (call: Call): { readonly contractOnly?: true } =>
  call.flag('contract-only') ? { contractOnly: true } : {}
