/** What a failed connection to a broker means for the operator, and what to do: one sentence each. */
import type { Problem } from '../../core/result.js'
import type { MqttConfig } from './mqtt-config.js'

/** MQTT 3.1.1, table 3.1 and MQTT 5.0, table 3-1: reason codes of CONNACK that stand for the same thing. */
const UNACCEPTABLE_VERSION: readonly unknown[] = [1, 132]
const IDENTIFIER_REJECTED: readonly unknown[] = [2, 133]
const BAD_CREDENTIALS: readonly unknown[] = [4, 134]
const NOT_AUTHORIZED: readonly unknown[] = [5, 135, 138]
const BROKER_BUSY: readonly unknown[] = [3, 136, 137]

const TLS_UNKNOWN_ISSUER =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?)$/
const TLS_ALERT = /^ERR_SSL_(TLSV1|SSLV3|TLSV13)_ALERT_/

type Coded = { readonly code?: unknown; readonly message?: unknown }

/** Code of a network or TLS failure (text), or the reason code of the broker (number). */
export const codeOf = (cause: unknown): unknown =>
  typeof cause === 'object' && cause !== null ? (cause as Coded).code : undefined

export const isVersionRefusal = (cause: unknown): boolean => UNACCEPTABLE_VERSION.includes(codeOf(cause))

const unavailable = (message: string, cause: unknown): Problem => ({
  code: 'SourceUnavailable',
  message,
  detail: {
    cause: typeof cause === 'object' && cause !== null ? String((cause as Coded).message) : String(cause),
  },
})

export function connectionProblem(config: MqttConfig, cause: unknown): Problem {
  const { url } = config
  const code = codeOf(cause)
  const text = typeof code === 'string' ? code : ''
  const say = (message: string) => unavailable(message, cause)
  if (text === 'ECONNREFUSED') {
    return say(`The broker at ${url} refuses connections. Start it, or correct url in the source.`)
  }
  if (text === 'ENOTFOUND' || text === 'EAI_AGAIN') {
    return say(`The host in ${url} has no address. Correct url in the source, or check the name server.`)
  }
  if (text === 'ETIMEDOUT' || text === 'EHOSTUNREACH' || text === 'ENETUNREACH') {
    return say(`The broker at ${url} does not answer. Check the network, the firewall and url in the source.`)
  }
  if (TLS_UNKNOWN_ISSUER.test(text)) {
    return say(
      `The certificate of the broker at ${url} is not signed by an authority known here. Set ca in the source to the PEM file of its authority.`,
    )
  }
  if (text === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return say(
      `The certificate of the broker at ${url} is made for another host name. Use the name in the certificate in url, or give the broker a certificate for this name.`,
    )
  }
  if (text === 'CERT_HAS_EXPIRED' || text === 'CERT_NOT_YET_VALID') {
    return say(
      `The certificate of the broker at ${url} is outside its validity. Renew it, or correct the clock of this machine.`,
    )
  }
  if (TLS_ALERT.test(text)) {
    return say(
      `The broker at ${url} refused the TLS connection, probably because it wants a client certificate. Set cert and key in the source.`,
    )
  }
  if (text === 'EPROTO' || text.startsWith('ERR_SSL_')) {
    return say(
      `The broker at ${url} does not speak TLS there. Use mqtt:// in url, or the port on which it expects TLS.`,
    )
  }
  if (text === 'ENOENT' || text === 'EACCES') {
    return say(
      `A PEM file of the source for ${url} cannot be read: ${String((cause as Coded).message)}. Correct ca, cert or key.`,
    )
  }
  if (text.startsWith('ERR_OSSL_')) {
    return say(
      `The files ca, cert and key of the source for ${url} are no usable PEM files. Check that key belongs to cert.`,
    )
  }
  if (BAD_CREDENTIALS.includes(code)) {
    return say(
      `The broker at ${url} refused the user or the password. Correct username and password in the source.`,
    )
  }
  if (NOT_AUTHORIZED.includes(code)) {
    const who = config.username === undefined ? 'anonymous clients' : `the user ${config.username}`
    const fix =
      config.username === undefined
        ? 'Set username and password in the source'
        : 'Correct username and password in the source'
    return say(`The broker at ${url} does not let in ${who}. ${fix}, or permit it at the broker.`)
  }
  if (IDENTIFIER_REJECTED.includes(code)) {
    return say(
      `The broker at ${url} refused the client id. Set clientId in the source to one that it accepts.`,
    )
  }
  if (isVersionRefusal(cause)) {
    return say(
      `The broker at ${url} does not speak this version of MQTT. Set protocolVersion in the source to auto.`,
    )
  }
  if (BROKER_BUSY.includes(code))
    return say(`The broker at ${url} is not available at the moment. It is tried again.`)
  return say(
    `The connection to the broker at ${url} failed. Check url in the source and the log of the broker.`,
  )
}

