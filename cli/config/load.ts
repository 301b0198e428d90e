import { either } from 'fp-ts'
import { readFileSync } from 'node:fs'
import { configOf, type Sources } from './config.js'
import type { Settings } from './settings.js'

export const defaultFile = 'rxraft.config.json'

export interface Wanted extends Omit<Sources, 'file'> {
  /** The file to read, which must then be there. Default: `rxraft.config.json`, if there is one. */
  readonly file: string | undefined
}

/** The settings in force. Left: every mistake in them, as a sentence with its place. */
export const settingsFor = ({ file, env, flags }: Wanted): either.Either<ReadonlyArray<string>, Settings> => {
  const wanted = file ?? (env['RXRAFT_CONFIG'] || undefined)
  const read = either.tryCatch(
    () => readFileSync(wanted ?? defaultFile, 'utf8'),
    (error) => error as NodeJS.ErrnoException,
  )
  if (either.isRight(read)) return configOf({ file: { name: wanted ?? defaultFile, text: read.right }, env, flags })
  return wanted === undefined && read.left.code === 'ENOENT'
    ? configOf({ file: null, env, flags })
    : either.left([`${wanted ?? defaultFile} cannot be read (${read.left.message}): name a file that this user may read`])
}
