import type { Environment } from '../settings/config.ts'
import { SetupError } from '../settings/setup-error.ts'

/** A place in a bucket that speaks S3, and who may use it. */
export interface BucketAddress {
  /** As it was written. */
  readonly words: string
  readonly bucket: string
  /** Empty, or with a slash at its end. */
  readonly prefix: string
  /** Without a slash at its end. */
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of credentials that are lent for some hours. */
  readonly sessionToken: string | undefined
}

const scheme = 's3://'

/** Whether it is meant to be one; else it is a folder. */
export function isBucket(place: string): boolean {
  return place.startsWith(scheme)
}

/** Reads `s3://bucket/prefix`, and the rest from the environment by the names that all programs for S3 know. */
export function readBucketAddress(words: string, environment: Environment): BucketAddress {
  const [, bucket, rest = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(words) ?? []
  const folders = rest.replace(/\/$/, '').split('/')
  if (bucket === undefined || (rest && !folders.every((name) => /^(?!\.{1,2}$)[\w.-]+$/.test(name)))) {
    throw new SetupError(
      `A bucket is written like s3://bucket or s3://bucket/folder, with letters, digits and - _ . only, but this is "${words}"`,
    )
  }
  const region = environment.AWS_REGION || environment.AWS_DEFAULT_REGION || 'us-east-1'
  const given = environment.AWS_ENDPOINT_URL_S3 || environment.AWS_ENDPOINT_URL
  return {
    words,
    bucket,
    prefix: rest && `${folders.join('/')}/`,
    endpoint: given ? readEndpoint(given) : `https://s3.${region}.amazonaws.com`,
    region,
    accessKeyId: needed('AWS_ACCESS_KEY_ID', environment),
    secretAccessKey: needed('AWS_SECRET_ACCESS_KEY', environment),
    sessionToken: environment.AWS_SESSION_TOKEN || undefined,
  }
}

function needed(name: string, environment: Environment): string {
  const value = environment[name]
  if (value) return value
  throw new SetupError(`${name} must be set for a bucket, with what its provider gave you`)
}

function readEndpoint(given: string): string {
  if (URL.canParse(given) && /^https?:\/\/[^/?#]+\/?$/.test(given)) return new URL(given).origin
  throw new SetupError(
    `AWS_ENDPOINT_URL must be an address like https://s3.example.org, without a path, but it is "${given}"`,
  )
}
