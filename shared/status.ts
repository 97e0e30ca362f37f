/** What a relay tells its status page. */
export interface Status {
  readonly version: string
  readonly region: string
  readonly role: string
  /** In milliseconds since 1970, like the times of samples. */
  readonly startedAt: number
  readonly everyMs: number
  /** Oldest first; only those after the time that was asked for. */
  readonly samples: readonly Sample[]
}

/** How a relay was in the seconds before a moment. */
export interface Sample {
  readonly time: number
  readonly figures: Readonly<Record<Figure, number | null>>
  /** How many connections were ended or not opened, by reason. */
  readonly refusals: Readonly<Record<string, number>>
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
