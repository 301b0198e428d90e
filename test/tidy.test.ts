import { describe, expect, it } from '@jest/globals'
import ts from 'typescript'
import { circlesAmong } from './tidy/circles.js'
import { commentLinesLongerThan } from './tidy/comments.js'
import { functionsLongerThan } from './tidy/functions.js'
import { longProse, pages } from './tidy/prose.js'
import { type Import, importsOf, isNamed, offences, parse, reachedFrom, type Source, sourcesIn } from './tidy/source.js'

/** `path → target` for each import of a source that offends. */
const imports =
  (offends: (imported: Import, path: string) => boolean) =>
  (source: Source): ReadonlyArray<string> =>
    importsOf(source)
      .filter((imported) => offends(imported, source.path))
      .map(({ target }) => `${source.path} → ${target}`)

const words =
  (offends: (node: ts.Node) => boolean) =>
  (source: Source): ReadonlyArray<string> =>
    offences(source, offends)

const isOurs = ({ written }: Import): boolean => written.startsWith('.')
const isIn = (path: string, ...folders: ReadonlyArray<string>): boolean =>
  folders.some((folder) => path === folder || path.startsWith(`${folder}/`))

const shell = ['src', 'streams', 'cli']
const ours = [...shell, 'test', 'marbles', 'bench']
const everything = [...ours, 'examples']

const clocksDiceAndWires = isNamed(
  new RegExp(
    `^(${[
      'Date|performance|crypto|set(Timeout|Interval|Immediate)|queueMicrotask|MessageChannel|process|Buffer|console|fetch|Promise|WeakRef',
      'TextEncoder|TextDecoder|structuredClone|globalThis',
      // What differs between machines: locales, and functions of which the language leaves the last digit open.
      'Intl|localeCompare|toLocale\\w+',
      'Math\\.(random|exp|expm1|pow|log\\w*|a?(sin|cos|tan)h?|atan2|cbrt|hypot)',
    ].join('|')})$`,
  ),
)

const isWaiting = (node: ts.Node): boolean =>
  ts.isAwaitExpression(node) || node.kind === ts.SyntaxKind.AsyncKeyword || node.kind === ts.SyntaxKind.AwaitKeyword

const isInstanceOfObservable = (node: ts.Node): boolean =>
  ts.isBinaryExpression(node) &&
  node.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword &&
  /\b(Observable|Subject)$/.test(node.right.getText())

interface Rule {
  readonly sentence: string
  readonly folders: ReadonlyArray<string>
  readonly offends: (source: Source) => ReadonlyArray<string>
  /** A file that breaks the rule: the rule must see it. */
  readonly caught: readonly [path: string, text: string]
}

