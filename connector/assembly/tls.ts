/** The certificate of the port for partners: read at the start, and again when its files change, without a restart. */
import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import type { Config } from '../config/load.js'
import type { Log } from '../core/log.js'
import { ok, problem, type Result } from '../core/result.js'
import { isDevelopmentCertificate } from '../crypto/certificates.js'
import type { ServerTls } from '../dsp/listen.js'

/** How often the files are looked at. Their names may be links that lead elsewhere after a renewal. */
const LOOK_EVERY_MS = 2_000

export function readTls(config: Config, dev: boolean): Result<ServerTls | undefined> {
  if (config.tls === 'off' || config.tlsCert === undefined || config.tlsKey === undefined)
    return ok(undefined)
  const cert = readFileSync(config.tlsCert, 'utf8')
  if (!dev && isDevelopmentCertificate(cert)) {
    return problem('InvalidInput', {
      en: `${config.tlsCert} is a development certificate, which nobody but this machine trusts. Use a real certificate, or start with --dev for trying out.`,
      de: `${config.tlsCert} ist ein Entwicklungszertifikat, dem nur diese Maschine vertraut. Verwenden Sie ein echtes Zertifikat, oder starten Sie zum Ausprobieren mit --dev.`,
    })
  }
  return ok({
    cert,
    key: readFileSync(config.tlsKey, 'utf8'),
    ...(config.tlsKeyPassphrase === undefined ? {} : { passphrase: config.tlsKeyPassphrase }),
  })
}

/** A pair that does not fit, such as in the middle of a renewal, changes nothing: the present certificate stays. */
export function watchTls(
  config: Config,
  deps: { readonly dev: boolean; readonly log: Log; readonly renew: (tls: ServerTls) => void },
): Disposable {
  const { tlsCert: cert, tlsKey: key } = config
  const take = (): void => {
    try {
      const tls = readTls(config, deps.dev)
      if (!tls.ok) deps.log.error({ cert, why: tls.error.message }, 'certificate not taken')
      else if (tls.value !== undefined) {
        deps.renew(tls.value)
        deps.log.info({ cert }, 'certificate renewed')
      }
    } catch (cause) {
      deps.log.error({ err: cause, cert, key }, 'certificate not taken; the present one stays')
    }
  }
  const files = [cert, key].filter((file) => file !== undefined)
  for (const file of files) watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, take)
  return {
    [Symbol.dispose]: () => {
      for (const file of files) unwatchFile(file, take)
    },
  }
}
