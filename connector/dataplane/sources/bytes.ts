/** A file delivered as it is. Its entity tag changes with its content; a file that changes under way ends the delivery. */
import * as fs from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, extname, isAbsolute } from 'node:path'
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
/** A file up to this size is kept in memory once it was read, bytes. */
const SMALL = 64 * 1024

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

const changed = (): SourceError =>
  new SourceError({
    code: 'SourceUnavailable',
    message: 'The file changed while it was being delivered. Ask for it again.',
    messageDe: 'Die Datei hat sich während der Lieferung geändert. Fragen Sie sie noch einmal an.',
  })

type Described = Awaited<ReturnType<ByteSource['describe']>>
type Opened = (cause: Error | null, fd?: number) => void
type Read = (cause: Error | null, bytesRead: number, buffer: Buffer) => void

export type BytesDeps = {
  readonly report: SourceReport
  /**
   * How long one look at a small file serves all who ask, milliseconds; 0 looks each time. File systems give versions
   * that are a few milliseconds apart the same time, so a look of that age is as good as a new one.
   */
  readonly freshMs?: number
}

export function createByteSource(config: BytesConfig, deps: BytesDeps): BytesSource {
  const { file } = config
  const { freshMs = 0 } = deps
  const mediaType = config.mediaType ?? MEDIA_TYPES[extname(file).toLowerCase()] ?? 'application/octet-stream'
  /** Tag that was last told; what is opened must still have it. */
  let told: string | undefined
  let looked: { readonly at: number; readonly etag: string; readonly found: Described } | undefined
  /** The last small file that was read. Its tag stands for its bytes, so it is read again only when that changes. */
  let kept: { readonly tag: string; readonly bytes: Buffer } | undefined

  const failed = (cause: unknown): SourceError =>
    cause instanceof SourceError ? cause : new SourceError(fileProblem(file, 'file', cause))

  /** Opens the version that is expected, or fails: what was announced must be what is sent. */
  const openChecked =
    (expected: string | undefined) =>
    (path: string, flags: string, mode: number, opened: Opened): void => {
      fs.open(path, flags, mode, (cause, fd) => {
        if (cause !== null) return opened(failed(cause))
        fs.fstat(fd, (fault, entry) => {
          const wrong =
            fault !== null
              ? failed(fault)
              : expected !== undefined && tagOf(entry) !== expected
                ? changed()
                : null
          if (wrong === null) opened(null, fd)
          else fs.close(fd, () => opened(wrong))
        })
      })
    }

  const readOn = (fd: number, buffer: Buffer, offset: number, length: number, at: number, done: Read): void =>
    fs.read(fd, buffer, offset, length, at, (cause, bytesRead) => {
      // Asked only for bytes that are in the file: none left means that it has shrunk.
      if (cause === null && bytesRead === 0) done(changed(), 0, buffer)
      else done(cause === null ? null : failed(cause), bytesRead, buffer)
    })

  const take: BytesSource['take'] = async ({ start, end, etag }) => {
    if (kept?.tag !== etag) {
      if (end >= SMALL) return undefined
      const handle = await open(file).catch((cause: unknown) => {
        throw failed(cause)
      })
      try {
        const entry = await handle.stat()
        if (tagOf(entry) !== etag) throw changed()
        if (entry.size > SMALL) return undefined
        const bytes = await handle.readFile()
        if (bytes.length !== entry.size) throw changed()
        kept = { tag: etag, bytes }
      } catch (cause) {
        throw failed(cause)
      } finally {
        await handle.close()
      }
    }
    return kept?.bytes.subarray(start, end + 1)
  }

  const look = (): Promise<Described> =>
    new Promise((resolve) => {
      fs.stat(file, (cause, entry) => {
        if (cause !== null) return resolve(err(fileProblem(file, 'file', cause)))
        if (!entry.isFile()) {
          const notFile = Object.assign(new Error('not a file'), { code: 'EISDIR' })
          return resolve(err(fileProblem(file, 'file', notFile)))
        }
        const etag = tagOf(entry)
        told = etag
        resolve(ok({ size: entry.size, mediaType, etag, fileName: basename(file) }))
      })
    })

  const describe: BytesSource['describe'] = async () => {
    const now = performance.now()
    // Only what is kept in memory: another version would be refused when it is opened.
    if (looked !== undefined && looked.etag === kept?.tag && now - looked.at < freshMs) return looked.found
    const found = await look()
    looked = found.ok ? { at: now, etag: found.value.etag, found } : undefined
    return found
  }

  return {
    kind: 'bytes',
    describe,
    take,
    open: ({ start, end, etag = told }) =>
      fs.createReadStream(file, {
        start,
        end,
        highWaterMark: CHUNK,
        fs: { open: openChecked(etag), read: readOn, close: fs.close },
      }),
    async start() {
      const described = await describe()
      if (described.ok) deps.report.state('connected')
      else deps.report.state('error', described.error)
    },
    counters: () => ({ received: 0, logged: 0, malformed: 0, duplicates: 0 }),
    async [Symbol.asyncDispose]() {},
  }
}