const rules: ReadonlyArray<Rule> = [
  {
    sentence: 'src reads no clock, no dice and no wires',
    folders: ['src'],
    offends: words((node) => clocksDiceAndWires(node) || isWaiting(node)),
    caught: ['src/raft/step.ts', 'const drawn = /* no Date here */ Math.random()'],
  },
  {
    sentence: 'streams reads no clock on the wall, and the monotonic one in clock.ts only',
    folders: ['streams'],
    offends: (source) =>
      offences(source, isNamed(source.path === 'streams/time/clock.ts' ? /^Date$/ : /^(Date|performance|process\.(hrtime|uptime))$/)),
    caught: ['streams/sinks/heartbeat.ts', 'const at = Date.now()'],
  },
  {
    sentence: 'src imports immer, io-ts, fp-ts, sorted-btree and itself',
    folders: ['src'],
    offends: imports((i) => (isOurs(i) ? !isIn(i.target, 'src') : !['immer', 'io-ts', 'fp-ts', 'sorted-btree'].includes(i.target))),
    caught: ['src/raft/step.ts', "import { of } from 'rxjs'"],
  },
  {
    sentence: 'src/raft knows nothing of what it replicates',
    folders: ['src/raft'],
    offends: imports((i) => isIn(i.target, 'src/kv')),
    caught: ['src/raft/rules/leaders.ts', "import type { Store } from '../../kv/store.js'"],
  },
  {
    sentence: 'src makes no draft of immer’s: a step writes to a copy of its own (docs/decisions/0002)',
    folders: ['src'],
    offends: imports(
      ({ target, values }) =>
        target === 'immer' &&
        values.some((name) => ['produce', 'produceWithPatches', 'createDraft', 'finishDraft', 'Immer'].includes(name)),
    ),
    caught: ['src/raft/step.ts', "import { type Draft, produce } from 'immer'"],
  },
  {
    sentence: 'streams imports src, itself, rxjs and the libraries of src, and node: where bytes leave the process',
    folders: ['streams'],
    offends: imports((i, path) =>
      isOurs(i)
        ? !isIn(i.target, 'src', 'streams')
        : i.target.startsWith('node:')
          ? !isIn(path, 'streams/network', 'streams/storage', 'streams/kv', 'streams/node.ts')
          : !['rxjs', 'immer', 'io-ts', 'fp-ts'].includes(i.target) && !(i.target === 'rxjs/testing' && isIn(path, 'streams/testing')),
    ),
    caught: ['streams/time/clock.ts', "import { hrtime } from 'node:process'"],
  },
  {
    sentence: 'the gateway of the store speaks no protocol: streams/kv/gateway imports nothing of node: and nothing of streams/kv/http',
    folders: ['streams/kv/gateway'],
    offends: imports((i) => i.target.startsWith('node:') || isIn(i.target, 'streams/kv/http')),
    caught: ['streams/kv/gateway/gateway.ts', "import type { HttpAnswer } from '../http/answer.js'"],
  },
  {
    sentence: 'cli imports src, streams, itself, commander, node: and the libraries of the others',
    folders: ['cli'],
    offends: imports((i) =>
      isOurs(i)
        ? !isIn(i.target, 'src', 'streams', 'cli')
        : !i.target.startsWith('node:') && !['commander', 'rxjs', 'immer', 'io-ts', 'fp-ts'].includes(i.target),
    ),
    caught: ['cli/main.ts', "import { marbles } from '../marbles/marbles.js'"],
  },
  {
    sentence: 'schedulers are named where time is made, and nowhere else',
    folders: shell,
    offends: imports(
      ({ target, values }, path) =>
        target.startsWith('rxjs') &&
        values.some((name) => /Scheduler$|^TestScheduler$/.test(name)) &&
        !isIn(
          path,
          'streams/time/clock.ts',
          'streams/time/heapScheduler.ts',
          'streams/loop/run.ts',
          'streams/loop/raft.ts',
          'streams/testing',
        ),
    ),
    caught: ['streams/sinks/heartbeat.ts', "import { asyncScheduler } from 'rxjs'"],
  },
  {
    sentence: 'the library writes nothing to the console and ends nobody’s process',
    folders: ['src', 'streams'],
    offends: words(isNamed(/^(console|process\.(exit|exitCode|abort|kill))$/)),
    caught: ['streams/loop/raft.ts', 'process.exit(1)'],
  },
  {
    sentence: 'an Observable of another copy of rxjs is one too: no instanceof',
    folders: shell,
    offends: words(isInstanceOfObservable),
    caught: ['streams/loop/raft.ts', 'const isStream = (x: unknown) => x instanceof Observable'],
  },
  {
    sentence: 'libraries are imported by their bare names, which alone resolve everywhere',
    folders: everything,
    offends: imports(({ target }) => /^(fp-ts|io-ts|immer|sorted-btree|rxjs)\/(?!testing$)/.test(target)),
    caught: ['src/raft/messages.ts', "import { pipe } from 'fp-ts/function'"],
  },
  {
    sentence: 'our own files are imported with the ending that they will have',
    folders: everything,
    offends: imports((i) => isOurs(i) && !i.written.endsWith('.js')),
    caught: ['src/raft/state/log.ts', "export { entry } from './entry'"],
  },
  {
    sentence: 'a file is read in one go: at most 350 lines',
    folders: shell,
    offends: ({ path, text }) => (text.split('\n').length > 351 ? [path] : []),
    caught: ['streams/loop/raft.ts', '\n'.repeat(351)],
  },
]

describe('the shape of the source', () => {
  it.each(rules)('$sentence', ({ folders, offends }) => {
    expect(sourcesIn(...folders).flatMap(offends)).toEqual([])
  })

  it.each(rules)('a breach is seen: $sentence', ({ offends, caught: [path, text] }) => {
    expect(offends(parse(path, text))).toHaveLength(1)
  })

  it('finds something to look at', () => {
    expect(sourcesIn('src/raft').length).toBeGreaterThan(10)
  })
})

describe('no file imports itself over others, neither at run time nor by type', () => {
  it('in src, streams, cli, test, marbles and bench', () => {
    expect(circlesAmong(sourcesIn(...ours))).toEqual([])
  })

  it('a breach is seen, once for each circle, also where a type closes it', () => {
    const sources = [
      parse('src/a.ts', "import { b } from './b.js'\nimport { d } from './d.js'"),
      parse('src/b.ts', "export { c } from './c.js'"),
      parse('src/c.ts', "import type { A } from './a.js'"),
      parse('src/d.ts', "export type E = import('./e.js').E"),
      parse('src/e.ts', "import { d } from './d.js'"),
      parse('src/f.ts', "import { a } from './a.js'\nimport { of } from 'rxjs'"),
      parse('src/g.ts', "import { g } from './g.js'"),
    ]
    expect(circlesAmong(sources)).toEqual([['src/a.ts', 'src/b.ts', 'src/c.ts'], ['src/d.ts', 'src/e.ts'], ['src/g.ts']])
  })
})

