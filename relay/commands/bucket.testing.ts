import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { BucketAddress } from './bucket-address.ts'
import { authorizationIn, signatureOf } from './signature.testing.ts'

interface Object {
  readonly bytes: Buffer
  at: Date
}

/** One bucket of a server that speaks as much of S3 as backups need, and is as strict about who asks and what arrives. */
export interface TestBucket {
  readonly endpoint: string
  readonly address: BucketAddress
  /** What the commands read from the environment. */
  readonly environment: Readonly<Record<string, string>>
  readonly objects: Map<string, Object>
  readonly requests: readonly string[]
  /** What happens to a request instead of being answered, if this says so. */
  trouble: (method: string, key: string) => 'cut' | 'cut midway' | 'busy' | 'denied' | 'hang' | undefined
  stop(): Promise<void>
}

const [accessKeyId, secretAccessKey] = ['AKIAFACEDOWN', 'a/secret+with=signs']
const [bucket, region] = ['team-backups', 'eu-west-1']
/** Of a listing; the real ones have a thousand. */
const pageLength = 10
const skewMs = 15 * 60_000

export async function startBucket(): Promise<TestBucket> {
  const objects = new Map<string, Object>()
  const requests: string[] = []
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy()) // the request broke off
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The bucket has no port')
  const endpoint = `http://127.0.0.1:${address.port}`

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request
    const { pathname, searchParams } = new URL(url, endpoint)
    const [, asked = '', ...rest] = decodeURIComponent(pathname).split('/')
    const key = rest.join('/')
    requests.push(`${method} ${key || searchParams.get('prefix')}`)
    const trouble = test.trouble(method, key)
    if (trouble === 'hang') return
    if (trouble === 'cut midway' && method === 'PUT') await once(request, 'data')
    else if (trouble === 'cut midway') {
      response.writeHead(200, { 'content-length': 1000 })
      await new Promise<void>((resolve) => response.write('half an answer', () => resolve()))
    }
    if (trouble === 'cut' || trouble === 'cut midway') return void request.socket.destroy()
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const body = Buffer.concat(parts)
    const refuse = (status: number, code: string) =>
      response
        .writeHead(status, { 'content-type': 'application/xml' })
        .end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>No</Message></Error>`)
    if (trouble === 'busy') return void refuse(503, 'SlowDown')
    const wrong = trouble === 'denied' ? 'AccessDenied' : wrongIn(request, body)
    if (wrong) return void refuse(wrong.startsWith('X') ? 400 : 403, wrong)
    if (asked !== bucket) return void refuse(404, 'NoSuchBucket')
    if (key === '') return void response.end(list(searchParams))
    const object = objects.get(key)
    switch (method) {
      case 'PUT':
        objects.set(key, { bytes: body, at: new Date() })
        return void response.end()
      case 'DELETE':
        objects.delete(key)
        return void response.writeHead(204).end()
      case 'GET':
        return void (object ? response.end(object.bytes) : refuse(404, 'NoSuchKey'))
      default:
        return void refuse(405, 'MethodNotAllowed')
    }
  }

  function list(query: URLSearchParams): string {
    const after = query.get('continuation-token') ?? ''
    const names = [...objects.keys()].filter(
      (key) => key.startsWith(query.get('prefix') ?? '') && key > after,
    )
    const page = names.sort().slice(0, pageLength)
    const more =
      names.length > page.length ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
    const contents = page.map((key) => {
      const { bytes, at } = objects.get(key) ?? { bytes: Buffer.alloc(0), at: new Date() }
      return `<Contents><Key>${key}</Key><LastModified>${at.toISOString()}</LastModified><ETag>"x"</ETag><Size>${bytes.length}</Size></Contents>`
    })
    return `<?xml version="1.0"?><ListBucketResult><IsTruncated>${more !== ''}</IsTruncated>${more}${contents.join('')}</ListBucketResult>`
  }

  const test: TestBucket = {
    endpoint,
    address: {
      words: `s3://${bucket}/team`,
      bucket,
      prefix: 'team/',
      endpoint,
      region,
      accessKeyId,
      secretAccessKey,
      sessionToken: undefined,
    },
    environment: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_REGION: region,
    },
    objects,
    requests,
    trouble: () => undefined,
    stop: async () => {
      server.close().closeAllConnections()
    },
  }
  return test
}

/** What S3 would say is wrong with a request. */
function wrongIn({ method = '', url = '', headers }: IncomingMessage, body: Buffer): string | undefined {
  const authorization = authorizationIn({ method, url, headers })
  if (!authorization) return 'AccessDenied'
  const { scope, names, signature } = authorization
  if (authorization.accessKeyId !== accessKeyId) return 'InvalidAccessKeyId'
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date'])) ?? []
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (!(Math.abs(Date.now() - time) < skewMs)) return 'RequestTimeTooSkewed'
  if (scope !== `${year}${month}${day}/${region}/s3/aws4_request`) return 'AuthorizationHeaderMalformed'
  const covers = ['host', 'x-amz-date', 'x-amz-content-sha256'].every((name) => names.includes(name))
  if (!covers || signature !== signatureOf({ method, url, headers }, scope, names, secretAccessKey))
    return 'SignatureDoesNotMatch'
  const sum = createHash('sha256').update(body).digest('hex')
  return headers['x-amz-content-sha256'] === sum ? undefined : 'XAmzContentSHA256Mismatch'
}
