import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { type Bodies, bodiesOf, isCompressed } from './compress.ts'

export interface File {
  readonly type: string
  readonly tag: string
  /** Compressed once, mostly by the build. */
  readonly bodies: Promise<Bodies>
}

/** By path, with `/` in front. A request can only get what is in here, whatever its path looks like. */
export type Files = ReadonlyMap<string, File>

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
}

/** Empty when there is no such folder: a relay may serve no pages. */
export function readClientFiles(folder: string): Files {
  const files = new Map<string, File>()
  for (const entry of list(folder)) {
    const content = readFileSync(join(folder, entry))
    const extension = extname(entry)
    files.set(`/${entry.replaceAll('\\', '/')}`, {
      type: types[extension] ?? 'application/octet-stream',
      tag: createHash('sha256').update(content).digest('base64url').slice(0, 22),
      bodies: bodiesOf(join(folder, entry), content),
    })
  }
  return files
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !isCompressed(entry.name))
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(folder.length)
          .replace(/^[/\\]/, ''),
      )
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
