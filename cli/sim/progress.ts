import type { Io } from '../io.js'
import { bar, count, duration } from '../view/format.js'
import { hoursOf, speedOf, type Tally } from './tally.js'

/** How far it has come, from 0 to 1, and since when. */
export interface Reached {
  readonly tally: Tally
  readonly part: number
  readonly elapsedMs: number
}

/**
 * ` 42 % ██████░░░░  12.3 h  350 seeds  1,204× per core  40,123 operations  0 violations  17 s left`. Where there is no
 * room for all of it, whole figures go, what is needed least first, and the bar before any of them.
 */
export const simLine = ({ tally, part, elapsedMs }: Reached, columns: number): string => {
  const percent = `${String(Math.floor(Math.min(1, part) * 100)).padStart(3)} % `
  const figures = [
    { text: `${hoursOf(tally).toFixed(1)} h`, need: 4 },
    { text: `${count(tally.seeds)} seeds`, need: 3 },
    { text: `${count(speedOf(tally))}× per core`, need: 2 },
    { text: `${count(tally.elections)} elections`, need: 0 },
    { text: `${count(tally.commits)} commits`, need: 1 },
    { text: `${tally.violations.length} violations`, need: 6 },
    ...(part < 0.01 ? [] : [{ text: `${duration((elapsedMs / part) * (1 - part))} left`, need: 5 }]),
  ]
  const line = (need: number): string =>
    figures
      .filter((figure) => figure.need >= need)
      .map(({ text }) => text)
      .join('  ')
  const room = columns - percent.length - 1
  const shown = [0, 1, 2, 3, 4, 5, 6].map(line).find((text) => text.length <= room) ?? ''
  const bars = Math.min(40, room - shown.length - 2)
  return `${percent}${bars < 8 ? '' : `${bar(part, bars)}  `}${shown}`.slice(0, Math.max(0, columns - 1))
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
