import { defineError, taskHandle } from 'macaron'
import { type AddPicture, type GetThumbnail, Order, Picture } from '../apis/pictures.gen.ts'
import { shrink } from '../tasks/shrink.ts'

const NotAPicture = defineError('NOT_A_PICTURE', 400, 'There must be width × height pixels')

export const addPicture: AddPicture = (picture) => {
  if (Buffer.byteLength(picture.pixels, 'base64') !== picture.width * picture.height) throw new NotAPicture()
  const { id } = shrink.fire(picture, 2)
  return new Order({ id, state: 'queued' })
}

export const getThumbnail: GetThumbnail = async ({ id }) => {
  const handle = taskHandle(id)
  const { state } = await handle.status()
  if (state !== 'done') return new Order({ id, state })
  return new Order({ id, state, thumbnail: Picture.from(await handle.result()) })
}
