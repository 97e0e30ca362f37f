import type { Context } from 'hono'
import type { Encoding } from './compress.ts'
import type { File } from './files.ts'

export const immutable = 'public, max-age=31536000, immutable'

/** Answers with a file, compressed as the browser likes it, unless it has it already. */
export async function sendFile(
  context: Context,
  { type, tag, bodies }: File,
  cache: string,
  status: 200 | 404,
) {
  const available = await bodies
  const encoding = choose(context.req.header('Accept-Encoding') ?? '', available)
  const body = available[encoding] ?? available.identity
  if (!body) throw new Error('Every file has its plain content')
  context.header('Cache-Control', cache)
  context.header('ETag', `W/"${tag}"`)
  context.header('Vary', 'Accept-Encoding')
  if (status === 200 && context.req.header('If-None-Match')?.includes(tag)) return context.body(null, 304)
  context.header('Content-Type', type)
  context.header('Content-Length', String(body.length))
  if (encoding !== 'identity') context.header('Content-Encoding', encoding)
  return context.body(body, status)
}

function choose(accepted: string, available: Partial<Record<Encoding, unknown>>): Encoding {
  const offered = accepted.split(',').map((part) => part.trim().split(';')[0])
  if (available.br && offered.includes('br')) return 'br'
  if (available.gzip && offered.includes('gzip')) return 'gzip'
  return 'identity'
}
