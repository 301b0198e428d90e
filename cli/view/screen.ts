import { fromEvent, Observable } from 'rxjs'
import type { Io } from '../io.js'
import type { View } from './model.js'
import { render } from './render.js'

const escape = '\u001b['
/** A page of its own, without a cursor; what is too long is cut, not wrapped. */
const enter = `${escape}?1049h${escape}?25l${escape}?7l`
const leave = `${escape}?7h${escape}?25h${escape}?1049l`
/** Shown at once, where the terminal knows how. */
const together = (frame: string): string => `${escape}?2026h${frame}${escape}?2026l`

/**
 * The text that turns the lines on the screen into the next ones. It writes only the lines that differ. `before` is
 * null if the screen is unknown.
 */
export const paint = (before: ReadonlyArray<string> | null, lines: ReadonlyArray<string>): string => {
  // Cleared before it is written: behind the last column the cursor still stands on what was written there, and so it
  // does on the last row.
  const below = before === null || before.length > lines.length ? `${escape}${lines.length + 1};1H${escape}J` : ''
  const changed = lines.flatMap((line, row) => (before?.[row] === line ? [] : [`${escape}${row + 1};1H${escape}K${line}`]))
  return below + changed.join('')
}

/** A terminal that shows views on a page of its own. */
export class Screen {
  private lines: ReadonlyArray<string> | null = null
  private view: View | null = null
  private congested = false
  private isOpen = false

  constructor(
    private readonly stdout: Io['stdout'],
    private readonly colour: boolean,
  ) {}

  /**
   * Shows what `view$` tells for as long as it is subscribed to; emits nothing. The terminal gets its own page and
   * cursor back when that ends, and when the process does. Frames that come while the terminal is still busy with one
   * are left out.
   */
  shown(view$: Observable<View>): Observable<never> {
    return new Observable<never>((subscriber) => {
      this.open()
      process.once('exit', this.close)
      this.stdout.on('drain', this.drained)
      subscriber.add(() => {
        this.stdout.off('drain', this.drained)
        process.off('exit', this.close)
        this.close()
      })
      subscriber.add(fromEvent(this.stdout, 'resize').subscribe(() => this.redraw()))
      // After Ctrl-Z and `fg` the shell's page is shown.
      subscriber.add(fromEvent(process, 'SIGCONT').subscribe(() => this.open()))
      subscriber.add(
        view$.subscribe((view) => {
          this.view = view
          this.draw()
        }),
      )
    })
  }

  /** Until `SIGCONT` nothing is drawn. */
  readonly close = (): void => {
    this.isOpen = false
    this.stdout.write(leave)
  }

  private open(): void {
    this.isOpen = true
    this.stdout.write(enter)
    this.redraw()
  }

  private readonly drained = (): void => {
    this.congested = false
    this.draw()
  }

  private redraw(): void {
    this.lines = null
    this.draw()
  }

  private draw(): void {
    if (this.view === null || this.congested || !this.isOpen) return
    const { columns, rows } = this.stdout
    const lines = render(this.view, { columns, rows, colour: this.colour })
    const frame = paint(this.lines, lines)
    this.lines = lines
    if (frame !== '') this.congested = !this.stdout.write(together(frame))
  }
}
