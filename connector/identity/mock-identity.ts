/**
 * The mock identity of EDC laboratories (extension `iam-mock`): the Authorization header is a JSON text in which anybody
 * can call itself anything. For partners that were added as laboratories, and for nobody else.
 */
import { parseJson } from '../core/json.js'
import { ok } from '../core/result.js'
import type { ParticipantId } from '../core/types.js'
import { type Authentication, stranger } from './authentication.js'

/** EDC does not look into it, and fails without it. */
const REGION = 'eu'
const MAX_BYTES = 4096

export const mockAuthentication: Authentication = {
  verify(authorization) {
    if (!authorization.startsWith('{')) return undefined
    const json = parseJson(Buffer.from(authorization), { maxBytes: MAX_BYTES, maxDepth: 4 })
    const claims = json.ok ? json.value : undefined
    const id =
      typeof claims === 'object' && claims !== null && 'clientId' in claims ? claims.clientId : undefined
    return Promise.resolve(
      typeof id === 'string' && id !== ''
        ? ok({ sender: id as ParticipantId })
        : stranger('The mock identity has no clientId.'),
    )
  },
  present: ({ ownId, baseUrl }) => ok(JSON.stringify({ region: REGION, audience: baseUrl, clientId: ownId })),
}
