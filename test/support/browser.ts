import { existsSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const program = '/usr/bin/chromium'

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

let browser: Promise<Browser> | undefined

/** What a page has done besides being shown. */
export interface Watched {
  readonly page: Page
  /** Everything it has asked for, by URL; `data:` and `blob:` are no requests. */
  readonly requests: readonly string[]
  /** Errors and warnings of its console, and what its scripts have thrown. */
  readonly complaints: readonly string[]
}

/** A new page of Debian's Chromium, closed when the test ends. Where there is no Chromium the test is skipped, but fails in CI. */
export async function openPage(
  test: TestContext,
  options: BrowserContextOptions = {},
): Promise<Watched | undefined> {
  if (!existsSync(program) && process.env.CI !== 'true') {
    test.skip(`there is no ${program}`)
    return undefined
  }
  browser ??= chromium.launch({ executablePath: program, args: flags })
  const context = await (await browser).newContext({ viewport: { width: 1280, height: 900 }, ...options })
  test.after(() => context.close())
  const page = await context.newPage()
  // A loaded machine takes its time over five megabytes of script.
  page.setDefaultTimeout(100_000)
  const requests: string[] = []
  const complaints: string[] = []
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url())) requests.push(request.url())
  })
  // What the page's own policy has stopped never left the browser.
  page.on('requestfailed', (request) => {
    if (request.failure()?.errorText === 'csp') requests.splice(requests.indexOf(request.url()), 1)
  })
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  return { page, requests, complaints }
}

after(async () => (await browser)?.close())

/** Keeps a picture of a page where a run's artifacts are looked for: `MACARON_SHOTS`, else a folder of the system's temporary one. */
export async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env.MACARON_SHOTS ?? join(tmpdir(), 'macaron-shots')
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`) })
}
