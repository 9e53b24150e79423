/** RFC 3339 date-times: text that names a moment which a Date can hold. */

const form =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/** Whether text is a date-time with a time zone. A leap second (…:60Z) is none: no Date holds it. */
export function isDateTime(text: string): boolean {
  if (!form.test(text)) return false
  const day = twoDigits(text, 8)
  return day < 29 || day <= daysOf(Number(text.slice(0, 4)), twoDigits(text, 5))
}

function twoDigits(text: string, at: number): number {
  return text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - zero * 11
}

const zero = 48

function daysOf(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}
