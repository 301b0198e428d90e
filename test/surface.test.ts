import { describe, expect, it } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { types as nodeTypes } from 'node:util'
import ts from 'typescript'

/** What a user can import, by entry of the package. */
const entries = ['index', 'core', 'kv', 'node', 'testing', 'lab'].map((name) => ({
  entry: name === 'index' ? 'rxraft' : `rxraft/${name}`,
  source: `../streams/${name}.js`,
  golden: `./surface/${name}.txt`,
}))

const fileOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))
const sourceFileOf = (source: string): string => fileOf(source).replace(/\.js$/, '.ts')

const program = ts.createProgram(
  entries.map(({ source }) => sourceFileOf(source)),
  { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, noLib: true, types: [] },
)

const checker = program.getTypeChecker()

/** The types that a module exports, those of a namespace by their path: `type kv.Store`. */
const typesIn = (module: ts.Symbol, path: string): ReadonlyArray<string> =>
  checker.getExportsOfModule(module).flatMap((symbol) => {
    const exported = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
    if (exported.flags & ts.SymbolFlags.Module) return typesIn(exported, `${path}${symbol.name}.`)
    return exported.flags & ts.SymbolFlags.Type ? [`type ${path}${symbol.name}`] : []
  })

const typesOf = (source: string): ReadonlyArray<string> =>
  typesIn(checker.getSymbolAtLocation(program.getSourceFile(sourceFileOf(source))!)!, '')

/** The values that a module exports, those of a namespace by their path: `kv.emptyStore`. */
const valuesIn = (module: object, path: string): ReadonlyArray<string> =>
  Object.entries(module).flatMap(([name, value]) => [
    `${path}${name}`,
    ...(nodeTypes.isModuleNamespaceObject(value) ? valuesIn(value as object, `${path}${name}.`) : []),
  ])

const valuesOf = async (source: string): Promise<ReadonlyArray<string>> => valuesIn((await import(source)) as object, '')

describe('the public names', () => {
  it.each(entries)('of $entry are those written down', async ({ source, golden }) => {
    const names = [...[...(await valuesOf(source))].sort(), ...[...typesOf(source)].sort()].map((name) => `${name}\n`)
    if (process.env['GOLDEN'] === 'write') writeFileSync(fileOf(golden), names.join(''))
    // A difference is either a mistake or a line for the CHANGELOG; `GOLDEN=write npm test` accepts it.
    expect(names.join('')).toBe(readFileSync(fileOf(golden), 'utf8'))
  })

  it('of the root entry are those that an application needs: at most 140', () => {
    expect(readFileSync(fileOf('./surface/index.txt'), 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(140)
  })
})
