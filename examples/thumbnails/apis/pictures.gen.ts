// Made by Macaron from pictures.yaml: change that, not this. [7:505fdfd8079a0306b730ee6b2c0f5764]
/* eslint-disable */
import { defineModels, Model, type Result } from 'macaron'

/** Grey, a byte for each pixel, row by row */
export class Picture extends Model<PictureInit> {
  declare width: number
  declare height: number
  declare pixels: string
}

/** What `new Picture` takes. */
export interface PictureInit {
  readonly width: number
  readonly height: number
  readonly pixels: string
}

export class Order extends Model<OrderInit> {
  declare id: string
  declare state: string
  declare thumbnail?: Picture
}

/** What `new Order` takes. */
export interface OrderInit {
  readonly id: string
  readonly state: string
  readonly thumbnail?: PictureInit | undefined
}

/**
 * POST /pictures
 * Take a picture; its thumbnail is made after the reply
 */
export type AddPicture = (body: Picture) => Result<{ 200: OrderInit }>

/**
 * GET /thumbnails/{id}
 * The thumbnail, once it is there
 */
export type GetThumbnail = (parameters: { id: string }) => Result<{ 200: OrderInit }>

defineModels(new URL('./pictures.yaml', import.meta.url), {
  Picture,
  Order,
})

declare module 'macaron' {
  interface ApiModelTypes {
    'pictures 1c27be3a': {
      pictures: {
        Picture: typeof Picture
        Order: typeof Order
      }
    }
  }
}
