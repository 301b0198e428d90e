import { either } from 'fp-ts'
import * as t from 'io-ts'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const Mutation = t.type({
  /** Its number in the list of known mistakes of others (docs/reliability.md); null for a mistake of our own. */
  number: t.union([t.number, t.null]),
  name: t.string,
  /** The project or the place where the mistake was made. */
  source: t.string,
  /** Which scenarios can meet it. */
  scenarios: t.readonlyArray(t.string),
  patch: t.readonlyArray(t.type({ file: t.string, find: t.string, replace: t.string })),
})
/** A known mistake, and how it is put back. */
export type Mutation = t.TypeOf<typeof Mutation>

/** Every mutation in `folder`, by the names of their files. */
export const mutationsIn = (folder: string): ReadonlyMap<string, Mutation> =>
  new Map(
    readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .sort()
      .map((file) => {
        const mutation = Mutation.decode(JSON.parse(readFileSync(join(folder, file), 'utf8')))
        if (either.isLeft(mutation)) throw new Error(`${file} is no mutation: it needs number, name, source, scenarios and patch`)
        return [file.replace(/\.json$/, ''), mutation.right]
      }),
  )

/** `text` with `replace` where `find` stands; throws unless it stands there exactly once. */
export const patched = (text: string, { file, find, replace }: Mutation['patch'][number]): string => {
  const places = text.split(find).length - 1
  if (places !== 1) throw new Error(`${file} holds ${places} times what the patch wants to replace: ${find}`)
  return text.replace(find, () => replace)
}

/** Puts the mistake into the source below `root`. */
export const putInto = (root: string, { patch }: Mutation): void => {
  for (const change of patch) {
    const path = join(root, change.file)
    writeFileSync(path, patched(readFileSync(path, 'utf8'), change))
  }
}
