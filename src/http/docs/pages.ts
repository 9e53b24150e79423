import type { Api } from '../../spec/api.ts'

/** The pages of the docs, as HTML. Whatever stands in a spec is escaped. All addresses are relative, so that they hold behind a proxy that adds a path. */

/** `/doc`: the APIs of a service. */
export function listPage(service: string, apis: readonly Api[]): string {
  const rows = apis.map((api) => {
    const at = `doc/${encodeURIComponent(api.name)}`
    const count = api.operations.length
    return `<li><h2><a href="${at}">${escaped(api.title)}</a> <small>${escaped(api.version)}</small></h2>
<p>${count} operation${count === 1 ? '' : 's'} · <a href="${at}.yaml">${escaped(api.name)}.yaml</a> · <a href="${at}.json">${escaped(api.name)}.json</a></p></li>`
  })
  return page(
    `APIs of ${service}`,
    `<link rel="stylesheet" href="doc/assets/page.css">`,
    `<main class="apis"><h1>${escaped(service)}</h1>
<ul>${rows.join('\n')}</ul></main>`,
  )
}

/** `/doc/<api>`: the browsable page of one, filled by the script. */
export function apiPage(service: string, api: Api): string {
  const name = escaped(api.name)
  const at = encodeURIComponent(api.name)
  const facts = {
    document: `assets/${at}.json`,
    needsToken: api.operations.some((one) => one.served && one.authenticated),
  }
  return page(
    `${api.title} · ${service}`,
    `<link rel="stylesheet" href="assets/page.css">
<script type="application/json" id="facts">${JSON.stringify(facts).replaceAll('<', '\\u003c')}</script>
<script defer src="assets/scalar.js"></script>
<script type="module" src="assets/page.js"></script>`,
    `<nav class="bar"><a href="../doc">${escaped(service)}</a><span><a href="${at}.yaml">${name}.yaml</a> <a href="${at}.json">${name}.json</a></span></nav>
<noscript>This page needs JavaScript. The spec itself: ${name}.yaml, ${name}.json above.</noscript>
<div id="app"></div>`,
  )
}

function page(title: string, head: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${escaped(title)}</title>
${head}
</head>
<body>
${body}
</body>
</html>
`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => entities[letter] ?? letter)
}
