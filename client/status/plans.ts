import type { Sample } from '../../shared/status.ts'
import type { ChartPlan, Color } from './chart.ts'

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 })
const fine = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 })
const share = new Intl.NumberFormat(undefined, { style: 'percent', maximumSignificantDigits: 2 })

const perSecond = (value: number) => `${fine.format(value)}/s`

/** What is drawn, in the order an operator asks: is anybody there, does it work, is it quick, does it have room? */
export const plans: readonly ChartPlan[] = [
  {
    title: 'People',
    about: 'Open connections, and the sessions they are for',
    lines: [
      { label: 'connections', figure: 'connections', color: '--accent' },
      { label: 'sessions', figure: 'rooms', color: '--warning' },
    ],
    format: (value) => whole.format(value),
    isCount: true,
  },
  {
    title: 'Changes',
    about: 'Saved, and refused because the store could not keep them',
    lines: [
      { label: 'saved', figure: 'savedPerSecond', color: '--accent' },
      { label: 'refused', figure: 'unsavedPerSecond', color: '--danger' },
    ],
    format: perSecond,
  },
  {
    title: 'Handed on within',
    about: 'From a change taken in to handed to everybody connected here',
    lines: [
      { label: 'half', figure: 'fanOutP50', color: '--accent' },
      { label: '99 %', figure: 'fanOutP99', color: '--warning' },
    ],
    format: duration,
  },
  {
    title: 'Saved within',
    about: 'From a change taken in to safe on the disk',
    lines: [
      { label: 'half', figure: 'savedP50', color: '--accent' },
      { label: '99 %', figure: 'savedP99', color: '--warning' },
    ],
    format: duration,
  },
  {
    title: 'Load',
    about: 'The share of time in which the relay had something to do; 100 % is as much as one core can',
    lines: [{ label: 'busy', figure: 'busy', color: '--accent' }],
    format: (value) => share.format(value),
  },
  {
    title: 'Memory',
    about: 'Of the whole process',
    lines: [{ label: 'memory', figure: 'memoryBytes', color: '--accent' }],
    format: bytes,
  },
  {
    title: 'Database',
    about: 'The file, and the write-ahead log beside it',
    lines: [
      { label: 'database', figure: 'databaseBytes', color: '--accent' },
      { label: 'log', figure: 'logBytes', color: '--warning' },
    ],
    format: bytes,
  },
  {
    title: 'Room on the disk',
    about: 'What is left where the database is',
    lines: [{ label: 'left', figure: 'diskFreeBytes', color: '--accent' }],
    format: bytes,
  },
  {
    title: 'Slow readers',
    about: 'Clients that lag behind what they are sent',
    lines: [{ label: 'clients', figure: 'slowReaders', color: '--warning' }],
    format: (value) => whole.format(value),
    isCount: true,
  },
  {
    title: 'Refusals',
    about: 'Connections ended or not opened, in ten seconds each; the table says why',
    lines: [{ label: 'connections', figure: refusalsOf, color: '--danger' }],
    format: (value) => whole.format(value),
    isCount: true,
  },
]

const colors: readonly Color[] = ['--accent', '--warning', '--line-strong', '--danger']

/** A line for each region, this one first. */
export function regionPlans(regions: readonly string[]): ChartPlan[] {
  const lineEach = (figure: (region: string) => (sample: Sample) => number | null) =>
    regions.map((region, at) => ({
      label: region,
      figure: figure(region),
      color: colors[at % colors.length] ?? '--accent',
    }))
  return [
    {
      title: 'Stores that are ready',
      about: 'As heard from here: a region that is cut off has none',
      lines: lineEach((region) => (sample) => sample.regions[region]?.stores ?? null),
      format: (value) => whole.format(value),
      isCount: true,
      inSteps: true,
    },
    {
      title: 'Not kept here yet',
      about: `Messages said in each region that the slowest store of ${regions[0]} has not committed`,
      lines: lineEach((region) => (sample) => sample.regions[region]?.behind ?? null),
      format: (value) => whole.format(value),
      isCount: true,
    },
  ]
}

function refusalsOf({ refusals }: Sample): number {
  return Object.values(refusals).reduce((all, times) => all + times, 0)
}

function duration(seconds: number): string {
  return seconds < 1 ? `${fine.format(seconds * 1000)} ms` : `${fine.format(seconds)} s`
}

function bytes(value: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)))
  return `${fine.format(value / 1000 ** step)} ${units[step]}`
}
