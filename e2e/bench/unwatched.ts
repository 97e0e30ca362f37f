import type { Bus, Delivered } from '../../relay/bus/bus.ts'
import type { Report, Reporter } from '../../relay/operators/report.ts'

/** In the place of `meters`, `measured-bus`, `status-history` and `log`: a relay that nobody can watch. */
export class Meters {
  readonly contentType = 'text/plain'
  readonly appended = (_: Delivered, __: number): void => {}
  readonly fannedOut = (_: number): void => {}
  readonly caughtUp = (_: number, __: number): void => {}
  readonly askedForLog = (): void => {}
  readonly committed = (): void => {}
  readonly refused = (): void => {}
  reporting(report: Reporter): Reporter {
    return report
  }
  watch(): void {}
  watchEach(): void {}
  state(): void {}
  watchProcess(): void {}
  async figure(): Promise<null> {
    return null
  }
  async text(): Promise<string> {
    return ''
  }
}

/** Called with `new`, which then gives what is returned: the bus itself, without anything in between. */
export function MeasuredBus(bus: Bus): Bus {
  return bus
}

export class StatusHistory {
  start(): () => void {
    return () => {}
  }
}

/** The one line that programs wait for. */
export function logTo(write: (line: string) => void): Reporter {
  return (report: Report) => {
    if (report.event === 'listening') write(`${report.url}\n`)
  }
}
