/** What a relay tells its status page. */
export interface Status {
  readonly version: string
  readonly region: string
  readonly role: string
  /** In milliseconds since 1970, like the times of samples. */
  readonly startedAt: number
  readonly everyMs: number
  /** This one first; none where one process is everything there is. */
  readonly regions: readonly string[]
  /** Which shards have the fewest stores in this region that are ready, and how many; null in one process. */
  readonly fewest: { readonly stores: number; readonly shards: string } | null
  /** Relays and stores of all regions that said something within the last hour. */
  readonly processes: readonly ProcessSeen[]
  /** Oldest first; only those after the time that was asked for. */
  readonly samples: readonly Sample[]
}

/** A relay or store as it last said it was. */
export interface ProcessSeen {
  readonly kind: 'relay' | 'store'
  readonly region: string
  readonly version: string
  readonly startedAt: number
  readonly heardAt: number
  /** False when it has been silent for longer than it would be. */
  readonly isHeard: boolean
  readonly isReady: boolean
  /** The process that tells of it. */
  readonly isHere: boolean
  /** Of a store, such as `0-31,40`. */
  readonly shards: string | undefined
  readonly connections: number | null
  /** Of a store: what was said in each region and is not kept here yet. */
  readonly behind: Readonly<Record<string, number>>
}

/** A region at a moment, as far as it could be heard. */
export interface RegionFigures {
  /** Those that are ready. */
  readonly stores: number
  readonly relays: number
  /** Messages that were said there and are not kept by the slowest store here; null while nobody knows. */
  readonly behind: number | null
}

/** How a relay was in the seconds before a moment. */
export interface Sample {
  readonly time: number
  readonly figures: Readonly<Record<Figure, number | null>>
  /** How many connections were ended or not opened, by reason. */
  readonly refusals: Readonly<Record<string, number>>
  /** By their names; none where one process is everything there is. */
  readonly regions: Readonly<Record<string, RegionFigures>>
}

/** Null where there was nothing to measure. */
export type Figure =
  | 'connections'
  | 'rooms'
  | 'slowReaders'
  /** The share of time in which the relay's thread had something to do. */
  | 'busy'
  | 'memoryBytes'
  | 'savedPerSecond'
  | 'unsavedPerSecond'
  /** In seconds. */
  | 'fanOutP50'
  | 'fanOutP99'
  | 'savedP50'
  | 'savedP99'
  | 'databaseBytes'
  | 'logBytes'
  | 'diskFreeBytes'
