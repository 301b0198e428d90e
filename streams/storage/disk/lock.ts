import { either } from 'fp-ts'
import * as t from 'io-ts'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { kill, pid } from 'node:process'
import type { StorageError } from '../storage.js'
import { hasCode, storageError } from './errors.js'
import { directoryMode, fileMode } from './handles.js'

/*
 * One process per data directory. The lock is a directory with a file in it that says who holds it:
 * made beside and then renamed into place, it is there whole or not at all, and a rename onto one that
 * is not empty fails. The calls are synchronous: a few, once, and easier to check that way.
 *
 * A holder that was killed leaves its lock behind. It is known by process id, the time that process
 * was started and the boot it belongs to, as far as the system tells them (Linux does); elsewhere a
 * process that got the same id counts as the holder. Containers that share a data directory but
 * no process ids cannot see each other: never mount one directory twice.
 */

const Holder = t.strict({
  pid: t.number,
  /** In ticks since boot; null where the system does not tell. */
  startedAt: t.union([t.string, t.null]),
  boot: t.union([t.string, t.null]),
  /** 16 hexadecimal digits, drawn. */
  token: t.string,
})
type Holder = t.TypeOf<typeof Holder>

const attempt = <A>(call: () => A): either.Either<unknown, A> => either.tryCatch(call, (error) => error)

const textOf = (path: string): string | null => either.getOrElseW(() => null)(attempt(() => readFileSync(path, 'latin1')))

const boot = (): string | null => textOf('/proc/sys/kernel/random/boot_id')?.trim() ?? null

/** When a process was started; null where that is not told; undefined if it is a zombie, which holds nothing. */
const startOf = (process: number): string | null | undefined => {
  const stat = textOf(`/proc/${process}/stat`)
  if (stat === null) return null
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name before may hold anything
  return state === 'Z' ? undefined : (rest[18] ?? null)
}

const differ = (a: string | null, b: string | null): boolean => a !== null && b !== null && a !== b

const lives = (holder: Holder): boolean => {
  if (differ(holder.boot, boot())) return false
  const asked = attempt(() => kill(holder.pid, 0)) // signal 0 only asks whether there is one
  if (either.isLeft(asked) && hasCode(asked.left, 'ESRCH')) return false
  const start = startOf(holder.pid)
  return start !== undefined && !differ(holder.startedAt, start)
}

const holderOf = (lock: string): Holder | null => {
  const json = attempt(() => JSON.parse(textOf(join(lock, 'holder')) ?? '') as unknown)
  const holder = either.chainW((value: unknown) => Holder.decode(value))(json)
  // The token becomes part of a path, and so must be what this file would have written.
  return either.isRight(holder) && holder.right.pid > 0 && /^[0-9a-f]{16}$/.test(holder.right.token) ? holder.right : null
}

/** Not recursively: once the file is gone another process may take the place, and `rmdir` then leaves it alone. */
const remove = (lock: string): void => {
  attempt(() => unlinkSync(join(lock, 'holder')))
  attempt(() => rmdirSync(lock))
}

/** Moves the lock that was prepared at `made` into place; false where another stands there. */
const place = (made: string, lock: string): boolean => {
  const moved = attempt(() => renameSync(made, lock))
  if (either.isRight(moved)) return true
  if (hasCode(moved.left, 'ENOTEMPTY', 'EEXIST', 'EPERM', 'ENOTDIR')) return false
  throw moved.left
}

const locked = (lock: string, holder: Holder | null): StorageError =>
  storageError(
    'Locked',
    holder === null
      ? `${lock} has just been taken by another process. Each server needs a data directory of its own.`
      : `${lock} is held by ${holder.pid === pid ? 'this process' : 'the process'} with id ${holder.pid}. Stop that one first, or give this server a data directory of its own.`,
  )

/** A lock that is held, and gives itself back. */
export type Unlock = () => void

/**
 * Takes `lock`, from a holder that is dead if need be. Throws what the file system throws.
 *
 * Two processes may find the same dead holder. Only who has the lock that is named for it may
 * remove it, and looks again before: so no process removes a lock that was taken meanwhile. If the
 * one who may dies on the way, its own lock is a dead one, and taken over in the same way.
 */
export const takeLock = (lock: string): either.Either<StorageError, Unlock> => {
  const token = randomBytes(8).toString('hex')
  const made = `${lock}.${token}`
  const own: Holder = { pid, startedAt: startOf(pid) ?? null, boot: boot(), token }
  mkdirSync(made, { mode: directoryMode })
  try {
    writeFileSync(join(made, 'holder'), JSON.stringify(own), { mode: fileMode })
    if (place(made, lock)) return either.right(() => remove(lock))
    // A living holder's file is always whole: one that cannot be read was left by a power loss.
    const found = holderOf(lock)
    if (found !== null && lives(found)) return either.left(locked(lock, found))
    return either.chain((leaveTakeover: Unlock) => {
      try {
        const again = holderOf(lock)
        if (again?.token !== found?.token) return either.left(locked(lock, again))
        remove(lock)
        return place(made, lock) ? either.right(() => remove(lock)) : either.left(locked(lock, holderOf(lock)))
      } finally {
        leaveTakeover()
      }
    })(takeLock(`${lock}.of-${found?.token ?? 'nobody'}`))
  } finally {
    remove(made)
  }
}