describe('no function in streams is longer than 70 lines', () => {
  const tooLong = functionsLongerThan(70)

  it('wherever it stands', () => {
    expect(sourcesIn('streams').flatMap(tooLong)).toEqual([])
  })

  it('a breach is seen, in functions, methods and functions inside of others', () => {
    const lines = (count: number): string => 'work()\n'.repeat(count)
    const seen = (text: string): ReadonlyArray<string> => tooLong(parse('streams/a.ts', text))
    expect(seen(`const f = () => {\n${lines(68)}}`)).toEqual([])
    expect(seen(`const f = () => {\n${lines(69)}}`)).toEqual(['streams/a.ts f'])
    expect(seen(`class A {\n  m() {\n${lines(69)}}\n}`)).toEqual(['streams/a.ts m'])
    expect(seen(`const f = () => {\n  const g = () => {\n${lines(68)}  }\n}`)).toEqual(['streams/a.ts f'])
  })

  it('a function that another one returns counts for itself only', () => {
    const inner = `() => {\n${'work()\n'.repeat(68)}}`
    expect(tooLong(parse('streams/a.ts', `const f = () => ${inner}`))).toEqual([])
    expect(tooLong(parse('streams/a.ts', `const f = () => {\n  prepare()\n  return ${inner}\n}`))).toEqual([])
  })
})

describe('lines with comments have at most 120 characters', () => {
  const tooLong = commentLinesLongerThan(120)
  it('in src, streams, cli, test, marbles and bench', () => {
    expect(sourcesIn(...ours).flatMap(tooLong)).toEqual([])
  })

  it('a breach is seen, in every kind of comment and nowhere else', () => {
    const long = 'x'.repeat(120)
    const text = [
      `// ${long}`,
      '/**',
      ` * ${long}`,
      ' */',
      `const a = 1 // ${long}`,
      `const b = '// ${long}'`,
      `const c = \`/* ${long} */\``,
    ]
    expect(tooLong(parse('src/a.ts', text.join('\n')))).toEqual(['src/a.ts:1', 'src/a.ts:3', 'src/a.ts:5'])
    expect(tooLong(parse('src/a.ts', `// ${'x'.repeat(117)}`))).toEqual([])
    expect(tooLong(parse('src/a.ts', `// ${'x'.repeat(118)}`))).toEqual(['src/a.ts:1'])
  })
})

describe('what a browser loads', () => {
  const browser = reachedFrom(...['index', 'core', 'kv', 'testing', 'lab'].map((entry) => `streams/${entry}.ts`))
  const leaves = imports((i) => i.target.startsWith('node:') || isIn(i.target, 'cli') || i.target === 'commander')

  it('reaches no module of Node and no command', () => {
    expect(browser.flatMap(leaves)).toEqual([])
  })

  it('names no global that only Node has', () => {
    expect(browser.flatMap((source) => offences(source, isNamed(/^(process|Buffer|require|__dirname|__filename|global)$/)))).toEqual([])
  })

  it('is found by following imports into src', () => {
    expect(browser.map(({ path }) => path)).toContain('src/raft/step.ts')
  })

  it('is not what this test loads: there the same search finds modules of Node', () => {
    expect(reachedFrom('test/tidy.test.ts').flatMap(leaves)).toContain('test/tidy/source.ts → node:fs')
  })
})

describe('what an entry pulls in', () => {
  const packages = (entry: string): ReadonlyArray<string> =>
    reachedFrom(entry).flatMap((source) => importsOf(source).flatMap((i) => (isOurs(i) ? [] : [i.target])))

  it.each(['index', 'core', 'lab', 'testing'])('streams/%s.ts reaches neither the store nor its tree', (entry) => {
    const paths = reachedFrom(`streams/${entry}.ts`).map(({ path }) => path)
    expect(paths.filter((path) => isIn(path, 'src/kv', 'streams/kv', 'streams/kv.ts'))).toEqual([])
    expect(packages(`streams/${entry}.ts`)).not.toContain('sorted-btree')
  })

  it('streams/kv.ts reaches both: the search finds them where they are', () => {
    expect(packages('streams/kv.ts')).toContain('sorted-btree')
  })

  it('streams/core.ts needs no rxjs', () => {
    expect(packages('streams/core.ts')).not.toContain('rxjs')
  })

  it.each(['index', 'core', 'kv', 'node', 'testing', 'lab'])('streams/%s.ts names each of its exports', (entry) => {
    const [source] = reachedFrom(`streams/${entry}.ts`)
    expect(offences(source!, (node) => ts.isExportDeclaration(node) && node.exportClause === undefined)).toEqual([])
  })
})

describe('lines of prose have at most 120 characters', () => {
  const tooLong = longProse(120)

  it('in the pages at the root and in docs', () => {
    expect(pages().map(({ path }) => path)).toEqual(expect.arrayContaining(['CHANGELOG.md', 'README.md', 'docs/decisions/README.md']))
    expect(pages().flatMap(tooLong)).toEqual([])
  })

  it('a breach is seen, outside of tables, code blocks and the targets of links', () => {
    const long = 'x'.repeat(121)
    const text = [long, `- ${long}`, `| ${long} |`, '```', long, '```', `[a link](${long})`, `    ${long}`, 'x'.repeat(120), `# ${long}`]
    expect(tooLong({ path: 'a.md', text: text.join('\n') })).toEqual(['a.md:1', 'a.md:2', 'a.md:10'])
  })
})
