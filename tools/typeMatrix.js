/**
 * The compilers and the platforms whose users compile the declarations of this package: each of the oldest and newest versions, with and
 * without the types of a browser, with and without those of Node.
 */
const compilers = ['typescript-5.4', 'typescript-5.9', '@typescript/native']
const libraries = [['ES2022'], ['ES2022', 'DOM']]
const typesOfNode = [[], ['node']]

/** The declarations of rxjs 7 name `setTimeout` themselves; a program without the types of any platform has to declare it. */
const timers = 'declare function setTimeout(handler: () => void, ms?: number): number\n'

/** Every combination, with files that `write` has written: `{ compiler, options, files }`. Without the types of Node, `rxraft/node` is left out. */
export const typeMatrix = (entries, write) => {
  write('timers.d.ts', timers)
  const filesFor = (hasNode, extension) => {
    const name = `${hasNode ? 'node' : 'anywhere'}.${extension}`
    const imported = Object.entries(entries).filter(([entry]) => hasNode || entry !== 'node')
    write(name, imported.map(([entry, path]) => `export * as ${entry} from '${path}'\n`).join(''))
    return name
  }
  return compilers.flatMap((compiler) =>
    libraries.flatMap((lib) =>
      typesOfNode.map((types) => {
        const hasNode = types.length > 0
        const bare = !hasNode && !lib.includes('DOM')
        const files = ['mts', 'cts'].map((extension) => filesFor(hasNode, extension))
        return { compiler, files: bare ? [...files, 'timers.d.ts'] : files, options: { module: 'nodenext', lib, types } }
      }),
    ),
  )
}
