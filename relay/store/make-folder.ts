import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a folder for this user alone, with all that lead to it. Throws the file system's error. Node's own `recursive` never ends
 * below a folder that takes no other, such as `/proc`.
 */
export function makeFolder(path: string): void {
  if (isFolder(path)) return
  try {
    makeOne(path)
  } catch (error) {
    const above = dirname(path)
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (!isMissing || above === path || isFolder(above)) throw error
    makeFolder(above)
    makeOne(path)
  }
}

function makeOne(path: string): void {
  mkdirSync(path, { mode: 0o700 })
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
