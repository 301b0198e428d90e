import { kill, pid } from 'node:process'
import { fromEvent, Observable } from 'rxjs'
import type { Io } from '../io.js'

/**
 * Key by key, so that nothing that is typed lands in the picture. Emits where somebody wants it to end:
 * Ctrl-C, Ctrl-D and q. Ctrl-Z stops the process until `fg`, after `leave`.
 */
export const endingKey$ = (stdin: Io['stdin'], leave: () => void): Observable<string> =>
  new Observable<string>((subscriber) => {
    const press = (bytes: Buffer): void => {
      for (const key of bytes.toString('latin1')) {
        if (key === '\u0003' || key === '\u0004' || key === 'q') subscriber.next(key)
        if (key === '\u001a') suspend()
      }
    }
    const suspend = (): void => {
      leave()
      stdin.setRawMode(false)
      kill(pid, 'SIGSTOP')
    }
    stdin.setRawMode(true)
    stdin.on('data', press)
    subscriber.add(fromEvent(process, 'SIGCONT').subscribe(() => void stdin.setRawMode(true)))
    return () => {
      stdin.off('data', press)
      stdin.setRawMode(false)
      stdin.pause()
      stdin.unref()
    }
  })
