import type { Io } from '../io.js'
import { bar, count, duration } from '../view/format.js'
import { hoursOf, speedOf, type Tally } from './tally.js'

/** How far it has come, from 0 to 1, and since when. */
export interface Reached {
  readonly tally: Tally
  readonly part: number
  readonly elapsedMs: number
}

/** ` 42 % ██████░░░░  12.3 h  350 seeds  1,204× per core  40,123 operations  0 violations  17 s left` */
export const simLine = ({ tally, part, elapsedMs }: Reached, columns: number): string => {
  const figures = [
    `${hoursOf(tally).toFixed(1)} h`,
    `${count(tally.seeds)} seeds`,
    `${count(speedOf(tally))}× per core`,
    `${count(tally.elections)} elections`,
    `${count(tally.commits)} commits`,
    `${tally.violations.length} violations`,
    ...(part < 0.01 ? [] : [`${duration((elapsedMs / part) * (1 - part))} left`]),
  ].join('  ')
  const percent = `${String(Math.floor(Math.min(1, part) * 100)).padStart(3)} % `
  const room = Math.min(40, columns - percent.length - figures.length - 3)
  return `${percent}${room < 8 ? '' : `${bar(part, room)}  `}${figures}`.slice(0, Math.max(0, columns - 1))
}

const drawEveryMs = 100
const lineEveryMs = 10_000

/** Shows it on stderr: a line that is drawn over in a terminal, elsewhere one now and then. */
export class SimTeller {
  private toldAt = -Infinity

  constructor(private readonly stderr: Io['stderr']) {}

  tell(reached: Reached): void {
    const { stderr } = this
    if (reached.elapsedMs - this.toldAt < (stderr.isTTY ? drawEveryMs : lineEveryMs)) return
    this.toldAt = reached.elapsedMs
    if (stderr.isTTY) stderr.write(`\r${simLine(reached, stderr.columns)}\u001b[K`)
    else stderr.write(`${simLine(reached, 160)}\n`)
  }

  end(): void {
    if (this.stderr.isTTY) this.stderr.write('\r\u001b[K')
  }
}
