import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blank } from '../../scripts/source/blank.ts'

test('strings and comments are blanked out at the same offsets, quotes and line breaks stay', () => {
  const { code, comments } = blank("a('b//', \"c'\") // d\n/* e\n */ f")
  assert.equal(code, 'a(\'   \', "  ")     \n    \n    f')
  assert.equal(comments, '               // d\n/* e\n */  ')
})

test('the inside of a placeholder is code, however deep it nests', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
  assert.equal(blank('`a ${b({ c: `d ${e} f` })} g` + h').code, '     b({ c:      e     })     + h')
})

test('a regular expression is text and a division is code', () => {
  assert.equal(blank("x = /'[/]/g / y / '/'").code, "x = /    /g / y / ' '")
})

test('escaped quotes do not end a string', () => {
  assert.equal(blank("'a\\'b' c").code, "'    ' c")
})
