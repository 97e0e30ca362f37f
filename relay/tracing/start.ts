import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Reporter } from '../operators/report.ts'
import type { Traces } from '../operators/traces.ts'
import type { Config } from '../settings/config.ts'
import { version } from '../version.ts'
import { Reported } from './reported.ts'
import { Spans } from './spans.ts'

type Wanted = Pick<
  Config,
  'otlpHeaders' | 'serviceName' | 'region' | 'role' | 'sampler' | 'samplerShare' | 'spansEveryMs'
>

/** A collector that does not answer does not hold up the end of a relay for longer, in milliseconds. */
const patience = 2_000

/** OpenTelemetry, which only those load who have set an endpoint. Nothing is registered globally. */
export function startTraces(endpoint: string, config: Wanted, report: Reporter): Traces {
  const url = `${endpoint.replace(/\/$/, '')}/v1/traces`
  const exporter = new OTLPTraceExporter({ url, headers: config.otlpHeaders ?? {} })
  const provider = new TracerProvider({
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(shareOf(config)) }),
    // Neither the host nor the process: what tells relays apart is what their operator calls them.
    resource: resourceFromAttributes({
      'service.name': config.serviceName,
      'service.version': version,
      'facedown.region': config.region,
      'facedown.role': config.role,
    }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new Reported(exporter, report),
        scheduledDelayMillis: config.spansEveryMs,
      }),
    ],
  })
  const stop = async () => {
    const sent = provider.shutdown().catch(() => {}) // what was lost has been reported
    await Promise.race([sent, new Promise((resolve) => setTimeout(resolve, patience).unref())])
  }
  return new Spans(provider.getTracer('facedown', version), stop)
}

function shareOf({ sampler, samplerShare }: Wanted): number {
  if (sampler.endsWith('always_off')) return 0
  return sampler.endsWith('traceidratio') ? samplerShare : 1
}
