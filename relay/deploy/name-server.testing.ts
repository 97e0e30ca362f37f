import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'

export interface NameServer {
  readonly port: number
  /** From now on that name has that IPv4 address. */
  tell(name: string, address: string): void
}

const ipv4 = 1
const oneName = 0x8180
const noSuchName = 0x8183

/** Answers who asks for these names over UDP, until the test ends: RFC 1035, section 4.1, with one question and at most one answer. */
export async function startNameServer(names: Readonly<Record<string, string>>): Promise<NameServer> {
  const known = new Map(Object.entries(names))
  const socket = createSocket('udp4')
  socket.on('message', (message, { port, address }) => socket.send(answer(message, known), port, address))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  onTestFinished(() => void socket.close())
  return { port: socket.address().port, tell: (name, address) => void known.set(name, address) }
}

function answer(message: Buffer, known: ReadonlyMap<string, string>): Buffer {
  const labels: string[] = []
  let at = 12
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const question = message.subarray(12, at + 5)
  const address = known.get(labels.join('.'))
  const isAnswered = address !== undefined && message.readUInt16BE(at + 1) === ipv4
  const header = Buffer.alloc(12)
  message.copy(header, 0, 0, 2)
  header.writeUInt16BE(address === undefined ? noSuchName : oneName, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(isAnswered ? 1 : 0, 6)
  if (!isAnswered) return Buffer.concat([header, question])
  // The name of the question, an IPv4 address of the Internet, good for a second.
  const record = [0xc0, 12, 0, ipv4, 0, 1, 0, 0, 0, 1, 0, 4, ...address.split('.').map(Number)]
  return Buffer.concat([header, question, Buffer.from(record)])
}
