/** A file delivered as it is. Its entity tag changes with its content; a file that changes under way ends the delivery. */
import { type FileHandle, open, stat } from 'node:fs/promises'
import { basename, extname, isAbsolute } from 'node:path'
import { Readable } from 'node:stream'
import { err, ok, type Result } from '../../core/result.js'
import { type ByteSource, SourceError } from '../ports.js'
import { readConfig } from './config-reader.js'
import type { Managed, SourceReport } from './managed.js'
import { fileProblem } from './ordinals.js'

export type BytesConfig = {
  /** Absolute. */
  readonly file: string
  readonly mediaType?: string
}

export type BytesSource = ByteSource & Managed

/** Bytes read at a time. */
const CHUNK = 256 * 1024

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.csv': 'text/csv',
  '.gz': 'application/gzip',
  '.html': 'text/html',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.jsonl': 'application/x-ndjson',
  '.md': 'text/markdown',
  '.ndjson': 'application/x-ndjson',
  '.parquet': 'application/vnd.apache.parquet',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.step': 'model/step',
  '.stl': 'model/stl',
  '.stp': 'model/step',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.xml': 'application/xml',
  '.yaml': 'application/yaml',
  '.yml': 'application/yaml',
  '.zip': 'application/zip',
}

export const parseBytesConfig = (json: unknown): Result<BytesConfig> =>
  readConfig('The byte source', json, (reader) => {
    const file = reader.requiredText('file')
    if (file !== '' && !isAbsolute(file)) reader.mistake('file must be an absolute path')
    const mediaType = reader.text('mediaType')
    if (mediaType !== undefined && !/^[\w.+-]+\/[\w.+-]+(?:; ?[\w.+-]+=[\w.+-]+)*$/.test(mediaType)) {
      reader.mistake('mediaType must be a media type such as application/pdf')
    }
    return mediaType === undefined ? { file } : { file, mediaType }
  })

type Shape = { readonly ino: number; readonly size: number; readonly mtimeMs: number }

/** A strong entity tag with its quotes (RFC 9110, 8.8.3): the same tag stands for the same bytes. */
const tagOf = ({ ino, size, mtimeMs }: Shape): string =>
  `"${ino.toString(36)}-${size.toString(36)}-${Math.round(mtimeMs * 1_000).toString(36)}"`

export function createByteSource(config: BytesConfig, deps: { readonly report: SourceReport }): BytesSource {
  const { file } = config
  const mediaType = config.mediaType ?? MEDIA_TYPES[extname(file).toLowerCase()] ?? 'application/octet-stream'
  /** Tag that was last told; what is opened must still have it. */
  let told: string | undefined

  async function* bytes(start: number, end: number, expected: string | undefined): AsyncGenerator<Buffer> {
    const failed = (cause: unknown) => new SourceError(fileProblem(file, 'file', cause))
    const changed = new SourceError({
      code: 'SourceUnavailable',
      message: 'The file changed while it was being delivered. Ask for it again.',
    })
    const handle: FileHandle = await open(file).catch((cause: unknown) => {
      throw failed(cause)
    })
    try {
      if (expected !== undefined && tagOf(await handle.stat()) !== expected) throw changed
      for (let at = start; at <= end; ) {
        const buffer = Buffer.allocUnsafe(Math.min(CHUNK, end - at + 1))
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, at)
        if (bytesRead === 0) throw changed
        at += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
    } catch (cause) {
      throw cause instanceof SourceError ? cause : failed(cause)
    } finally {
      await handle.close()
    }
  }

  const describe: BytesSource['describe'] = async () => {
    try {
      const entry = await stat(file)
      if (!entry.isFile()) throw Object.assign(new Error('not a file'), { code: 'EISDIR' })
      const etag = tagOf(entry)
      told = etag
      return ok({ size: entry.size, mediaType, etag, fileName: basename(file) })
    } catch (cause) {
      return err(fileProblem(file, 'file', cause))
    }
  }

  return {
    kind: 'bytes',
    describe,
    open: ({ start, end }) =>
      Readable.from(bytes(start, end, told), { objectMode: false, highWaterMark: CHUNK }),
    async start() {
      const described = await describe()
      if (described.ok) deps.report.state('connected')
      else deps.report.state('error', described.error)
    },
    counters: () => ({ received: 0, logged: 0, malformed: 0, duplicates: 0 }),
    async [Symbol.asyncDispose]() {},
  }
}