export const closedEarly = (config: MqttConfig): Problem => ({
  code: 'SourceUnavailable',
  message: `The broker at ${config.url} closed the connection before it was set up. Check url in the source and the log of the broker.`,
  messageDe: `Der Broker unter ${config.url} hat die Verbindung vor dem Aufbau geschlossen. Prüfen Sie url in der Quelle und das Protokoll des Brokers.`,
})

export const noAnswer = (config: MqttConfig): Problem => ({
  code: 'SourceUnavailable',
  message: `The broker at ${config.url} does not answer. Check the network, the firewall and url in the source.`,
  messageDe: `Der Broker unter ${config.url} antwortet nicht. Prüfen Sie das Netz, die Firewall und url in der Quelle.`,
})

export const connectionLost = (config: MqttConfig): Problem => ({
  code: 'SourceUnavailable',
  message: `The connection to the broker at ${config.url} was lost. It is set up again; the broker keeps what arrives at QoS 1.`,
  messageDe: `Die Verbindung zum Broker unter ${config.url} ist abgerissen. Sie wird wieder aufgebaut; was mit QoS 1 eintrifft, bewahrt der Broker auf.`,
})

export const notSubscribed = (config: MqttConfig, topics: readonly string[]): Problem => ({
  code: 'SourceUnavailable',
  message: `The broker at ${config.url} does not permit reading ${topics.join(', ')}. Permit it at the broker, or correct topics in the source.`,
  messageDe: `Der Broker unter ${config.url} erlaubt das Lesen von ${topics.join(', ')} nicht. Erlauben Sie es am Broker, oder berichtigen Sie topics in der Quelle.`,
})

export const takenOver = (config: MqttConfig): Problem => ({
  code: 'SourceUnavailable',
  message: `Another client with the same client id connected to the broker at ${config.url}. Give each connector a clientId of its own.`,
  messageDe: `Ein anderer Client mit derselben Client-ID hat sich mit dem Broker unter ${config.url} verbunden. Geben Sie jedem Connector eine eigene clientId.`,
})

export const lostAgainAndAgain = (config: MqttConfig): Problem => ({
  code: 'SourceUnavailable',
  message: `The connection to the broker at ${config.url} is lost again and again right after it is set up. Probably another client uses the same client id: give each connector a clientId of its own.`,
  messageDe: `Die Verbindung zum Broker unter ${config.url} reißt immer wieder gleich nach dem Aufbau ab. Wahrscheinlich verwendet ein anderer Client dieselbe Client-ID: Geben Sie jedem Connector eine eigene clientId.`,
})

export const notLogged = (cause: unknown): Problem => ({
  code: 'SourceUnavailable',
  message:
    'Received records could not be written to the history. They are asked for again; check the free space of the data directory.',
  messageDe:
    'Empfangene Einträge ließen sich nicht in den Verlauf schreiben. Sie werden noch einmal angefordert; prüfen Sie den freien Platz im Datenverzeichnis.',
  detail: { cause: String(cause) },
})
