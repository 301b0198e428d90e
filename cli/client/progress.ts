import { bar, count, duration } from '../view/format.js'

/** How far a load has come. */
export interface Progress {
  readonly done: number
  readonly retries: number
  /** Of the input, from 0 to 1; null where its length is not known. */
  readonly part: number | null
  readonly elapsedMs: number
  /** Acknowledged in the last second, or since the beginning. */
  readonly perSecond: number
}

/** One line for a terminal of so many columns: ` 42 % ██████░░░░  115,200 keys  12,340/s  17 s left`. */
export const progressLine = (progress: Progress, columns: number): string => {
  const { part, perSecond } = progress
  const figures = [`${count(progress.done)} keys`, `${count(perSecond)}/s`, ...left(progress), ...retried(progress)].join('  ')
  const percent = part === null ? '' : `${String(Math.floor(part * 100)).padStart(3)} % `
  const room = Math.min(40, columns - percent.length - figures.length - 3)
  const drawn = part === null || room < 8 ? '' : `${bar(part, room)}  `
  return `${percent}${drawn}${figures}`.slice(0, Math.max(0, columns - 1))
}

/** The same where there is no terminal. */
export const progressText = ({ done, retries, part, elapsedMs }: Progress): string =>
  [`${count(done)} keys`, ...(part === null ? [] : [`${Math.floor(part * 100)} %`]), duration(elapsedMs), ...retried({ retries })].join(
    '  ',
  )

const left = ({ part, elapsedMs }: Progress): ReadonlyArray<string> =>
  part === null || part < 0.01 ? [] : [`${duration((elapsedMs / part) * (1 - part))} left`]

const retried = ({ retries }: Pick<Progress, 'retries'>): ReadonlyArray<string> => (retries === 0 ? [] : [`${count(retries)} tried again`])
