// Made by Macaron from newsletter.yaml: change that, not this. [7:b14d5450c38f3f5016341c7bb1de9d35]
/* eslint-disable */
import { defineModels, Model, type Result } from 'macaron'

export class Issue extends Model<IssueInit> {
  declare subject: string
  declare text: string
  declare readers: string[]
}

/** What `new Issue` takes. */
export interface IssueInit {
  readonly subject: string
  readonly text: string
  readonly readers: readonly string[]
}

export class Published extends Model<PublishedInit> {
  declare task: string
}

/** What `new Published` takes. */
export interface PublishedInit {
  readonly task: string
}

/**
 * POST /issues
 * Send an issue to its readers, after the reply
 */
export type Publish = (body: Issue) => Result<{ 200: PublishedInit }>

defineModels(new URL('./newsletter.yaml', import.meta.url), {
  Issue,
  Published,
})

declare module 'macaron' {
  interface ApiModelTypes {
    'newsletter 9a283211': {
      newsletter: {
        Issue: typeof Issue
        Published: typeof Published
      }
    }
  }
}
