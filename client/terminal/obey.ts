import { Complaint, codes } from './complaint.ts'
import { helpFor } from './help.ts'
import { type Command, type Order, readOrder } from './orders.ts'
import type { Place } from './place.ts'

const doing: Readonly<Record<Command, (order: Order, place: Place) => Promise<void>>> = {
  create: async (order, place) => (await import('./creating.ts')).create(order, place),
  join: async (order, place) => (await import('./join.ts')).join(order, place),
  export: async (order, place) => (await import('./exporting.ts')).exportSession(order, place),
  import: async (order, place) => (await import('./importing.ts')).importFile(order, place),
}

/** What people do in a session without a browser. Resolves with what the program ends with. */
export async function obey(words: readonly string[], place = ofProcess()): Promise<number> {
  try {
    const order = readOrder(words)
    if (order.values.help) place.output.write(helpFor(order.command))
    else if (order.values.trace) await (await import('./trace.ts')).traced(order, place, doing[order.command])
    else await doing[order.command](order, place)
    return codes.done
  } catch (error) {
    if (!(error instanceof Complaint)) throw error
    place.errors.write(`${error.message}.\n`)
    return error.code
  }
}

function ofProcess(): Place {
  const { stdin, stdout, stderr, env } = process
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
    // Nobody reads any more, as behind `| head -1`.
    stdout.on('error', () => resolve())
  })
  return { input: stdin, output: stdout, errors: stderr, environment: env, stopped }
}
