import { pino, stdTimeFunctions } from 'pino'
import { takenAway } from '../store/in-place.ts'
import { type Report, type Reporter, reportLevels } from './report.ts'

/**
 * The log: one line for each report. Programs get JSON with time and level, people at a terminal a sentence. The first line, where
 * the relay listens, is a sentence for both.
 */
export function logTo(write: (line: string) => void, readers: 'people' | 'programs'): Reporter {
  const log = readers === 'people' ? sentences(write) : jsonLines(write)
  return (report) => {
    if (report.event === 'listening') write(`${sentenceOf(report)}\n`)
    else log(report)
  }
}

function jsonLines(write: (line: string) => void): Reporter {
  const options = {
    base: null, // neither the process nor the host's name
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (level: string) => ({ level }) },
  }
  const logger = pino(options, { write })
  return (report) => logger[reportLevels[report.event]](report)
}

function sentences(write: (line: string) => void): Reporter {
  return (report) => {
    const time = new Date().toTimeString().slice(0, 8)
    write(`${time} ${reportLevels[report.event].padEnd(5)} ${sentenceOf(report)}\n`)
  }
}

function sentenceOf(report: Report): string {
  switch (report.event) {
    case 'listening':
      return `Facedown relay (${report.region}) listens on ${report.url}`
    case 'stopping':
      return `Stopping, with ${report.connections} connections that are told to come back`
    case 'stopped':
      return 'Stopped; everything acknowledged is on the disk'
    case 'refused':
      return `${report.times} connections ended or not opened: ${report.reason}`
    case 'damagedRow':
      return `A damaged row of ${report.table} was left out; devices bring back what they hold`
    case 'damagedDatabase':
      return report.words
    case 'mended':
      return `${report.indexes} indexes of the database were damaged and made anew; nothing is lost`
    case 'expired':
      return `${report.sessions} sessions that nobody used any more were deleted`
    case 'storeRefused':
      if (report.code === takenAway)
        return `DATA_DIR has the database or its write-ahead log no more (${report.code}); changes are refused until it is back, or the relay is started again`
      return report.reason === 'full'
        ? `The disk is full (${report.code}); changes are refused until there is room`
        : `The database does not take changes (${report.code})`
    case 'storeStalled':
      return 'The disk has not answered for 10 s; nothing is saved until it does'
    case 'storeRestarting':
      return "The store's thread ended and is started anew"
    case 'storeRecovered':
      return 'The disk answers again'
    case 'storesSilent':
      return 'No store of the region answers for some sessions, or NATS is away; those go on without being saved'
    case 'storesAnswer':
      return 'The stores of the region answer again'
    case 'copied':
      return `Sessions of ${report.region} that the stream has no more were copied from another store`
    case 'incomplete':
      return `Some sessions of ${report.region} are older than its stream, and no store that answers has them; devices bring back what they hold`
    case 'notGiven':
      return `Another store asked for a copy of this one's database and did not get it (${report.reason}): ${report.error}`
    case 'tracesLost':
      return 'The collector at OTEL_EXPORTER_OTLP_ENDPOINT takes no traces; they are lost'
    case 'tracesArrive':
      return 'The collector takes traces again'
    case 'failed':
      return `Something unforeseen: ${report.error}`
  }
}
