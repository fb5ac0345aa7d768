/**
 * The parts of undici that are used here, loaded one by one. The whole package brings fetch, caches, WebSocket and mocks
 * along, which costs the start and the memory at rest more than everything below. Its version is pinned; a test compares.
 */
import { createRequire } from 'node:module'
import type Undici from 'undici'
import type { Dispatcher } from 'undici'

const load = createRequire(import.meta.url)

export const Agent: typeof Undici.Agent = load('undici/lib/dispatcher/agent.js')
export const buildConnector: typeof Undici.buildConnector = load('undici/lib/core/connect.js')
export const errors: typeof Undici.errors = load('undici/lib/core/errors.js')
const { getGlobalDispatcher }: Pick<typeof Undici, 'getGlobalDispatcher'> = load('undici/lib/global.js')
const requestOf: Dispatcher['request'] = load('undici/lib/api/api-request.js')

export { getGlobalDispatcher }

type RequestOptions = Omit<Dispatcher.RequestOptions, 'origin' | 'path' | 'method'> & {
  readonly dispatcher: Dispatcher
  readonly method?: Dispatcher.HttpMethod
}

/** As undici's own function of this name, always through a dispatcher that was chosen. */
export const request = (
  url: URL,
  { dispatcher, method = 'GET', ...options }: RequestOptions,
): Promise<Dispatcher.ResponseData> =>
  requestOf.call(dispatcher, {
    ...options,
    method,
    origin: url.origin,
    path: url.pathname + url.search,
  }) as Promise<Dispatcher.ResponseData>
