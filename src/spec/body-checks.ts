import type { UploadedFile } from '../core/uploaded-file.ts'
import type { Body, BodyContent, FileField, RawRequest, ReceivedForm, ValueFault } from './api.ts'
import type { ApiModels } from './api-models.ts'
import type { ValueCheck } from './checker.ts'
import { FormFields } from './form-fields.ts'
import { isOfMedia } from './media.ts'
import { setOwn } from './plain.ts'
import type { Reviver } from './reviver.ts'

/** The body of an operation: checked by the schema of its media type, and given as handlers get it. */
export class BodyChecks {
  readonly #models: ApiModels
  readonly #body: Body
  readonly #checks = new Map<BodyContent, ContentCheck>()
  readonly #usual: ContentCheck | undefined

  constructor(models: ApiModels, body: Body) {
    this.#models = models
    this.#body = body
    const [first] = body.content
    this.#usual = first === undefined ? undefined : this.#checkOf(first)
  }

  fileFields(content: BodyContent): ReadonlyMap<string, FileField> {
    const check = this.#checkOf(content)
    return check instanceof FormCheck ? check.files : noFiles
  }

  /** The faults of a body, which is then not looked at further, or the body as the handler gets it. */
  read({ body, content }: RawRequest): ReadBody {
    const check = content === undefined ? this.#usual : this.#checkOf(content)
    if (body === undefined && !this.#body.asParameters) return this.#body.required ? missing : absent
    return check?.read(body) ?? absent
  }

  #checkOf(content: BodyContent): ContentCheck {
    const known = this.#checks.get(content)
    if (known !== undefined) return known
    const made = this.#make(content)
    this.#checks.set(content, made)
    return made
  }

  #make(content: BodyContent): ContentCheck {
    switch (content.kind) {
      case 'form':
      case 'multipart':
        return new FormCheck(this.#models, content, this.#body.asParameters)
      case 'file':
        return { read: (value) => ({ faults: none, value }) }
      default:
        return new SchemaCheck(this.#models, content)
    }
  }
}

export interface ReadBody {
  readonly faults: readonly ValueFault[]
  readonly value: unknown
}

interface ContentCheck {
  read(body: unknown): ReadBody
}

const none: readonly ValueFault[] = []
const noFiles: ReadonlyMap<string, FileField> = new Map()
const noMembers: ReadonlySet<string> = new Set()
const absent: ReadBody = { faults: none, value: undefined }
const missing: ReadBody = { faults: [{ path: 'body', message: 'is required' }], value: undefined }

/** JSON and texts. */
class SchemaCheck implements ContentCheck {
  readonly #models: ApiModels
  readonly #content: BodyContent
  readonly #check: ValueCheck
  #reviver: Reviver | undefined | 'unknown' = 'unknown'

  constructor(models: ApiModels, content: BodyContent) {
    this.#models = models
    this.#content = content
    this.#check = models.checker.check(content.schema)
  }

  read(body: unknown): ReadBody {
    if (!this.#check.fits(body, 'request'))
      return { faults: this.#check.faults(body, 'request', 'body'), value: undefined }
    if (this.#reviver === 'unknown') this.#reviver = this.#models.requestRevivers.of(this.#content.schema)
    return { faults: none, value: this.#reviver === undefined ? body : this.#reviver(body) }
  }
}

/** Forms. Files are checked as if they were short texts, since the schema takes them for texts, and put in their places afterwards. */
class FormCheck implements ContentCheck {
  readonly #fields: FormFields
  readonly #check: ValueCheck
  readonly #revive: Reviver
  readonly #label: string

  constructor(models: ApiModels, content: BodyContent, asParameters: boolean) {
    this.#fields = new FormFields(models.checker.api, content, asParameters)
    this.#check = models.checker.check(content.schema)
    this.#label = asParameters ? 'formData' : 'body'
    // A model is data that can be sent again as JSON; what holds files is none.
    const isData = this.#fields.files.size === 0 && !asParameters
    const whole = isData ? models.requestRevivers.of(content.schema) : undefined
    const fields = models.requestRevivers.fieldsOf(content.schema, noMembers)
    this.#revive = whole ?? ((values) => fields.fill({}, Object(values)))
  }

  get files(): ReadonlyMap<string, FileField> {
    return this.#fields.files
  }

  /** A form that was not sent is one whose fields are all absent. */
  read(body: unknown): ReadBody {
    // Where the content is a form, the parse stage gives one.
    const form = body === undefined ? emptyForm : (body as ReceivedForm)
    const faults: ValueFault[] = []
    const values = this.#fields.read(form, faults)
    const files = this.#filesOf(form, faults)
    for (const [name, file] of files) setOwn(values, name, standIn(file))
    if (!this.#check.fits(values, 'request')) faults.push(...this.#faultsOf(values, files, faults))
    if (faults.length > 0) return { faults, value: undefined }
    const value = this.#revive(values)
    for (const [name, file] of files) setOwn(Object(value), name, file)
    return { faults: none, value }
  }

  #filesOf({ files }: ReceivedForm, faults: ValueFault[]): Files {
    const found = new Map<string, UploadedFile | readonly UploadedFile[]>()
    for (const [name, received] of files) {
      const field = this.#fields.files.get(name)
      const [first] = received
      if (field === undefined || first === undefined) continue
      const path = `${this.#label}.${name}`
      for (const file of received) faults.push(...typeFaults(file, field, path))
      if (!field.many && received.length > 1)
        faults.push({ path, message: `takes one file, not ${received.length}` })
      found.set(name, field.many ? received : first)
    }
    return found
  }

  /** What the stand-ins of files and the texts that can't be read break is not told. */
  #faultsOf(values: object, files: Files, unreadable: readonly ValueFault[]): readonly ValueFault[] {
    const skipped = new Set(unreadable.map(({ path }) => path))
    for (const [name, file] of files) {
      const path = `${this.#label}.${name}`
      if (!Array.isArray(file)) skipped.add(path)
      else for (const index of file.keys()) skipped.add(`${path}[${index}]`)
    }
    return this.#check.faults(values, 'request', this.#label).filter(({ path }) => !skipped.has(path))
  }
}

type Files = ReadonlyMap<string, UploadedFile | readonly UploadedFile[]>

const emptyForm: ReceivedForm = { texts: new Map(), files: new Map() }

/** Each one differs, for lists of unique items. */
function standIn(file: UploadedFile | readonly UploadedFile[]): unknown {
  return Array.isArray(file) ? file.map((_, index) => `file ${index}`) : 'file'
}

function typeFaults({ type }: UploadedFile, { mediaTypes }: FileField, path: string): readonly ValueFault[] {
  if (mediaTypes === undefined || mediaTypes.some((declared) => isOfMedia(type, declared))) return none
  return [{ path, message: `must be of type ${mediaTypes.join(' or ')}, not ${type}` }]
}
