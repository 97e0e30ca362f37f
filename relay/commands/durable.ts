import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Writes a file whole or not at all: under another name first, and it is on the disk before it has its own. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  const unfinished = `${path}.unfinished`
  const file = openSync(unfinished, 'w', 0o600)
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(unfinished, path)
}

/** Names live in folders, which a power cut forgets like everything else. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** After a rename, both where it stood and where it stands. */
export function syncFoldersOf(...paths: readonly string[]): void {
  for (const folder of new Set(paths.map(dirname))) syncFolder(folder)
}
