import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inject } from 'vitest'

/** In place of `store-thread.ts`: a thread that learns TypeScript first takes five times the work to start, in 200 tests. */
export function storeThread(): URL {
  return pathToFileURL(join(inject('builtRelay'), '../store-worker.js'))
}
