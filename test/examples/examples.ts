import ts from 'typescript'
import { entries, type Entry, importedAs, programOf, sourceOf } from './typeErrors.js'

/** An example of a doc comment: `rxraft/kv createClient`, and its text. */
export interface Example {
  readonly entry: Entry
  readonly name: string
  readonly code: string
}

/**
 * What an entry exports, or an option that it takes: `createClient`, `ClientOptions.endpoints`, with the examples that
 * show it.
 */
export interface Shown {
  readonly entry: Entry
  readonly name: string
  readonly isShown: boolean
}

const program = programOf(new Map(), ...entries.map((entry) => `streams/${entry}.ts`))
const checker = program.getTypeChecker()

interface Exported {
  readonly name: string
  readonly symbol: ts.Symbol
}

/** The exports of a module, those of a namespace by their path. */
const exportsOf = (module: ts.Symbol, path = ''): ReadonlyArray<Exported> =>
  checker.getExportsOfModule(module).flatMap((symbol) => {
    const exported = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
    const name = path + symbol.name
    return exported.flags & ts.SymbolFlags.Module ? exportsOf(exported, `${name}.`) : [{ name, symbol: exported }]
  })

export const exportsOfEntry = (entry: Entry): ReadonlyArray<Exported> =>
  exportsOf(checker.getSymbolAtLocation(program.getSourceFile(sourceOf(entry))!)!)

const examplesIn = (symbol: ts.Symbol): ReadonlyArray<string> =>
  symbol
    .getJsDocTags(checker)
    .filter(({ name }) => name === 'example')
    .map(({ text }) => ts.displayPartsToString(text))

const membersOf = ({ members }: ts.Symbol): ReadonlyArray<ts.Symbol> => [...(members?.values() ?? [])]

const examplesOfEntry = (entry: Entry): ReadonlyArray<Example> =>
  exportsOfEntry(entry).flatMap(({ name, symbol }) =>
    [[name, symbol] as const, ...membersOf(symbol).map((member) => [`${name}.${member.name}`, member] as const)].flatMap(([name, symbol]) =>
      examplesIn(symbol).map((code) => ({ entry, name, code })),
    ),
  )

export const examples: ReadonlyArray<Example> = entries.flatMap(examplesOfEntry)

const says = (code: string, name: string): boolean => new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}(?![\\w$])`).test(code)

const isOptions = ({ name }: ts.Symbol): boolean => /(Options|Tuning|Settings|Faults|Sinks)$/.test(name)

/**
 * Which exports and options of an entry an example shows. A value has one of its own. A type has one of its own, or is
 * named in another of that entry. An option is in the example of its interface, or has one.
 */
export const shownBy = (entry: Entry): ReadonlyArray<Shown> => {
  const here = examples.filter((example) => example.entry === entry)
  return exportsOfEntry(entry).flatMap(({ name, symbol }) => {
    const own = examplesIn(symbol)
    const isValue = Boolean(symbol.flags & ts.SymbolFlags.Value)
    const isShown = own.length > 0 || (!isValue && here.some(({ code }) => says(code, name.replace(/^.*\./, ''))))
    const options = symbol.flags & ts.SymbolFlags.Interface && isOptions(symbol) ? membersOf(symbol) : []
    return [
      { entry, name, isShown },
      ...options.map((option) => ({
        entry,
        name: `${name}.${option.name}`,
        isShown: examplesIn(option).length > 0 || own.some((code) => says(code, option.name)),
      })),
    ]
  })
}

const importsIn = (code: string): ReadonlyArray<string> => code.match(/^import .*$/gm) ?? []

interface Scope {
  readonly from: string
  readonly names: ReadonlyArray<string>
}

/** The names of an entry, its namespaces whole; what it exports as a type only cannot be imported as a value. */
const scopeOf = (entry: Entry): Scope => ({
  from: importedAs(entry),
  names: [...new Set(exportsOfEntry(entry).map(({ name }) => name.replace(/\..*$/, '')))],
})

/** Those of a namespace, for the examples inside of it. */
const scopeIn = (entry: Entry, namespace: string): Scope => ({
  from: '../../src/kv/index.js',
  names: exportsOfEntry(entry).flatMap(({ name }) => (name.startsWith(namespace) ? [name.slice(namespace.length)] : [])),
})

/**
 * An example as a file. In scope are the names of its namespace and entry, of rxjs, and for
 * all entries but the root also those of the root and of the core; where two have a name, the first counts.
 * The names that it uses without saying so are in prelude.d.ts; all others it imports.
 */
export const fileOf = ({ entry, name, code }: Example, rxjs: ReadonlyArray<string>): readonly [string, string] => {
  const shown = importsIn(code)
  const [namespace] = /^\w+\.(?=\w+$)/.exec(name) ?? ['']
  const isInNamespace = exportsOfEntry(entry).some((exported) => exported.name === name) && namespace !== ''
  const scopes = [
    ...(isInNamespace ? [scopeIn(entry, namespace)] : []),
    scopeOf(entry),
    ...(entry === 'index' ? [] : [scopeOf('index'), scopeOf('core')]),
    { from: 'rxjs', names: rxjs },
  ]
  const taken = new Set(shown.flatMap((line) => line.replace(/ from .*/, '').match(/\w+/g) ?? []))
  const imports = scopes.map(({ from, names }) => {
    const free = names.filter((name) => /^[A-Za-z]\w*$/.test(name) && !taken.has(name))
    for (const name of free) taken.add(name)
    return `import { ${free.join(', ')} } from '${from}'`
  })
  return [
    `test/examples/${entry}.${name}.ts`.replace(/[^\w./]/g, '_'),
    `${[...shown, ...imports].join('; ')}\nexport const example = async () => {\n${code.replace(/^import .*\n?/gm, '')}\n}\n`,
  ]
}
