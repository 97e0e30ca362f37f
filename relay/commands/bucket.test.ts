import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { newFolder } from '../fixtures.testing.ts'
import { lockFile } from '../store/folder-lock.ts'
import { backup } from './backup.ts'
import { backupToBucket } from './backup-to-bucket.ts'
import { startBucket, type TestBucket } from './bucket.testing.ts'
import { Bucket } from './bucket.ts'
import { type BucketAddress, readBucketAddress } from './bucket-address.ts'
import { checkData } from './check.ts'
import { isSound } from './examine.ts'
import { count, fill, openStore, withDatabase } from './kept.testing.ts'
import { checkBucket, restoreFromBucket } from './restore-from-bucket.ts'
import { signatureOf } from './signature.testing.ts'
import { tellBackup, tellCheckOfBackups, tellRestore } from './tasks.ts'

let there: TestBucket
let bucket: Bucket
beforeEach(async () => {
  there = await startBucket()
  bucket = new Bucket(there.address)
  onTestFinished(() => there.stop())
})

async function filled(sessions = 3, entries = 20) {
  const dataDir = newFolder()
  const store = await openStore(dataDir)
  await fill(store, sessions, entries)
  return { dataDir, store }
}

test('the stand-in for S3 computes the signature of Amazon’s own example', () => {
  const headers = {
    host: 'examplebucket.s3.amazonaws.com',
    range: 'bytes=0-9',
    'x-amz-content-sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'x-amz-date': '20130524T000000Z',
  }
  const request = { method: 'GET', url: '/test.txt', headers }
  const scope = '20130524/us-east-1/s3/aws4_request'
  expect(signatureOf(request, scope, Object.keys(headers), 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY')).toBe(
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  )
})

test('a backup of a store that goes on writing comes back from a bucket with everything that was saved before', async () => {
  const { dataDir, store } = await filled(30, 100)
  const meanwhile = fill(store, 30)
  const { manifest } = await backupToBucket(dataDir, bucket, 7)
  await meanwhile
  expect(manifest.databases[0]?.pieces.length).toBeGreaterThan(10) // more than the stand-in lists at once
  expect(manifest.databases[0]?.rows.sessions).toBeGreaterThanOrEqual(30)
  expect(
    [...there.objects.keys()].every((key) => /^team\/(pieces\/..\/[0-9a-f]{64}|20\S+Z\.json)$/.test(key)),
  ).toBe(true)
  const place = newFolder()
  const { aside } = await restoreFromBucket(place, bucket)
  expect(aside).toEqual([])
  expect(count(place, 'entries')).toBe(manifest.databases[0]?.rows.entries)
  expect(checkData(place).every(({ examination }) => isSound(examination))).toBe(true)
  for (const folder of [dataDir, place])
    expect(readdirSync(folder).filter((name) => /^(backing-up|fetching|restoring)-/.test(name))).toEqual([])
})

test('what is in the bucket is what is in a folder, file by file', async () => {
  const { dataDir } = await filled()
  const backups = newFolder()
  const inFolder = await backup(dataDir, backups, 7)
  const inBucket = await backupToBucket(dataDir, bucket, 7)
  expect({ ...inBucket.manifest, made: '' }).toEqual({ ...inFolder.manifest, made: '' })
  const pieces = inFolder.manifest.databases.flatMap((kept) => kept.pieces)
  for (const piece of pieces) {
    const path = `pieces/${piece.slice(0, 2)}/${piece}`
    expect(existsSync(join(backups, path))).toBe(true)
    expect(there.objects.has(`team/${path}`)).toBe(true)
  }
})

test('a second backup sends only what is new, and older ones make room', async () => {
  const { dataDir, store } = await filled(20, 100)
  const first = await backupToBucket(dataDir, bucket, 2)
  await fill(store, 1, 20)
  const second = await backupToBucket(dataDir, bucket, 2)
  expect(second.newBytes).toBeLessThan(first.newBytes / 2)
  expect(second.removed).toBe(0)
  for (const object of there.objects.values()) object.at = new Date(Date.now() - 86_400_000 * 2)
  await fill(store, 1, 20)
  const third = await backupToBucket(dataDir, bucket, 2)
  expect(third.removed).toBe(1)
  const needed = new Set(
    [second, third].flatMap(({ manifest }) => manifest.databases.flatMap(({ pieces }) => pieces)),
  )
  expect(new Set(piecesThere())).toEqual(needed)
  expect((await checkBucket(bucket)).map(({ name, damagedPieces }) => [name, damagedPieces])).toEqual([
    [third.name, 0],
    [second.name, 0],
  ])
  const place = newFolder()
  await restoreFromBucket(place, bucket, second.name)
  expect(count(place, 'sessions')).toBe(second.manifest.databases[0]?.rows.sessions)
})

test('what somebody else is sending at this moment is not removed, though no backup needs it yet', async () => {
  const { dataDir } = await filled()
  const theirs = `team/pieces/ab/${'ab'.repeat(32)}`
  there.objects.set(theirs, { bytes: Buffer.from('theirs'), at: new Date() })
  await backupToBucket(dataDir, bucket, 1)
  expect(there.objects.has(theirs)).toBe(true)
})

test.each(['cut', 'cut midway', 'busy', 'denied'] as const)(
  'a backup that is ended midway (%s) is not there, and the next one is whole',
  async (trouble) => {
    const { dataDir } = await filled(2)
    const before = await backupToBucket(dataDir, bucket, 7)
    let puts = 0
    there.trouble = (method) => (method === 'PUT' && ++puts > 3 ? trouble : undefined)
    const other = await filled(20, 100)
    await expect(backupToBucket(other.dataDir, bucket, 7)).rejects.toThrow(
      trouble === 'denied' ? 'may not do that' : trouble === 'busy' ? '(SlowDown)' : 'does not answer',
    )
    expect(puts).toBeGreaterThan(3)
    expect((await checkBucket(bucket)).map(({ name, damagedPieces }) => [name, damagedPieces])).toEqual([
      [before.name, 0],
    ])
    expect(readdirSync(other.dataDir).some((name) => name.startsWith('backing-up-'))).toBe(false)
    expect(existsSync(join(other.dataDir, 'last-backup'))).toBe(false)
    there.trouble = () => undefined
    const after = await backupToBucket(other.dataDir, bucket, 7)
    expect(await checkBucket(bucket)).toMatchObject([
      { name: after.name, damagedPieces: 0 },
      { name: before.name },
    ])
  },
)

test('a server that has trouble now and then, and a line that is cut, are tried again', async () => {
  const { dataDir } = await filled(10, 100)
  const troubles = ['busy', 'cut', 'cut midway'] as const
  let times = 0
  there.trouble = () => (++times % 4 === 0 ? troubles[(times / 4) % 3] : undefined)
  await backupToBucket(dataDir, bucket, 7)
  const place = newFolder()
  await restoreFromBucket(place, bucket)
  expect(count(place, 'sessions')).toBe(10)
  expect(times).toBeGreaterThan(20)
})

test('a piece that was damaged or is missing stops a restore, and what was there stays', async () => {
  const { dataDir, store } = await filled()
  const { manifest } = await backupToBucket(dataDir, bucket, 7)
  await fill(store, 1)
  await store.close()
  const [piece = ''] = manifest.databases[0]?.pieces ?? []
  const key = `team/pieces/${piece.slice(0, 2)}/${piece}`
  const whole = there.objects.get(key)
  there.objects.set(key, { bytes: Buffer.alloc(whole?.bytes.length ?? 0), at: new Date() })
  await expect(restoreFromBucket(dataDir, bucket)).rejects.toThrow(
    `A piece of the backup is damaged: ${key.slice(5)} in s3://`,
  )
  expect(await checkBucket(bucket)).toMatchObject([{ damagedPieces: 1 }])
  there.objects.delete(key)
  await expect(restoreFromBucket(dataDir, bucket)).rejects.toThrow('A piece of the backup is missing')
  expect(count(dataDir, 'sessions')).toBe(4)
})

test('a restore is refused before anything is fetched while a relay uses the folder', async () => {
  const { dataDir } = await filled()
  await backupToBucket(dataDir, bucket, 7)
  await expect(restoreFromBucket(dataDir, bucket)).rejects.toThrow('Another relay uses the data folder')
  expect(there.requests.filter((request) => request.startsWith('GET team/pieces/.'))).toEqual([])
})

test('of one data folder one backup is made at a time', async () => {
  const { dataDir } = await filled()
  const unlock = lockFile(join(dataDir, 'backup.lock'))
  await expect(backupToBucket(dataDir, bucket, 7)).rejects.toThrow(
    `Another backup of ${dataDir} is under way`,
  )
  unlock?.()
  await backupToBucket(dataDir, bucket, 7)
})

test('a backup of what is damaged says so, and removes no earlier one', async () => {
  const { dataDir, store } = await filled()
  const { name } = await backupToBucket(dataDir, bucket, 1)
  await store.close()
  withDatabase(dataDir, (database) => database.exec(`UPDATE snapshots SET envelope = x'00'`))
  const { examinations, removed } = await backupToBucket(dataDir, bucket, 1)
  expect([examinations.every(isSound), removed]).toEqual([false, 0])
  expect((await checkBucket(bucket)).map((checked) => checked.name)).toContain(name)
  await expect(restoreFromBucket(newFolder(), bucket)).rejects.toThrow('choose an earlier backup')
})

test.each([
  [
    { accessKeyId: 'AKIASOMEBODY' },
    /does not take the credentials \(InvalidAccessKeyId\)\. Set AWS_ACCESS_KEY_ID/,
  ],
  [{ secretAccessKey: 'wrong' }, /does not take the credentials \(SignatureDoesNotMatch\)/],
  [{ bucket: 'elsewhere' }, /There is no bucket elsewhere at http:\/\/127.0.0.1:\d+\. Make it first/],
  [
    { region: 'us-east-1' },
    /is in another region than us-east-1 \(AuthorizationHeaderMalformed\)\. Set AWS_REGION/,
  ],
  [
    { endpoint: 'http://127.0.0.1:1' },
    /^http:\/\/127.0.0.1:1 does not answer \((ECONNREFUSED|bad port)\)\. Is AWS_ENDPOINT_URL right/,
  ],
] satisfies [Partial<BucketAddress>, RegExp][])(
  'with %j it is said what to do, and no secret',
  async (wrong, sentence) => {
    const { dataDir } = await filled(1, 1)
    const wrongBucket = new Bucket({ ...there.address, ...wrong })
    const failed = await backupToBucket(dataDir, wrongBucket, 7).catch((error: Error) => error.message)
    expect(failed).toMatch(sentence)
    expect(failed).not.toContain(there.address.secretAccessKey)
    expect(there.objects.size).toBe(0)
  },
)

test('a server that says nothing is not waited for longer than a while', async () => {
  there.trouble = () => 'hang'
  const impatient = new Bucket(there.address, 300)
  await expect(checkBucket(impatient)).rejects.toThrow('does not answer')
})

test('credentials that are lent come with a token, which is signed', async () => {
  await checkBucket(new Bucket({ ...there.address, sessionToken: 'lent for an hour' }))
  expect(there.requests).toHaveLength(2)
})

test('the commands take a bucket for a folder, with what the environment says', async () => {
  const { dataDir, store } = await filled()
  await store.close()
  const before = { ...process.env }
  Object.assign(process.env, there.environment)
  onTestFinished(() => {
    process.env = before
  })
  const place = 's3://team-backups/of/relay-1'
  expect(await tellBackup(dataDir, place, 7)).toMatchObject({
    words: expect.stringMatching(/^Backup 20\S+ is in s3:\/\/team-backups\/of\/relay-1: \d/),
    damaged: false,
  })
  expect(await tellCheckOfBackups(place)).toMatchObject({ words: expect.stringMatching(/^20\S+: whole\.$/) })
  expect(await tellRestore(dataDir, place, undefined)).toMatchObject({ damaged: false })
  expect(await tellCheckOfBackups('s3://team-backups/none')).toEqual({
    words: 'There is no backup in s3://team-backups/none.',
    damaged: true,
  })
  await expect(tellRestore(dataDir, 's3://team-backups', undefined)).rejects.toThrow(
    'There is no backup in s3://team-backups',
  )
})

test('an address is read with what other programs for S3 have in the environment', () => {
  const keys = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }
  expect(readBucketAddress('s3://team', keys)).toMatchObject({
    prefix: '',
    endpoint: 'https://s3.us-east-1.amazonaws.com',
    sessionToken: undefined,
  })
  expect(
    readBucketAddress('s3://team/x/y_z/', {
      ...keys,
      AWS_DEFAULT_REGION: 'eu-north-1',
      AWS_SESSION_TOKEN: 'c',
      AWS_ENDPOINT_URL: 'https://s3.example.org/',
    }),
  ).toMatchObject({
    prefix: 'x/y_z/',
    endpoint: 'https://s3.example.org',
    region: 'eu-north-1',
    sessionToken: 'c',
  })
  for (const words of [
    's3://',
    's3://A',
    's3://team/../x',
    's3://team/a//b',
    's3://team/ä',
    's3://team/a b',
  ]) {
    expect(() => readBucketAddress(words, keys), words).toThrow('A bucket is written like s3://bucket')
  }
  expect(() => readBucketAddress('s3://team', {})).toThrow('AWS_ACCESS_KEY_ID must be set for a bucket')
  expect(() => readBucketAddress('s3://team', { ...keys, AWS_ENDPOINT_URL: 's3.example.org' })).toThrow(
    'AWS_ENDPOINT_URL must be an address like https://s3.example.org',
  )
})

function piecesThere(): string[] {
  return [...there.objects.keys()].flatMap((key) => /^team\/pieces\/..\/(.*)$/.exec(key)?.[1] ?? [])
}
