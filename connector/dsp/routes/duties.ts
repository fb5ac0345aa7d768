/** Statements about duties from partners: signed receipts, notices, reminders, waivers. Not DSP; found by the DID document. */
import type { Router } from 'express'
import { parseJson } from '../../core/json.js'
import { ok, problem } from '../../core/result.js'
import { receiveStatement, type StatementDeps } from '../../services/duty-statements.js'
import { type ExchangeDeps, type Mount, onBody } from './exchange.js'

/** Below the base address of all DSP endpoints. */
export const DUTY_PATH = '/duty-statements'

/** Bytes of one statement with its envelope. */
const LIMITS = { maxBytes: 24 * 1024, maxDepth: 4 }

export const dutyRoutes =
  (deps: ExchangeDeps, services: StatementDeps): Mount =>
  (router: Router) => {
    router.post(
      DUTY_PATH,
      onBody(deps, 'duty', async (bytes, partner, res) => {
        const json = parseJson(bytes, LIMITS)
        if (!json.ok) return json
        const { statement } = (json.value ?? {}) as { readonly statement?: unknown }
        if (typeof statement !== 'string') {
          return problem('InvalidMessage', {
            en: 'The message must be {"statement": "<compact JWS>"}.',
            de: 'Die Nachricht muss {"statement": "<kompakte JWS>"} sein.',
          })
        }
        const received = await receiveStatement(services, partner.did, statement)
        if (!received.ok) return received
        res.status(200).json({ id: received.value.id })
        return ok(undefined)
      }),
    )
  }
