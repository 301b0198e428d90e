import { describe, expect, it } from '@jest/globals'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** What a user can import, by entry of the package. */
const entries = [
  { entry: 'rxraft', source: '../streams/index.js', golden: './surface/index.txt' },
  { entry: 'rxraft/node', source: '../streams/node.js', golden: './surface/node.txt' },
  { entry: 'rxraft/lab', source: '../streams/lab.js', golden: './surface/lab.txt' },
  { entry: 'rxraft/testing', source: '../streams/testing.js', golden: './surface/testing.txt' },
]

const fileOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))
const sourceFileOf = (source: string): string => fileOf(source).replace(/\.js$/, '.ts')

const program = ts.createProgram(
  entries.map(({ source }) => sourceFileOf(source)),
  { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, noLib: true, types: [] },
)

const typesOf = (source: string): ReadonlyArray<string> => {
  const checker = program.getTypeChecker()
  const module = checker.getSymbolAtLocation(program.getSourceFile(sourceFileOf(source))!)!
  return checker
    .getExportsOfModule(module)
    .filter((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol).flags & ts.SymbolFlags.Type)
    .map(({ name }) => `type ${name}`)
}

const valuesOf = async (source: string): Promise<ReadonlyArray<string>> => Object.keys((await import(source)) as object)

describe('the public names', () => {
  it.each(entries.filter(({ source }) => existsSync(sourceFileOf(source))))(
    'of $entry are those written down',
    async ({ source, golden }) => {
      const names = [...[...(await valuesOf(source))].sort(), ...[...typesOf(source)].sort()].map((name) => `${name}\n`)
      if (process.env['GOLDEN'] === 'write') {
        mkdirSync(fileOf('./surface'), { recursive: true })
        writeFileSync(fileOf(golden), names.join(''))
      }
      // A difference is either a mistake or a line for the CHANGELOG; `GOLDEN=write npm test` accepts it.
      expect(names.join('')).toBe(readFileSync(fileOf(golden), 'utf8'))
    },
  )
})
