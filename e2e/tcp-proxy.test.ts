import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { TcpProxy } from './tcp-proxy.ts'

let proxy: TcpProxy
/** What the server got, and its ends of the connections. */
let received: Buffer[]
let accepted: Socket[]

beforeEach(async () => {
  received = []
  accepted = []
  const server = createServer((socket) => {
    accepted.push(socket)
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      received.push(bytes)
      socket.write(bytes)
    })
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const address = server.address()
  proxy = await TcpProxy.start(typeof address === 'object' ? (address?.port ?? 0) : 0)
  return async () => {
    await proxy.stop()
    server.close()
  }
})

test('what alice sends comes back, and the proxy counts it both ways', async () => {
  const alice = await joined()
  expect(await alice.says('hello')).toBe('hello')
  expect(proxy).toMatchObject({ passed: 10, attempts: 1, open: 1 })
})

test('a far relay answers after two latencies, and nothing overtakes', async () => {
  proxy.weather.latency = 60
  proxy.weather.jitter = 20
  const alice = await joined()
  const before = performance.now()
  for (let number = 0; number < 10; number++) {
    alice.socket.write(`${number} `)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(await alice.hears(20)).toBe('0 1 2 3 4 5 6 7 8 9 ')
  expect(performance.now() - before).toBeGreaterThan(79)
})

test.each(['toRelay', 'toClient'] as const)(
  'what is lost %s never arrives, and nobody is told',
  async (direction) => {
    const alice = await joined()
    await alice.says('before')
    proxy.weather.loses = direction
    const [got, passed] = [received.length, proxy.passed]
    alice.socket.write('lost')
    await until(() => direction === 'toRelay' || received.length > got)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(alice.heard).toBe('before')
    expect(proxy.passed - passed).toBe(direction === 'toRelay' ? 0 : 4)
    expect([alice.socket.closed, accepted[0]?.closed]).toEqual([false, false])
    proxy.weather.loses = 'nothing'
    alice.socket.write('after')
    expect(await alice.hears(11)).toBe('beforeafter')
  },
)

test('a narrow line takes its time for many bytes', async () => {
  const alice = await joined()
  proxy.weather.bytesPerSecond = 1_000_000
  const before = performance.now()
  await alice.says('x'.repeat(200_000))
  expect(performance.now() - before).toBeGreaterThan(199)
})

test('who sends faster than the line has to wait, and nothing piles up in between', async () => {
  const alice = await joined()
  proxy.weather.bytesPerSecond = 100_000
  const chunk = Buffer.alloc(1 << 20)
  let taken = 0
  for (let sent = 0; sent < 64; sent++) alice.socket.write(chunk, (error) => error || taken++)
  await until(() => received.length > 0)
  expect(taken).toBeLessThan(32)
})

test('bytes arrive one by one when they are sliced', async () => {
  proxy.weather.sliceBytes = 1
  proxy.weather.latency = 1
  const alice = await joined()
  expect(await alice.says('sliced')).toBe('sliced')
  expect(proxy).toMatchObject({ passed: 12, pieces: 12 })
})

test('after a reset both ends know at once, and may come again', async () => {
  const alice = await joined()
  await alice.says('hello')
  const ends = [alice.socket, accepted[0] as Socket].map(closed)
  proxy.reset()
  expect(await Promise.all(ends)).toEqual(['ECONNRESET', 'ECONNRESET'])
  expect(proxy).toMatchObject({ broken: 1, attempts: 1 })
  expect(await (await joined()).says('again')).toBe('again')
})

test('resets come again and again until they are stopped', async () => {
  const stop = proxy.resetEvery(30)
  for (let resets = 1; resets <= 3; resets++) {
    const alice = await joined()
    expect(await closed(alice.socket)).toBe('ECONNRESET')
    expect(proxy.broken).toBe(resets)
  }
  stop()
  const alice = await joined()
  await new Promise((resolve) => setTimeout(resolve, 70))
  expect(await alice.says('still here')).toBe('still here')
})

test('the end of one side reaches the other late, when closing is slow', async () => {
  const alice = await joined()
  await alice.says('hello')
  proxy.weather.closeDelay = 80
  const before = performance.now()
  const noticed = once(accepted[0] as Socket, 'end')
  alice.socket.end()
  await noticed
  expect(performance.now() - before).toBeGreaterThan(78)
})

test('a deaf proxy takes connections and answers nothing', async () => {
  const hear = proxy.deafen()
  const alice = await joined()
  alice.socket.write('hello?')
  await until(() => proxy.attempts === 1)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect([alice.heard, accepted.length, proxy.passed]).toEqual(['', 0, 0])
  hear()
  expect(await (await joined()).says('hello')).toBe('hello')
})

test('while the line is cut nothing passes', async () => {
  const alice = await joined()
  await alice.says('hello')
  proxy.cut()
  await closed(alice.socket)
  await closed((await joined()).socket)
  expect(proxy).toMatchObject({ passed: 10, attempts: 2, broken: 1 })
  proxy.mend()
  expect(await (await joined()).says('back')).toBe('back')
})

class Person {
  readonly socket: Socket
  heard = ''

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (bytes) => {
      this.heard += bytes
    })
    onTestFinished(() => void socket.destroy())
  }

  async hears(length: number): Promise<string> {
    await until(() => this.heard.length >= length)
    return this.heard
  }

  says(words: string): Promise<string> {
    this.socket.write(words)
    return this.hears(this.heard.length + words.length)
  }
}

async function joined(): Promise<Person> {
  const socket = connect(Number(new URL(proxy.url).port), 'localhost')
  await once(socket, 'connect')
  return new Person(socket)
}

/** Resolves with the error that ended it, if one did. */
function closed(socket: Socket): Promise<string | undefined> {
  let code: string | undefined
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code
  })
  return new Promise((resolve) => socket.on('close', () => resolve(code)))
}

async function until(fact: () => boolean): Promise<void> {
  while (!fact()) await new Promise((resolve) => setTimeout(resolve, 2))
}
