import type { BucketAddress } from './bucket-address.ts'

/** What an S3 server answered instead. */
export interface Refusal {
  readonly status: number
  /** Its word for the error, if it gave one. */
  readonly code: string
}

export function refusalIn(status: number, body: string): Refusal {
  const [, code = ''] = /<Code>(\w{1,64})<\/Code>/.exec(body) ?? []
  return { status, code: code || `status ${status}` }
}

/** What whoever runs a relay can do about it. */
export function sentenceOf({ status, code }: Refusal, { bucket, endpoint, region }: BucketAddress): string {
  switch (code) {
    case 'NoSuchBucket':
      return `There is no bucket ${bucket} at ${endpoint}. Make it first, or set AWS_ENDPOINT_URL to where it is`
    case 'InvalidAccessKeyId':
    case 'SignatureDoesNotMatch':
    case 'InvalidToken':
    case 'ExpiredToken':
      return `${endpoint} does not take the credentials (${code}). Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN if they are lent, to valid ones`
    case 'AccessDenied':
      return `The credentials may not do that in the bucket ${bucket} (AccessDenied). They need to list, read, write and delete there`
    case 'RequestTimeTooSkewed':
      return `${endpoint} has another time than this computer (RequestTimeTooSkewed). Set its clock`
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
    case 'IllegalLocationConstraintException':
      return `The bucket ${bucket} is in another region than ${region} (${code}). Set AWS_REGION to that`
    default:
      if (status === 401 || status === 403)
        return `${endpoint} does not let these credentials use the bucket ${bucket} (${code})`
      return `${endpoint} could not do what the backup needs (${code}). Try again later`
  }
}

export function unreachable(error: unknown, { endpoint }: BucketAddress): string {
  return `${endpoint} does not answer (${reasonOf(error)}). Is AWS_ENDPOINT_URL right, and can this computer reach it?`
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'nothing came for a minute'
  const { cause } = error
  if (cause instanceof AggregateError) return reasonOf(cause.errors[0])
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message
  return 'code' in error ? String(error.code) : error.message
}
