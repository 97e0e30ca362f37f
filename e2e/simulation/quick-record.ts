import { decodeRecord as reallyDecodeRecord, recordIdOf as reallyRecordIdOf } from '../../shared/record.ts'
import { onceForBytes } from './read-once.ts'

// Stands for `shared/record.ts`.
export * from '../../shared/record.ts'

export const recordIdOf = onceForBytes(reallyRecordIdOf)

export const decodeRecord = onceForBytes((bytes) => {
  const record = reallyDecodeRecord(bytes.slice()) // parts of it may be views of the bytes
  return record && Object.freeze(record)
})
