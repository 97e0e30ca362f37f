import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

export type Encoding = 'br' | 'gzip' | 'identity'

/** A file in each encoding it is worth having in. */
export type Bodies = Readonly<Partial<Record<Encoding, Uint8Array<ArrayBuffer>>>>

const packed = new Set(['.png', '.woff2', '.ico'])
const endings = { br: '.br', gzip: '.gz' } as const
/** Brotli's blocks, as powers of two. Which of them make a large file smallest nobody can tell before, and it is hundreds of bytes. */
const blocks = [16, 17, 18, 19]

/** What the build laid beside another file. */
export function isCompressed(name: string): boolean {
  return Object.values(endings).some((ending) => name.endsWith(ending))
}

/** Takes what the build compressed, so that a relay starts at once; whatever it did not is compressed now. */
export async function bodiesOf(file: string, content: Buffer): Promise<Bodies> {
  if (packed.has(extname(file))) return { identity: new Uint8Array(content) }
  const built = { br: newer(file, endings.br), gzip: newer(file, endings.gzip) }
  const { br, gzip } = built.br && built.gzip ? { br: built.br, gzip: built.gzip } : await compress(content)
  return { identity: new Uint8Array(content), br: new Uint8Array(br), gzip: new Uint8Array(gzip) }
}

/** Lays every file of a folder beside itself in each encoding: five seconds of a core, once for each build. */
export async function compressFolder(folder: string): Promise<void> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !isCompressed(entry.name) && !packed.has(extname(entry.name)),
  )
  await Promise.all(
    files.map(async (entry) => {
      const file = join(entry.parentPath, entry.name)
      const { br, gzip } = await compress(readFileSync(file))
      writeFileSync(file + endings.br, br)
      writeFileSync(file + endings.gzip, gzip)
    }),
  )
}

/** Not what was compressed before the file was changed. */
function newer(file: string, ending: string): Buffer | undefined {
  const written = statSync(file + ending, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY
  return written >= statSync(file).mtimeMs ? readFileSync(file + ending) : undefined
}

async function compress(content: Buffer): Promise<{ br: Buffer; gzip: Buffer }> {
  const brotli = (block: number) =>
    promisify(brotliCompress)(content, {
      params: {
        [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
        [constants.BROTLI_PARAM_LGBLOCK]: block,
      },
    })
  const gzipped = promisify(gzip)(content, { level: 9 })
  const all = await Promise.all(content.length > 2 ** 16 ? blocks.map(brotli) : [brotli(0)])
  return { br: all.reduce((best, br) => (br.length < best.length ? br : best)), gzip: await gzipped }
}
