import ts from 'typescript'
import type { Source } from './source.js'

/** Where each comment of a source begins and ends. Texts that only look like one, inside strings, are none. */
const commentsOf = ({ text, tree }: Source): ReadonlyArray<ts.CommentRange> => {
  const comments = new Map<number, ts.CommentRange>()
  const visit = (node: ts.Node): void => {
    const children = node.getChildren(tree)
    if (children.length > 0) return children.forEach(visit)
    const around = [...(ts.getLeadingCommentRanges(text, node.pos) ?? []), ...(ts.getTrailingCommentRanges(text, node.end) ?? [])]
    for (const comment of around) comments.set(comment.pos, comment)
  }
  visit(tree)
  return [...comments.values()]
}

/** Code in an example may be as wide as other code. */
const widestCode = 140

/**
 * `path:line` of each line with a comment that has more than `most` characters. Directives for eslint stay on one line.
 */
export const commentLinesLongerThan =
  (most: number) =>
  (source: Source): ReadonlyArray<string> => {
    const { path, text, tree } = source
    const lines = text.split('\n')
    const lineAt = (position: number): number => tree.getLineAndCharacterOfPosition(position).line
    const commented = commentsOf(source).flatMap(({ pos, end }) =>
      Array.from({ length: lineAt(end) - lineAt(pos) + 1 }, (_, i) => lineAt(pos) + i),
    )
    const examples = new Set(
      commentsOf(source).flatMap(({ pos, end }) => {
        const example = text.slice(pos, end).indexOf('@example')
        return example < 0 ? [] : Array.from({ length: lineAt(end) - lineAt(pos + example) }, (_, i) => lineAt(pos + example) + 1 + i)
      }),
    )
    return [...new Set(commented)]
      .filter(
        (line) =>
          lines[line]!.length > (examples.has(line) ? widestCode : most) && !/\/\/ (eslint-disable|prettier-ignore)/.test(lines[line]!),
      )
      .map((line) => `${path}:${line + 1}`)
  }
