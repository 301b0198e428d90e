import ts from 'typescript'
import { nodesOf, type Source } from './source.js'

type WithBody = ts.FunctionLikeDeclaration & { readonly body: ts.Node }

const isFunction = (node: ts.Node): node is WithBody => ts.isFunctionLike(node) && 'body' in node && node.body !== undefined

/** The functions that a function returns as they stand: `b` of `(a) => (b) => …`, also after some statements. */
const returnedBy = ({ body }: WithBody): ReadonlyArray<WithBody> => {
  const results = ts.isBlock(body)
    ? body.statements.flatMap((statement) => (ts.isReturnStatement(statement) && statement.expression ? [statement.expression] : []))
    : [body]
  return results.filter((node): node is ts.Expression & WithBody => isFunction(node))
}

const nameOf = (node: ts.Node): string => {
  const named = ts.isVariableDeclaration(node) || ts.isPropertyAssignment(node) || ts.isPropertyDeclaration(node)
  if (named || (isFunction(node) && node.name !== undefined)) return (node as ts.NamedDeclaration).name!.getText()
  return node.parent === undefined ? '' : nameOf(node.parent)
}

/**
 * `path name` of each function of which the body has more than `most` lines. A function that it returns
 * counts for itself only: `(options) => (event$) => …` is no longer than its inner function.
 * Other functions inside count for both.
 */
export const functionsLongerThan =
  (most: number) =>
  ({ path, tree }: Source): ReadonlyArray<string> => {
    const lineAt = (position: number): number => tree.getLineAndCharacterOfPosition(position).line
    const linesOf = (node: ts.Node): number => lineAt(node.getEnd()) - lineAt(node.getStart()) + 1
    const lengthOf = (it: WithBody): number => returnedBy(it).reduce((length, { body }) => length - linesOf(body), linesOf(it.body))
    const tooLong = nodesOf(tree).filter((node): node is WithBody => isFunction(node) && lengthOf(node) > most)
    return [...new Set(tooLong.map((node) => `${path} ${nameOf(node)}`))]
  }
