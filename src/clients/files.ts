import { UploadedFile } from '../core/uploaded-file.ts'

/** A file as calls take it: a Blob or File, bytes, or one that came with the request that is served. */
export type SentFile = Blob | Uint8Array | UploadedFile

/** A file to be sent, read whole: a call may have to be tried again. */
export interface ReadFile {
  readonly bytes: Uint8Array
  readonly name: string | undefined
  /** The media type it says of itself. */
  readonly type: string | undefined
}

export function isSentFile(value: unknown): value is SentFile {
  return value instanceof Blob || value instanceof Uint8Array || value instanceof UploadedFile
}

/** @throws what reading an uploaded file fails with. */
export async function readFile(file: SentFile): Promise<ReadFile> {
  if (file instanceof Uint8Array) return { bytes: file, name: undefined, type: undefined }
  const { type } = file
  const name = 'name' in file && typeof file.name === 'string' ? file.name : undefined
  const bytes = file instanceof UploadedFile ? await file.buffer() : new Uint8Array(await file.arrayBuffer())
  return { bytes, name, type: type === '' ? undefined : type }
}
