import type { Api, Body, BodyContent } from './api.ts'
import { isMarked } from './directions.ts'
import { memberName, type TypeTexts } from './emit-types.ts'
import { FormFields } from './form-fields.ts'
import { shapeOf } from './shape.ts'

/** The types of request bodies: those of their schemas, except for files. */
export class BodyTypes {
  readonly #api: Api
  readonly #types: TypeTexts

  constructor(api: Api, types: TypeTexts) {
    this.#api = api
    this.#types = types
  }

  /** The type of a body: one of those that its media types give. */
  of({ content }: Body): string {
    return [...new Set(content.map((one) => this.#ofContent(one)))].join(' | ')
  }

  /** `name: type` for each field of a form that is given as parameters. */
  membersOf({ content: [form] }: Body): string[] {
    return form === undefined ? [] : this.#members(form, new FormFields(this.#api, form, true))
  }

  #ofContent(content: BodyContent): string {
    if (content.kind === 'file') return 'UploadedFile'
    if (content.kind !== 'multipart') return this.#types.of(content.schema, 'request')
    const fields = new FormFields(this.#api, content, false)
    if (fields.files.size === 0) return this.#types.of(content.schema, 'request')
    return `{ ${this.#members(content, fields).join('; ')} }`
  }

  #members({ schema }: BodyContent, { files }: FormFields): string[] {
    const { properties, required } = shapeOf(this.#api, schema)
    return [...properties].flatMap(([name, schemas]) => {
      if (isMarked(this.#api, schemas, 'readOnly')) return []
      const file = files.get(name)
      const fileType = file?.many === true ? 'UploadedFile[]' : 'UploadedFile'
      const type = file === undefined ? this.#types.ofProperty(schemas, 'request') : fileType
      const hasDefault = schemas.some((one) => typeof one === 'object' && one.default !== undefined)
      return [`${memberName(name)}${required.has(name) || hasDefault ? '' : '?'}: ${type}`]
    })
  }
}
