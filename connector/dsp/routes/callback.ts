/** Reads a partner's callbackAddress: where we will send to, checked again by address when we do. */
import { ok, problem, type Result } from '../../core/result.js'
import { mayUsePlainHttp, type Partner } from '../../domain/partner.js'

const MAX_LENGTH = 2000

/**
 * The address without its trailing slash. DSP 2025-1, checklist 32 and 51: what we cannot call is an error now, and a
 * trailing slash makes no difference. Any path prefix is allowed. Plain http is for laboratories only.
 */
export function callbackOf(address: string | undefined, partner: Partner): Result<string> {
  const refused = (why: string) => problem('CallbackRefused', `The callbackAddress cannot be used: ${why}.`)
  if (address === undefined) return refused('it is missing')
  if (address.length > MAX_LENGTH) return refused('it is too long')
  if (!URL.canParse(address)) return refused('it is not an absolute URL')
  const url = new URL(address)
  const plain = url.protocol === 'http:' && mayUsePlainHttp(partner)
  if (url.protocol !== 'https:' && !plain) return refused('it must begin with https://')
  if (url.username !== '' || url.password !== '')
    return refused('it must not contain a user name or password')
  if (url.search !== '' || url.hash !== '') return refused('it must not contain a query or a fragment')
  return ok(url.href.replace(/\/+$/, ''))
}
