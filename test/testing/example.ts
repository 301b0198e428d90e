import { json, type StateMachine } from 'rxraft'
import { simulate } from 'rxraft/testing'
import { map } from 'rxjs'

const counting = (): StateMachine<number, number> => {
  let sum = 0
  return (apply$) => apply$.pipe(map(({ index, command }) => ({ index, result: (sum += command) })))
}
const workload = () => ({ codec: json<number>(), stateMachine: counting, command: () => 1, retries: false })
export const run = simulate(7, { servers: 3, forMs: 30_000, workload })
