import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { openPage, shoot, type Watched } from '../support/browser.ts'
import { startDocs, tokenOf } from './docs-service.ts'

const service = await startDocs(test)

/** Nothing was asked of another host. A picture in a spec's text is stopped by the page's policy, and the browser says so. */
function assertQuiet({ requests, complaints }: Watched): void {
  assert.ok(requests.length > 0)
  assert.deepEqual(
    requests.filter((url) => new URL(url).origin !== service),
    [],
  )
  assert.deepEqual(
    complaints.filter((text) => !text.includes('https://pictures.example/')),
    [],
  )
}

/** The page of an API, once it is filled. */
async function openApi(page: Page, name: string, title: string): Promise<void> {
  await page.goto(`${service}/doc/${name}`)
  await page.getByRole('heading', { name: title, exact: true }).waitFor()
}

test('the page lists the operations, takes a token, and an authenticated request of it succeeds', async (t) => {
  const watched = await openPage(t)
  if (watched === undefined) return
  const { page } = watched
  await page.goto(`${service}/doc`)
  await shoot(page, 'docs-list')
  await page.getByRole('link', { name: 'Old <shop>' }).click()
  for (const name of ['Old <shop>', 'Who calls', 'Open to all'])
    await page.getByRole('heading', { name, exact: true }).waitFor()
  const heading = await page.getByRole('heading', { name: 'Old <shop>', exact: true }).boundingBox()
  assert.ok((heading?.width ?? 0) > 100 && (heading?.height ?? 100) < 100, 'the heading has room')
  await shoot(page, 'docs-light')
  await page.getByPlaceholder('Token').fill(await tokenOf('ada'))
  await page.getByRole('button', { name: /Test Request.*whoami/s }).click()
  const sent = page.waitForResponse(`${service}/v1/whoami`)
  await page.getByRole('button', { name: /^Send get request/i }).click()
  const response = await sent
  assert.equal(response.status(), 200)
  assert.deepEqual(await response.json(), { sub: 'ada' })
  await page.getByText('"ada"').first().waitFor()
  await shoot(page, 'docs-request')
  assertQuiet(watched)
})

test('the page of an OpenAPI 3 file shows the served path on this host, in the dark and in a small window', async (t) => {
  const watched = await openPage(t, { colorScheme: 'dark', viewport: { width: 390, height: 800 } })
  if (watched === undefined) return
  const { page } = watched
  await openApi(page, 'new%20shop', 'New shop')
  await shoot(page, 'docs-dark-small')
  const text = await page.locator('body').textContent()
  assert.ok(text?.includes('/orders-api/orders/{id}'))
  assert.ok(text?.includes(service))
  assert.doesNotMatch(text ?? '', /elsewhere\.example/)
  const wide = await page.evaluate(
    'document.documentElement.scrollWidth > document.documentElement.clientWidth',
  )
  assert.equal(wide, false, 'nothing is wider than the window')
  const dark = await page.evaluate('getComputedStyle(document.body).backgroundColor')
  assert.match(String(dark), /^rgb\((\d|[1-4]\d), /, 'the background is dark')
  assertQuiet(watched)
})
