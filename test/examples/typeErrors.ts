import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))

export const entries = ['index', 'core', 'kv', 'node', 'testing', 'lab'] as const
export type Entry = (typeof entries)[number]

export const importedAs = (entry: Entry): string => (entry === 'index' ? 'rxraft' : `rxraft/${entry}`)
export const sourceOf = (entry: Entry): string => `${root}streams/${entry}.ts`

const options: ts.CompilerOptions = {
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  moduleDetection: ts.ModuleDetectionKind.Force,
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts'],
  types: ['node'],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  paths: Object.fromEntries(entries.map((entry) => [importedAs(entry), [sourceOf(entry)]])),
}

/** A program of files that stand nowhere but here, by name, and of what they import. `also`: files on the disk. */
export const programOf = (texts: ReadonlyMap<string, string>, ...also: ReadonlyArray<string>): ts.Program => {
  const host = ts.createCompilerHost(options)
  const disk = { ...host }
  const nameOf = (path: string): string => path.slice(root.length)
  host.fileExists = (path) => texts.has(nameOf(path)) || disk.fileExists(path)
  host.readFile = (path) => texts.get(nameOf(path)) ?? disk.readFile(path)
  host.getSourceFile = (path, version) => {
    const text = texts.get(nameOf(path))
    return text === undefined ? disk.getSourceFile(path, version) : ts.createSourceFile(path, text, version)
  }
  return ts.createProgram([...[...texts.keys()].map((name) => root + name), ...also.map((name) => root + name)], options, host)
}

/** What the compiler says of each text: `name:line message`. */
export const typeErrors = (texts: ReadonlyMap<string, string>, ...also: ReadonlyArray<string>): ReadonlyArray<string> => {
  const program = programOf(texts, ...also)
  return [...texts.keys()].flatMap((name) => {
    const file = program.getSourceFile(root + name)!
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(({ start = 0, messageText }) => {
      const { line } = file.getLineAndCharacterOfPosition(start)
      return `${name}:${line + 1} ${ts.flattenDiagnosticMessageText(messageText, ' ').slice(0, 300)}`
    })
  })
}
