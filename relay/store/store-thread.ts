import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/** Built, the worker lies beside this file. In development a thread of its own has to learn TypeScript first. */
export function storeThread(): URL {
  if (!import.meta.url.endsWith('.ts')) return new URL('./store-worker.js', import.meta.url)
  const source = new URL('./store-worker.ts', import.meta.url).href
  const tsx = new URL('esm/api/index.mjs', pathToFileURL(createRequire(import.meta.url).resolve('tsx')))
  return new URL(
    `data:text/javascript,import { register } from '${tsx}'; register(); await import('${source}')`,
  )
}
