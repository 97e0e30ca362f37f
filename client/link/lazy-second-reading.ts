import type { LinkOptions } from './link-options.ts'
import type { LogReader } from './log-reader.ts'
import type { SecondReading } from './second-reading.ts'

/** Fetched when it is needed, which few visits do; a part of the app that cannot be fetched is a log that cannot be read. */
const fetched = () => import('./second-reading.ts').catch(() => undefined)

export async function readFromOlder(
  options: LinkOptions,
  url: string,
  first: LogReader,
): Promise<SecondReading | undefined> {
  return (await fetched())?.readFromOlder(options, url, first)
}

export async function snapshotOf(options: LinkOptions): Promise<Uint8Array | undefined> {
  return (await fetched())?.snapshotOf(options)
}
