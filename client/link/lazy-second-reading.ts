import type { LinkOptions } from './relay-link.ts'
import type { SecondReading } from './second-reading.ts'

/** Fetched when it is needed, which few visits do; a part of the app that cannot be fetched is a log that cannot be read. */
export async function readFromOlder(options: LinkOptions, url: string): Promise<SecondReading | undefined> {
  const part = await import('./second-reading.ts').catch(() => undefined)
  return part?.readFromOlder(options, url)
}
