import { asyncTask } from 'macaron'
import { Picture } from '../apis/pictures.gen.ts'

/** Pure computing: it blocks the executor it runs in, and neither the server nor the other executors. */
export const shrink = asyncTask(function shrink({ width, height, pixels }: Picture, factor: number): Picture {
  const source = Buffer.from(pixels, 'base64')
  const small = { width: Math.ceil(width / factor), height: Math.ceil(height / factor) }
  const target = Buffer.alloc(small.width * small.height)
  for (let y = 0; y < small.height; y++) {
    for (let x = 0; x < small.width; x++) {
      const box = { left: x * factor, top: y * factor, size: factor }
      target[y * small.width + x] = averageOf(source, { width, height }, box)
    }
  }
  return new Picture({ ...small, pixels: target.toString('base64') })
})

interface Box {
  readonly left: number
  readonly top: number
  readonly size: number
}

function averageOf(source: Buffer, { width, height }: { width: number; height: number }, box: Box): number {
  const [right, bottom] = [Math.min(box.left + box.size, width), Math.min(box.top + box.size, height)]
  let sum = 0
  for (let y = box.top; y < bottom; y++)
    for (let x = box.left; x < right; x++) sum += source[y * width + x] ?? 0
  return Math.round(sum / ((right - box.left) * (bottom - box.top)))
}
