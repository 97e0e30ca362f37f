import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from '@noble/hashes/utils.js'
import { base32, parseBase32 } from '../../shared/id.ts'
import { Complaint, reasonOf } from './complaint.ts'

/** Where this person's secret stays between runs, unless they say otherwise. */
export function stateFolder(environment: Readonly<Record<string, string | undefined>>): string {
  return join(environment.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'facedown')
}

/** The secret that this person's participants are derived from: 32 bytes, made when there is none. */
export function ownSecret(folder: string): Uint8Array {
  const path = join(folder, 'secret')
  const kept = readKept(path)
  if (kept) return kept
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const draft = `${path}.${base32(randomBytes(5))}`
    writeFileSync(draft, `${base32(randomBytes(32))}\n`, { mode: 0o600, flag: 'wx' })
    try {
      linkSync(draft, path) // whole at once, and never over that of a program which was faster
    } catch (error) {
      if (!isThere(error, 'EEXIST')) throw error
    } finally {
      rmSync(draft)
    }
  } catch (error) {
    throw new Complaint(
      `Who you are cannot be kept in ${folder}: ${reasonOf(error)}. Name another folder with --state`,
    )
  }
  const made = readKept(path)
  if (!made) throw new Complaint(`${path} disappeared`)
  return made
}

function readKept(path: string): Uint8Array | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (isThere(error, 'ENOENT')) return undefined
    throw new Complaint(`${path} cannot be read: ${reasonOf(error)}`)
  }
  const secret = parseBase32(text.trim(), 32)
  if (secret) return secret
  throw new Complaint(
    `${path} is damaged. Put it back from a backup to be the same participant as before, or remove it to be a new one`,
  )
}

function isThere(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
