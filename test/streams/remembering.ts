import { map, of } from 'rxjs'
import { logIndex } from '../../src/raft/ids.js'
import type { Snapshot, StateMachine } from '../../streams/sinks/stateMachine.js'
import { utf8 } from '../../streams/wire/codec.js'
import type { Options } from './cluster.js'

/** A machine that remembers all that it was given, and answers with that; its snapshots hold it. */
export const remembering = () => {
  let state = ''
  let index = logIndex(0)
  const stateMachine: StateMachine<string, string> = (msg$, snapshot) => {
    if (snapshot !== null) {
      state = utf8.decode(snapshot.data)
      index = snapshot.index
    }
    return msg$.pipe(
      map((msg) => {
        state += msg.command
        index = msg.index
        return { index, result: state }
      }),
    )
  }
  const taken = (): Snapshot => ({ index, data: utf8.encode(state) })
  const take = () => of(taken())
  return { stateMachine, taken, take, state: () => state, options: { stateMachine, snapshots: { take } } satisfies Partial<Options> }
}
