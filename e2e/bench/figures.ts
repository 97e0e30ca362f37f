import { readFileSync } from 'node:fs'

/** Seconds of CPU that a process has had so far, all its threads together. Linux only: from /proc. */
export function cpuOf(pid: number): number {
  return cpuIn(`/proc/${pid}/stat`)
}

/** Of the thread that serves the sockets. */
export function mainThreadCpuOf(pid: number): number {
  return cpuIn(`/proc/${pid}/task/${pid}/stat`)
}

export function memoryOf(pid: number | undefined): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Of the values, the one that only `1 - share` of them exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** The median, and in brackets the lowest and the highest. */
export function spread(values: readonly number[], digits = 2): string {
  const write = (value: number) => value.toFixed(digits)
  const around = values.length > 1 ? ` (${write(Math.min(...values))} to ${write(Math.max(...values))})` : ''
  return write(median(values)) + around
}

/** Says whether a figure reaches what it should. */
export function against(figure: number, most: number): string {
  return `goal ≤ ${most}: ${figure <= most ? 'reached' : 'MISSED'}`
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

function cpuIn(file: string): number {
  const fields = readFileSync(file, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}
