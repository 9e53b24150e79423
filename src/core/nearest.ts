/**
 * "Did you mean …?": the known name nearest to a mistyped one. Case and the separators `_`, `-` and space count for nothing,
 * so `do_signup` finds `doSignup`; two swapped neighbours count as one slip.
 */

/** The candidate nearest to `word`, or undefined where none is near: at most `most` slips, by default one in three letters. The first of equals. */
export function nearest(word: string, candidates: Iterable<string>, most?: number): string | undefined {
  const wanted = plain(word)
  let best: string | undefined
  let bestDistance = (most ?? Math.max(1, Math.floor(wanted.length / 3))) + 1
  for (const candidate of candidates) {
    const distance = slips(wanted, plain(candidate), bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** The end of a message: ` Did you mean "doSignup"?`, or nothing where no candidate is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const found = nearest(word, candidates)
  return found === undefined ? '' : ` Did you mean "${found}"?`
}

function plain(word: string): string {
  return word.toLowerCase().replace(/[_\-\s]/g, '')
}

/** Edit distance with swaps of neighbours (optimal string alignment); `limit` or more where it is surely not smaller. */
function slips(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) row.push(cheapest({ a, b, i, j, row, last, before }))
    if (Math.min(...row) >= limit) return limit
    before = last
    last = row
  }
  return last[b.length] ?? limit
}

interface Cell {
  readonly a: string
  readonly b: string
  readonly i: number
  readonly j: number
  readonly row: readonly number[]
  readonly last: readonly number[]
  readonly before: readonly number[]
}

function cheapest({ a, b, i, j, row, last, before }: Cell): number {
  const at = (cells: readonly number[], index: number) => cells[index] ?? Number.POSITIVE_INFINITY
  const same = a[i - 1] === b[j - 1]
  const cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1))
  const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
  return swapped ? Math.min(cost, at(before, j - 2) + 1) : cost
}
