/**
 * A text of about so many characters at most, with a note of how many are left out. It ends between words: nobody could tell that what is left of a token is
 * part of one.
 */
export function shortened(text: string, longest: number): string {
  if (text.length <= longest) return text
  let end = longest
  while (end > 0 && !endsToken.test(text.charAt(end))) end--
  return `${text.slice(0, end)} [${text.length - end} more characters]`
}

/** What none of the tokens and secrets that are looked for in texts holds. */
const endsToken = /[\s&"\\]/
