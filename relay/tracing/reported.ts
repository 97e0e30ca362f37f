import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import type { Reporter } from '../operators/report.ts'

/** An exporter that says when a collector begins to take no spans, and when it takes them again. */
export class Reported implements SpanExporter {
  readonly #exporter: SpanExporter
  readonly #report: Reporter
  #isLost = false

  constructor(exporter: SpanExporter, report: Reporter) {
    this.#exporter = exporter
    this.#report = report
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.#exporter.export(spans, (result) => {
      const isLost = result.code !== 0
      if (isLost !== this.#isLost) this.#report({ event: isLost ? 'tracesLost' : 'tracesArrive' })
      this.#isLost = isLost
      done(result)
    })
  }

  async forceFlush(): Promise<void> {
    await this.#exporter.forceFlush?.()
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown()
  }
}
