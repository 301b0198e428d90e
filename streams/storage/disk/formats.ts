import { either } from 'fp-ts'
import * as t from 'io-ts'
import type { StorageError } from '../storage.js'
import { storageError } from './errors.js'

/*
 * Each file begins with the format that it has:
 *
 *   1   no group, no cluster version and no addresses in configurations: read as group 0 and version 1
 *   2   the present one
 *
 * What is written is always of the present format. So a directory of format 1 that is opened gets files of format 2
 * beside the old ones.
 */

export const presentFormat = 2

type FileKind = 'data' | 'log' | 'snapshot'

/** The `format` of files of that kind, in every version that this build reads. */
export const formatOf = <K extends FileKind>(kind: K) =>
  t.keyof({ [`rxraft ${kind} 1`]: null, [`rxraft ${kind} 2`]: null } as Record<`rxraft ${K} 1` | `rxraft ${K} 2`, null>)

/**
 * Reserved: a server will hold the logs of several groups. There is one now, number 0, and files of format 1 name none.
 */
export const Group = new t.Type<0, 0>(
  'Group',
  (u): u is 0 => u === 0,
  (u, context) => (u === undefined || u === 0 ? t.success(0) : t.failure(u, context)),
  t.identity,
)

const Head = t.intersection([t.type({ format: t.string }), t.partial({ group: t.number })])

/** Why a file that begins with `head` is for a later build of rxraft; null where this build can try to read it. */
export const madeLater = (head: Buffer, kind: FileKind): string | null => {
  const parsed = either.tryCatch(
    () => JSON.parse(head.toString('latin1')) as unknown,
    () => null,
  )
  const json = either.chainW((value: unknown) => Head.decode(value))(parsed)
  if (either.isLeft(json)) return null
  const { format, group = 0 } = json.right
  const [, number] = new RegExp(`^rxraft ${kind} (\\d{1,9})$`).exec(format) ?? []
  if (number !== undefined && Number(number) > presentFormat)
    return `has format ${number}, and this version of rxraft reads formats up to ${presentFormat}`
  return group === 0 ? null : `belongs to group ${group}, and this version of rxraft knows no group but 0`
}

/** A later build made `path`. Nothing was changed. */
export const unsupported = (path: string, why: string): StorageError =>
  storageError(
    'Unsupported',
    `${path} ${why}. Nothing was changed. Start this server with the version of rxraft that wrote it, or with a newer one.`,
  )
