/** How much of a body is taken, in bytes. */
export interface BodyLimits {
  /** A body that is read into memory; of a form with files, its texts together. */
  readonly body: number
  /** One file. */
  readonly file: number
  /** A form with all its files. */
  readonly upload: number
  /** Fields of a form. */
  readonly parts: number
}
