/** What the kit is told: where the connector under test is, how to prove who calls, and what each case is about. */
import { CASES, type Case, FORMAT, offerIdOf } from './cases.js'

export type KitSettings = {
  /** Port of the server on which the kit is called back. */
  readonly kitPort: number
  /** Participant id of the connector under test. */
  readonly participantId: string
  /** DSP base address of the connector under test, and the one below which its version document is found. */
  readonly dspAddress: string
  readonly versionBase: string
  /** Value of the Authorization header of every call of the kit. */
  readonly authorization: string
  /** Where the harness listens for the wish to begin a process as consumer. */
  readonly initiate: string
  /** How long the kit waits for a message or a state, seconds. */
  readonly patience: number
}

const keysOf = ({ id, group, key }: Case): readonly (readonly [string, string])[] => {
  const name = id.replaceAll(/[:-]/g, '_')
  switch (group) {
    case 'MET':
      return []
    case 'CAT':
    case 'CN_C':
      return [[`${name}_DATASETID`, key]]
    case 'CN':
      return [
        [`${name}_DATASETID`, key],
        [`${name}_OFFERID`, offerIdOf(key)],
      ]
    case 'TP':
    case 'TP_C':
      return [
        [`${name}_AGREEMENTID`, key],
        [`${name}_FORMAT`, FORMAT],
      ]
  }
}

/** Text of the properties file. */
export function kitProperties(settings: KitSettings): string {
  const connector = 'dataspacetck.dsp.connector'
  const lines: readonly (readonly [string, string])[] = [
    ['dataspacetck.debug', 'false'],
    ['dataspacetck.dsp.local.connector', 'false'],
    ['dataspacetck.dsp.default.wait', String(settings.patience)],
    ['dataspacetck.host', '127.0.0.1'],
    ['dataspacetck.port', String(settings.kitPort)],
    // The kit matches whole paths, so that its address must have none.
    ['dataspacetck.callback.address', `http://localhost:${settings.kitPort}`],
    [`${connector}.agent.id`, settings.participantId],
    [`${connector}.http.url`, settings.dspAddress],
    [`${connector}.http.base.url`, settings.versionBase],
    [`${connector}.http.headers.authorization`, settings.authorization],
    [`${connector}.negotiation.initiate.url`, `${settings.initiate}/negotiations`],
    [`${connector}.transfer.initiate.url`, `${settings.initiate}/transfers`],
    ...CASES.flatMap(keysOf),
  ]
  return lines.map(([name, value]) => `${name}=${escaped(value)}\n`).join('')
}

/** As java.util.Properties reads it back. */
const escaped = (value: string): string => value.replaceAll('\\', '\\\\').replaceAll(/^ /g, '\\ ')
