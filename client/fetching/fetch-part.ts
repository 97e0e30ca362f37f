/** Milliseconds before each further try: a line that broke is often back at once. Nobody waits longer to be told that there is none. */
const pauses = [300, 900, 2_700]
/** The files that are here or on their way, by address. */
const files = new Map<string, Promise<unknown>>()

// What the page itself names is asked for again by `public/boot.js`, a file because nothing inline may run, without a word because everybody
// loads it, and named twice, so that there is a second try at it, too. A script means a reload: many browsers remember a module that failed, nothing is
// shown yet, and what came is in their cache. A line that broke is often back at once; a file that is not there stays away, and is asked for seldom.
// A browser that cannot read what came says so itself: there is nobody else who could.

/**
 * What the build puts around every `import()`. Vite's own wrapper asks for the styles of a part once only, and then shows it without.
 * Scripts are fetched before they are imported: most browsers before 2026 remember a failed import for as long as the page is open,
 * https://github.com/whatwg/html/pull/10327.
 */
export async function fetchPart<Part>(
  load: () => Promise<Part>,
  needed: readonly string[] = [],
  importer?: string,
): Promise<Part> {
  for (let tries = 0; ; tries++) {
    try {
      await Promise.all(needed.map((file) => arrival(new URL(file, importer).href)))
      return await load()
    } catch (error) {
      if (tries === pauses.length) throw error
      await new Promise((resolve) => setTimeout(resolve, pauses[tries]))
    }
  }
}

function arrival(url: string): Promise<unknown> {
  if (files.size === 0) for (const file of filesOfPage()) files.set(file, Promise.resolve())
  const begun = files.get(url) ?? (url.endsWith('.css') ? style(url) : keep(url))
  files.set(url, begun)
  begun.catch(() => files.delete(url))
  return begun
}

function filesOfPage(): string[] {
  const scripts = Array.from(document.scripts, ({ src }) => src)
  const links = document.querySelectorAll<HTMLLinkElement>('link[rel=modulepreload], link[rel=stylesheet]')
  return ['', ...scripts, ...Array.from(links, ({ href }) => href)]
}

/** Into the browser's cache, from where the import takes it. */
async function keep(url: string): Promise<void> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} answers ${response.status}`)
  await response.arrayBuffer()
}

function style(url: string): Promise<void> {
  const link = document.createElement('link')
  link.rel = 'stylesheet'
  link.href = url
  return new Promise((resolve, reject) => {
    link.onload = () => resolve()
    link.onerror = () => {
      link.remove()
      reject(new Error(`${url} did not come`))
    }
    document.head.append(link)
  })
}
