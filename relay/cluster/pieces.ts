import { headers, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { payload } from './region.ts'

/** Of a message, with room for its headers. */
const pieceBytes = payload - 1_000
/** Says how many pieces there are. Without it a message is all there is. */
const header = 'Pieces'

/** Answers with as many messages as it takes: every log of a session may have a snapshot of a megabyte. */
export function respondInPieces(message: Msg, answer: Uint8Array): void {
  const pieces = Math.ceil(answer.length / pieceBytes)
  if (pieces <= 1) return void message.respond(answer)
  const along = headers()
  along.set(header, String(pieces))
  for (let from = 0; from < answer.length; from += pieceBytes)
    message.respond(answer.subarray(from, from + pieceBytes), { headers: along })
}

/** The whole answer of one who is asked. Rejects when there is nobody, or not all of it comes in time (milliseconds). */
export async function askForPieces(
  connection: NatsConnection,
  subject: string,
  question: Uint8Array,
  patience: number,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  const answers = await connection.requestMany(subject, question, { strategy: 'timer', maxWait: patience })
  for await (const { data, headers: along } of answers) {
    pieces.push(data)
    if (pieces.length < Number(along?.get(header) || 1)) continue
    return pieces.length === 1 ? data : Buffer.concat(pieces)
  }
  throw new Error('No answer in time')
}
