import { createHash, createHmac } from 'node:crypto'

/** What a request's signature covers. */
export interface Signed {
  readonly method: string
  /** As it was sent, with its query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

interface Authorization {
  readonly accessKeyId: string
  readonly scope: string
  readonly names: readonly string[]
  readonly signature: string
}

export function authorizationIn({ headers }: Signed): Authorization | undefined {
  const form =
    /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/
  const [, accessKeyId, scope, names, signature] = form.exec(String(headers.authorization)) ?? []
  if (!accessKeyId || !scope || !names || !signature) return undefined
  return { accessKeyId, scope, names: names.split(';'), signature }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
export function signatureOf(
  request: Signed,
  scope: string,
  names: readonly string[],
  secret: string,
): string {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost')
  const query = [...searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&')
  const canonical = [
    request.method,
    pathname
      .split('/')
      .map((part) => encode(decodeURIComponent(part)))
      .join('/'),
    query,
    ...names.map((name) => `${name}:${String(request.headers[name]).trim()}`),
    '',
    names.join(';'),
    request.headers['x-amz-content-sha256'],
  ].join('\n')
  const hash = createHash('sha256').update(canonical).digest('hex')
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, hash].join('\n')
  const key = scope.split('/').reduce<string | Buffer>((key, part) => hmac(key, part), `AWS4${secret}`)
  return hmac(key, text).toString('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function encode(text: string): string {
  const percent = (letter: string) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`
  return encodeURIComponent(text).replace(/[!'()*]/g, percent)
}
