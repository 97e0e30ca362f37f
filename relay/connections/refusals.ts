import type { Refused, Reporter } from '../operators/report.ts'

const everyMs = 10_000

/** Reports how often connections were refused, a line per reason now and then instead of one per attempt. */
export function countRefusals(report: Reporter): { count(reason: Refused): void; stop(): void } {
  const counts = new Map<Refused, number>()
  const timer = setInterval(flush, everyMs).unref()

  function flush(): void {
    for (const [reason, times] of counts) report({ event: 'refused', reason, times })
    counts.clear()
  }

  return {
    count: (reason) => counts.set(reason, (counts.get(reason) ?? 0) + 1),
    stop: () => {
      clearInterval(timer)
      flush()
    },
  }
}
