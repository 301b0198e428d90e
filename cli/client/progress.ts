import type { Io } from '../io.js'
import { bar, count, duration } from '../view/format.js'

/** How far a load has come. */
export interface Progress {
  readonly done: number
  readonly retries: number
  /** Of the input, from 0 to 1; null where its length is not known. */
  readonly part: number | null
  readonly elapsedMs: number
}

/** One line for a terminal of so many columns: ` 42 % ██████░░░░  115,200 keys  12,340/s  17 s left`. */
export const progressLine = (progress: Progress, columns: number): string => {
  const { done, part, elapsedMs } = progress
  const figures = [
    `${count(done)} keys`,
    `${count((done * 1_000) / Math.max(elapsedMs, 1))}/s`,
    ...left(progress),
    ...repeated(progress),
  ].join('  ')
  const percent = part === null ? '' : `${String(Math.floor(part * 100)).padStart(3)} % `
  const room = Math.min(40, columns - percent.length - figures.length - 3)
  return `${percent}${part === null || room < 8 ? '' : `${bar(part, room)}  `}${figures}`.slice(0, Math.max(0, columns - 1))
}

/** The same for where there is no terminal. */
export const progressText = (progress: Progress): string => {
  const { done, part, elapsedMs } = progress
  const percent = part === null ? [] : [`${Math.floor(part * 100)} %`]
  return [...percent, `${count(done)} keys`, duration(elapsedMs), ...repeated(progress)].join('  ')
}

const left = ({ part, elapsedMs }: Progress): ReadonlyArray<string> =>
  part === null || part < 0.01 ? [] : [`${duration((elapsedMs / part) * (1 - part))} left`]

const repeated = ({ retries }: Progress): ReadonlyArray<string> => (retries === 0 ? [] : [`${count(retries)} repeated`])

const drawEveryMs = 100
/** Without a terminal: a line for so much of the input, or, where its length is not known, of the time. */
const linePart = 0.02
const lineEveryMs = 10_000

/** Shows progress on stderr: a line that is drawn over in a terminal, else a line now and then. */
export class ProgressTeller {
  private drawnAt = -Infinity
  private toldStep = 0

  constructor(private readonly stderr: Io['stderr']) {}

  tell(progress: Progress): void {
    const { stderr } = this
    if (!stderr.isTTY) return this.tellLine(progress)
    if (progress.elapsedMs - this.drawnAt < drawEveryMs) return
    this.drawnAt = progress.elapsedMs
    stderr.write(`\r${progressLine(progress, stderr.columns)}\u001b[K`)
  }

  end(): void {
    if (this.stderr.isTTY) this.stderr.write('\r\u001b[K')
  }

  private tellLine(progress: Progress): void {
    const { part, elapsedMs } = progress
    const step = Math.floor(part === null ? elapsedMs / lineEveryMs : part / linePart)
    // The end is told by the summary.
    if (step <= this.toldStep || (part ?? 0) >= 1) return
    this.toldStep = step
    this.stderr.write(`${progressText(progress)}\n`)
  }
}
