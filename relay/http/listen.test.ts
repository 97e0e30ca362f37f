import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { listen } from './listen.ts'

/** More than the operating systems of both ends keep on the way. */
const bytes = 32 << 20
const idleMs = 500

test('an answer that nobody reads is cut', async () => {
  const { reader, cut } = await readerOf()
  reader.pause()
  await cut
  expect(await readAll(reader)).toBeLessThan(bytes)
})

test('who reads slowly gets all of it', async () => {
  const { reader } = await readerOf()
  let pauses = 0
  reader.on('data', () => {
    if (reader.bytesRead < (pauses * bytes) / 5) return
    pauses++
    reader.pause()
    setTimeout(() => reader.resume(), idleMs / 2)
  })
  expect(await readAll(reader)).toBeGreaterThan(bytes)
  expect(pauses).toBeGreaterThan(3)
})

/** A connection by which the answer comes, and what the relay does with it. */
async function readerOf(): Promise<{ reader: Socket; cut: Promise<unknown> }> {
  const answer = () => new Response(new Uint8Array(bytes))
  const [server] = await listen(answer, { host: '127.0.0.1', port: 0 }, { idleMs })
  const address = server?.address()
  if (!server || typeof address !== 'object' || !address) throw new Error('It listens')
  const accepted = once(server, 'connection')
  const reader = connect(address.port, '127.0.0.1')
  onTestFinished(() => {
    reader.destroy()
    server.close()
  })
  reader.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  const [otherEnd] = await accepted
  return { reader, cut: once(otherEnd, 'close') }
}

/** Returns how many bytes came. */
async function readAll(reader: Socket): Promise<number> {
  reader.on('error', () => {}) // cut in the middle
  reader.resume()
  await once(reader, 'close')
  return reader.bytesRead
}
