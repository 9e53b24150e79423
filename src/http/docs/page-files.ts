import { tokenScheme } from './shown-document.ts'

/** What the pages load besides Scalar's program. */

/** Everything is below a class: Scalar's own elements must not be met. It leaves room above itself for a bar as high as `--scalar-custom-header-height`. */
export const pageStyle = `:root { --scalar-custom-header-height: 44px; --scalar-font: system-ui, sans-serif; --scalar-font-code: ui-monospace, monospace; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
.apis { max-width: 46rem; margin: 0 auto; padding: 2rem 1.25rem; }
.apis ul { list-style: none; padding: 0; }
.apis h2 { font-size: 1.15rem; margin: 1.5rem 0 0; overflow-wrap: anywhere; }
.apis p { margin: 0; }
.apis small { font-weight: normal; opacity: .7; }
.bar { position: sticky; top: 0; z-index: 10; box-sizing: border-box; height: 44px; padding: 0 1.25rem; display: flex; align-items: center; justify-content: space-between; gap: 1rem;
  font-size: 14px; white-space: nowrap; overflow-x: auto; background: Canvas; border-bottom: 1px solid color-mix(in srgb, CanvasText 15%, Canvas); }
.bar span { display: flex; gap: 1rem; }
.bar a { color: CanvasText; }
.light-mode .bar { color-scheme: light; }
.dark-mode .bar { color-scheme: dark; }
.fault { max-width: 46rem; margin: 2rem auto; padding: 0 1.25rem; }
`

/**
 * Gives Scalar the document and turns off whatever would leave this host: fonts, telemetry, agent, MCP, the vendor's client and tools. It has no proxy. The
 * token that is entered stays in the page's memory.
 */
export const pageScript = `const facts = JSON.parse(document.getElementById('facts').textContent)
const app = document.getElementById('app')
// The service's root: this page is at <root>/doc/<api>.
const root = new URL('..', location.href)
const server = root.origin + root.pathname.replace(/\\/$/, '')

try {
  const response = await fetch(facts.document)
  if (!response.ok) throw new Error((await response.json()).error_description)
  Scalar.createApiReference(app, {
    content: await response.json(),
    servers: [{ url: server, description: 'This service' }],
    ...(facts.needsToken
      ? { authentication: { preferredSecurityScheme: '${tokenScheme}', securitySchemes: { '${tokenScheme}': { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', token: '' } } } }
      : {}),
    persistAuth: false,
    withDefaultFonts: false,
    telemetry: false,
    agent: { disabled: true },
    mcp: { disabled: true },
    hideClientButton: true,
    showDeveloperTools: 'never',
    documentDownloadType: 'none',
  })
} catch (error) {
  app.className = 'fault'
  app.textContent = 'This page could not be made: ' + error.message
}
`
