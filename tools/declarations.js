/** Leaves the declarations that a user's compiler can reach: `exports` of package.json leads to no other. */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const imported = /(?:from |import\()["'](\.{1,2}\/[^"']+)\.js["']/g

const reachedFrom = (paths) => {
  const reached = new Set()
  const visit = (path) => {
    if (reached.has(path)) return
    reached.add(path)
    for (const [, target] of readFileSync(path, 'utf8').matchAll(imported)) visit(join(path, '..', `${target}.d.ts`))
  }
  paths.forEach(visit)
  return reached
}

/** Removes from `folder` every declaration, and its map, that the declarations in `folder/streams` do not import. */
export const keepReachable = (folder) => {
  const entries = readdirSync(join(folder, 'streams')).filter((name) => name.endsWith('.d.ts'))
  const reached = reachedFrom(entries.map((name) => join(folder, 'streams', name)))
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name)
    if (/\.d\.ts(\.map)?$/.test(name) && !reached.has(path.replace(/\.map$/, ''))) rmSync(path)
  }
}
