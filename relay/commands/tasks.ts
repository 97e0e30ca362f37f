import { backup } from './backup.ts'
import { isBucket } from './bucket-address.ts'
import { checkBackups, checkData } from './check.ts'
import { isSound } from './examine.ts'
import { restore } from './restore.ts'
import { amount, countsIn, examinationIn, sizeOf } from './sentences.ts'
import { statsOf } from './stats.ts'

/** What a command found, in words, and whether something is damaged. */
export interface Told {
  readonly words: string
  readonly damaged: boolean
}

/** Who has only folders needs nothing of S3. */
function buckets() {
  return import('./buckets.ts')
}

export async function tellBackup(dataDir: string, folder: string, keep: number): Promise<Told> {
  const { name, manifest, newBytes, isClockBehind, removed, examinations } = isBucket(folder)
    ? await (await buckets()).backup(dataDir, folder, keep)
    : await backup(dataDir, folder, keep)
  const bytes = manifest.databases.reduce((sum, database) => sum + database.bytes, 0)
  const lines = [
    `Backup ${name} is in ${folder}: ${sizeOf(bytes)}, of which ${sizeOf(newBytes)} are new.`,
    ...examinations.map(examinationIn),
  ]
  if (isClockBehind) {
    lines.push(
      "The backup before is from a time that this computer's clock has yet to reach, so this one is named a moment later. Look after the clock.",
    )
  }
  if (removed > 0) lines.push(`${amount(removed, 'older backup was', 'older backups were')} removed.`)
  const damaged = !examinations.every(isSound)
  if (damaged) lines.push('Older backups were kept, however many there are.')
  return { words: lines.join('\n'), damaged }
}

export async function tellRestore(dataDir: string, folder: string, name: string | undefined): Promise<Told> {
  const restored = isBucket(folder)
    ? await (await buckets()).restore(dataDir, folder, name)
    : restore(dataDir, folder, name)
  const { manifest, aside, deletions, knowsDeletions } = restored
  const lines = [
    `Backup ${restored.name} is in ${dataDir} again: ${manifest.databases.map(({ rows }) => countsIn(rows)).join('; ')}.`,
  ]
  if (deletions > 0) {
    lines.push(
      `${amount(deletions, 'session that its owner', 'sessions that their owners')} deleted stayed deleted.`,
    )
  }
  if (!knowsDeletions) {
    lines.push('What was replaced cannot be read, so sessions that were deleted since the backup are back.')
  }
  for (const place of aside) lines.push(`What was there is kept in ${place}; remove it once all is well.`)
  lines.push('Start the relay: devices bring back what they hold and the backup has not.')
  return { words: lines.join('\n'), damaged: false }
}

export function tellCheck(dataDir: string): Told {
  const checked = checkData(dataDir)
  return {
    words: checked.map(({ path, examination }) => `${path}: ${examinationIn(examination)}`).join('\n'),
    damaged: !checked.every(({ examination }) => isSound(examination)),
  }
}

export async function tellCheckOfBackups(folder: string): Promise<Told> {
  const checked = isBucket(folder) ? await (await buckets()).check(folder) : checkBackups(folder)
  if (checked.length === 0) return { words: `There is no backup in ${folder}.`, damaged: true }
  const lines = checked.map(({ name, damagedPieces, sound }) => {
    if (damagedPieces > 0) {
      return `${name}: ${amount(damagedPieces, 'piece is', 'pieces are')} missing or damaged.`
    }
    return sound ? `${name}: whole.` : `${name}: as it was made, from a database that was damaged then.`
  })
  return {
    words: lines.join('\n'),
    damaged: checked.some(({ damagedPieces, sound }) => damagedPieces > 0 || !sound),
  }
}

export function tellStats(dataDir: string, json: boolean): Told {
  const all = statsOf(dataDir)
  if (json) return { words: JSON.stringify(all, undefined, 2), damaged: false }
  const lines = all.flatMap(({ path, bytes, rows, idleSessions }) => [
    `${path}: ${countsIn(rows)}.`,
    `  ${sizeOf(bytes.database)} on disk, ${sizeOf(bytes.free)} of it free, and ${sizeOf(bytes.writeAheadLog)} of write-ahead log.`,
    `  ${sizeOf(bytes.envelopes)} of envelopes; the largest session has ${sizeOf(bytes.largestSession)}.`,
    ...idleSessions.map(
      ({ days, sessions }) =>
        `  ${amount(sessions, 'session was', 'sessions were')} last used ${amount(days, 'day', 'days')} ago or earlier.`,
    ),
  ])
  return { words: lines.join('\n'), damaged: false }
}
