import { importsOf, type Source } from './source.js'

/** Which of `sources` each of them imports, for a value or for a type. */
const importsAmong = (sources: ReadonlyArray<Source>): ReadonlyMap<string, ReadonlyArray<string>> => {
  const paths = new Set(sources.map(({ path }) => path))
  return new Map(sources.map((source) => [source.path, importsOf(source).flatMap(({ target }) => (paths.has(target) ? [target] : []))]))
}

/** Everything that can be reached from `start`, by one import or more. */
const reachable = (start: string, imports: ReadonlyMap<string, ReadonlyArray<string>>): ReadonlySet<string> => {
  const reached = new Set<string>()
  const waiting = [...imports.get(start)!]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue
    reached.add(path)
    waiting.push(...imports.get(path)!)
  }
  return reached
}

/**
 * The circles of imports: groups of files in which each file imports every other one, over some steps.
 * In the theory of graphs these are the strongly connected components with an edge inside.
 */
export const circlesAmong = (sources: ReadonlyArray<Source>): ReadonlyArray<ReadonlyArray<string>> => {
  const imports = importsAmong(sources)
  const reached = new Map([...imports.keys()].map((path) => [path, reachable(path, imports)]))
  const circleOf = (path: string): ReadonlyArray<string> => [...reached.get(path)!].filter((other) => reached.get(other)!.has(path)).sort()
  return [...imports.keys()].map(circleOf).filter((circle, i) => circle.length > 0 && circle[0] === [...imports.keys()][i])
}
