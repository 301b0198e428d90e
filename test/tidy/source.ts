import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A file of ours, parsed: comments and the insides of strings are no part of what the tests below look at. */
export interface Source {
  /** From the root of the repository, with `/`. */
  readonly path: string
  readonly text: string
  readonly tree: ts.SourceFile
}

export const parse = (path: string, text: string): Source => ({
  path,
  text,
  tree: ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true),
})

const read = (path: string): Source => parse(path, readFileSync(join(root, path), 'utf8'))

/** Every TypeScript file in the folders; a folder that does not exist has none. */
export const sourcesIn = (...folders: ReadonlyArray<string>): ReadonlyArray<Source> =>
  folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`))
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map(read)

/** A node and all nodes inside of it. */
export const nodesOf = (node: ts.Node): ReadonlyArray<ts.Node> => {
  const nodes: ts.Node[] = [node]
  ts.forEachChild(node, (child) => void nodes.push(...nodesOf(child)))
  return nodes
}

/** `path:line text` of each node of the source that offends. */
export const offences = (source: Source, offends: (node: ts.Node) => boolean): ReadonlyArray<string> =>
  nodesOf(source.tree)
    .filter(offends)
    .map((node) => `${source.path}:${source.tree.getLineAndCharacterOfPosition(node.getStart()).line + 1} ${node.getText()}`)

/** Whether a node is a name, `Date`, or a path of names, `Math.random`, that matches. */
export const isNamed =
  (pattern: RegExp) =>
  (node: ts.Node): boolean =>
    (ts.isIdentifier(node) || ts.isPropertyAccessExpression(node)) && pattern.test(node.getText())

export interface Import {
  /** A package as it is written, `rxjs`; a file of ours by its path, `src/raft/state/log.ts`. */
  readonly target: string
  /** What a relative import says after its last dot. */
  readonly written: string
  /** The values it takes by name: none for `import type`. */
  readonly values: ReadonlyArray<string>
}

const valuesOf = (node: ts.ImportDeclaration | ts.ExportDeclaration): ReadonlyArray<string> => {
  const bindings = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : node.exportClause
  const typeOnly = ts.isImportDeclaration(node) ? node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword : node.isTypeOnly
  if (typeOnly || bindings === undefined || !(ts.isNamedImports(bindings) || ts.isNamedExports(bindings))) return []
  return bindings.elements.filter((element) => !element.isTypeOnly).map(({ propertyName, name }) => (propertyName ?? name).text)
}

/**
 * What a source imports, re-exports, imports later, or names in a type. Types count: a declaration file needs them too.
 */
export const importsOf = ({ path, tree }: Source): ReadonlyArray<Import> =>
  nodesOf(tree).flatMap((node): ReadonlyArray<Import> => {
    const declaration = ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
    const specifier = declaration
      ? node.moduleSpecifier
      : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
        ? node.arguments[0]
        : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
          ? node.argument.literal
          : undefined
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return []
    const written = specifier.text
    const target = written.startsWith('.') ? normalize(join(path, '..', written)).replace(/\.js$/, '.ts') : written
    return [{ target, written, values: declaration ? valuesOf(node) : [] }]
  })

/** The files of ours that the given ones reach through imports, themselves included. */
export const reachedFrom = (...entries: ReadonlyArray<string>): ReadonlyArray<Source> => {
  const reached = new Map<string, Source>()
  const visit = (path: string): void => {
    if (reached.has(path) || !existsSync(join(root, path))) return
    const source = read(path)
    reached.set(path, source)
    for (const { target, written } of importsOf(source)) if (written.startsWith('.')) visit(target)
  }
  entries.forEach(visit)
  return [...reached.values()]
}
