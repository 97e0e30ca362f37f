/** A disk may give back anything, of any type: what rows have to be before somebody counts with them. */
/** No log gets that long, and there is room to count on. */
const largest = 2 ** 48

/** The number in a column; 0 for what is none, or too large for JavaScript, where reading it would throw. */
export function numberIn(column: string): string {
  return `CASE WHEN typeof(${column}) = 'integer' AND ${column} BETWEEN 0 AND ${largest} THEN ${column} ELSE 0 END`
}

/** Text and bytes are larger than every number. */
export const hasSequence = `typeof(sequence) = 'integer' AND sequence BETWEEN 1 AND ${largest}`

export function isBytes(value: unknown, length?: number): value is Uint8Array {
  return value instanceof Uint8Array && (length === undefined || value.length === length)
}
