import { map, of } from 'rxjs'
import { logIndex } from '../../../src/raft/ids.js'
import type { ApplyMsg, Snapshot } from '../../sinks/stateMachine.js'
import { type Codec, json } from '../../wire/codec.js'
import { keyValueModel } from '../linearizability/keyValueModel.js'
import { erased } from '../linearizability/model.js'
import { oneOf } from './dice.js'
import type { SnapshotMachine, Workload, WorkloadModel } from './workload.js'

/** Who wrote a value: it is the only one that this command of this client writes. */
export interface Token {
  readonly client: number
  readonly serial: number
}

/** A command on one of a few registers, in a session of its client (§8). */
export interface RegisterCommand extends Token {
  readonly op: 'Get' | 'Put' | 'Append' | 'CompareAndSet'
  readonly key: number
  /** CompareAndSet: puts if the register holds exactly what this one put; null: if it holds nothing. */
  readonly expected: Token | null
}

/** Get: the value or null. CompareAndSet: whether it was put. The others: null. */
export type RegisterResult = string | boolean | null

const ops = ['Get', 'Put', 'Append', 'CompareAndSet'] as const
const bytes = 16
const keys = 8

/** Sixteen bytes: op, key, client, serial, and the client and serial of what is expected; client 0 is nobody. */
export const registerCodec: Codec<RegisterCommand> = {
  encode: ({ op, key, client, serial, expected }) => {
    const out = new Uint8Array(bytes)
    out[0] = ops.indexOf(op)
    out[1] = key
    put(out, 2, client, 2)
    put(out, 4, serial, 4)
    put(out, 8, expected?.client ?? 0, 2)
    put(out, 10, expected?.serial ?? 0, 4)
    return out
  },
  decode: (from) => {
    const expectedClient = take(from, 8, 2)
    return {
      op: ops[from[0]!]!,
      key: from[1]!,
      client: take(from, 2, 2),
      serial: take(from, 4, 4),
      expected: expectedClient === 0 ? null : { client: expectedClient, serial: take(from, 10, 4) },
    }
  },
}

const put = (out: Uint8Array, at: number, value: number, width: number): void => {
  for (let i = 0; i < width; i++) out[at + i] = value >>> (8 * i)
}

const take = (from: Uint8Array, at: number, width: number): number => {
  let value = 0
  for (let i = width - 1; i >= 0; i--) value = value * 256 + from[at + i]!
  return value
}

const valueOf = ({ client, serial }: Token): string => `${client}.${serial};`

/** What a command makes of a register that holds `value`, and what it answers. */
const perform = (command: RegisterCommand, value: string | null): { readonly value: string | null; readonly result: RegisterResult } => {
  switch (command.op) {
    case 'Get':
      return { value, result: value }
    case 'Put':
      return { value: valueOf(command), result: null }
    case 'Append':
      return { value: (value ?? '') + valueOf(command), result: null }
    case 'CompareAndSet': {
      const puts = value === (command.expected === null ? null : valueOf(command.expected))
      return { value: puts ? valueOf(command) : value, result: puts }
    }
  }
}

interface Session {
  serial: number
  result: RegisterResult
}

/** What a snapshot holds. */
interface RegisterState {
  readonly registers: ReadonlyArray<string | null>
  readonly sessions: ReadonlyArray<readonly [client: number, session: Session]>
}

const snapshotCodec = json<RegisterState>()

/**
 * The registers with a session for each client: a command that comes again is answered as it was and changes nothing. One that comes
 * after its client went on, delayed in a queue of a server, is answered with null: nobody waits for it.
 */
const machine = (): SnapshotMachine<RegisterCommand, RegisterResult> => {
  const registers: (string | null)[] = Array.from({ length: keys }, () => null)
  const sessions = new Map<number, Session>()
  let reached = logIndex(0)
  const apply = (command: RegisterCommand): RegisterResult => {
    const session = sessions.get(command.client)
    if (session !== undefined && command.serial < session.serial) return null
    if (session?.serial === command.serial) return session.result
    const { value, result } = perform(command, registers[command.key] ?? null)
    registers[command.key] = value
    if (session === undefined) sessions.set(command.client, { serial: command.serial, result })
    else {
      session.serial = command.serial
      session.result = result
    }
    return result
  }
  const restore = ({ index, data }: Snapshot): void => {
    const state = snapshotCodec.decode(data)
    registers.splice(0, keys, ...state.registers)
    sessions.clear()
    for (const [client, session] of state.sessions) sessions.set(client, session)
    reached = index
  }
  return {
    stateMachine: (apply$, snapshot) => {
      if (snapshot !== null) restore(snapshot)
      return apply$.pipe(
        map(({ index, command }: ApplyMsg<RegisterCommand>) => {
          reached = index
          return { index, result: apply(command) }
        }),
      )
    },
    take: () => {
      const state = { registers, sessions: [...sessions].sort(([a], [b]) => a - b) }
      return of({ index: reached, data: snapshotCodec.encode(state) })
    },
  }
}

/** The twin: every command that took effect is remembered, and none may again. */
const model = (): WorkloadModel<RegisterCommand, RegisterResult> => {
  const registers = new Map<number, string | null>()
  const done = new Map<string, { readonly index: number; readonly result: RegisterResult }>()
  const latest = new Map<number, number>()
  const nameOf = (client: number, serial: number): string => `${client}.${serial}`
  return {
    apply: (index, command) => {
      const name = nameOf(command.client, command.serial)
      const before = done.get(name)
      if (before !== undefined) return command.serial === latest.get(command.client) ? before.result : null
      const { value, result } = perform(command, registers.get(command.key) ?? null)
      registers.set(command.key, value)
      done.set(name, { index, result })
      latest.set(command.client, command.serial)
      return result
    },
    effectiveIndex: (client, serial) => done.get(nameOf(client, serial))?.index,
  }
}

/** The workload of `simulate`: puts, appends, compare-and-sets and reads of eight registers, each exactly once. */
export const registers = (): Workload<RegisterCommand, RegisterResult> => {
  /** What some client put last, so that a compare-and-set has a chance. */
  const lastPut: (Token | null)[] = Array.from({ length: keys }, () => null)
  return {
    codec: registerCodec,
    stateMachine: machine,
    retries: true,
    same: (a, b) => a === b,
    model,
    linearizable: erased(keyValueModel),
    command: (die, client, serial) => {
      const op = oneOf(die, ops)
      const key = Math.floor(die() * keys)
      const expected = op === 'CompareAndSet' ? lastPut[key]! : null
      if (op === 'Put' || op === 'CompareAndSet') lastPut[key] = { client, serial }
      return { op, key, client, serial, expected }
    },
    operation: (command, result) => ({
      key: String(command.key),
      input:
        command.op === 'Get'
          ? { _tag: 'Get' }
          : command.op === 'CompareAndSet'
            ? {
                _tag: 'CompareAndSet',
                expected: command.expected === null ? null : valueOf(command.expected),
                value: valueOf(command),
              }
            : { _tag: command.op, value: valueOf(command) },
      output: result,
    }),
  }
}
