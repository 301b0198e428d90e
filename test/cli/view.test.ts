import { describe, expect, it } from '@jest/globals'
import { bar, count, duration, size, sparkline } from '../../cli/view/format.js'
import { initialView, maxNotes, maxSeconds, type Row, type View } from '../../cli/view/model.js'
import { fit, piece, printLine, widthOf } from '../../cli/view/paint.js'
import { reduce, type Told } from '../../cli/view/reduce.js'
import { render } from '../../cli/view/render.js'
import { paint } from '../../cli/view/screen.js'

const servers = ['n1', 'n2', 'n3'].map((server, i) => ({ server, endpoint: `http://127.0.0.1:${7401 + i}` }))
const beginning = initialView({ title: 'three servers, data in ./data', hint: 'npx rxraft put greeting hello', at: 0, servers })

const standing = (server: string, row: Partial<Row>): Told => ({ _tag: 'Standing', server, standing: row })
const happened = (server: string, text: string, mood: 'Plain' | 'Good' | 'Bad' = 'Plain'): Told => ({
  _tag: 'Happened',
  at: 0,
  server,
  mood,
  text,
})
const second = (at: number): Told => ({ _tag: 'Second', at })
const after = (...told: ReadonlyArray<Told>): View => told.reduce(reduce, beginning)

const log = { term: 12, leader: 'n1', lastApplied: 102_334, snapshotIndex: 99_999, logBytes: 9_940_000, diskBytes: 67_108_864 }
const busy = after(
  standing('n1', { ...log, role: 'Leader', commitIndex: 102_334 }),
  standing('n2', { ...log, role: 'Follower', commitIndex: 102_330 }),
  standing('n3', { role: 'Stopped', term: 11 }),
  happened('n1', 'stands for election in term 12'),
  happened('n1', 'won term 12', 'Good'),
  happened('n1', 'n3 does not answer', 'Bad'),
  second(60_000),
)
const plain = (columns: number, rows: number, view = busy) => render(view, { columns, rows, colour: false })

describe('what is told becomes the view', () => {
  it('keeps what it was not told, the identical object where nothing changed', () => {
    const view = after(standing('n2', { term: 3 }))
    expect(view.rows.map(({ term }) => term)).toEqual([0, 3, 0])
    expect(view.rows[0]).toBe(beginning.rows[0])
    expect(reduce(view, standing('n2', { term: 3 }))).toBe(view)
    expect(reduce(view, standing('n9', { term: 3 }))).toBe(view)
  })

  it('takes no word of a server that has stopped', () => {
    const view = after(standing('n1', { role: 'Stopped', leader: null }), standing('n1', { role: 'Follower', term: 9 }))
    expect(view.rows[0]).toMatchObject({ role: 'Stopped', term: 0 })
  })

  it('counts what happens again at once', () => {
    const view = after(happened('n1', 'a'), happened('n1', 'a'), happened('n2', 'a'), happened('n1', 'a'))
    expect(view.notes.map(({ server, times }) => [server, times])).toEqual([
      ['n1', 2],
      ['n2', 1],
      ['n1', 1],
    ])
  })

  it('is bounded', () => {
    const notes = Array.from({ length: maxNotes + 5 }, (_, i) => happened('n1', String(i)))
    const seconds = Array.from({ length: maxSeconds + 5 }, (_, i) => second(i))
    const view = after(...notes, ...seconds)
    expect([view.notes.length, view.notes[0]?.text]).toEqual([maxNotes, '5'])
    expect(view.commits).toHaveLength(maxSeconds)
  })
})

describe('the view becomes lines', () => {
  it('shows everything at 120 columns', () => {
    const lines = plain(120, 14)
    expect(lines.slice(0, 6)).toEqual([
      'rxraft  three servers, data in ./data' + ' '.repeat(70) + 'up 1 min 00 s',
      '',
      '  SERVER  ROLE       TERM  LEADER     COMMIT    APPLIED   SNAPSHOT     LOG    DISK  HTTP          ',
      '● n1      leader       12  n1        102,334    102,334     99,999  9.9 MB   67 MB  127.0.0.1:7401',
      '○ n2      follower     12  n1        102,330    102,334     99,999  9.9 MB   67 MB  127.0.0.1:7402',
      '× n3      stopped      11  –               0          0          –     0 B     0 B  127.0.0.1:7403',
    ])
    expect(lines).toHaveLength(14)
    expect(lines.at(-1)).toMatch(/^try {2}npx rxraft put greeting hello .*Ctrl-C stops$/)
  })

  it('tells the latest first', () => {
    const told = plain(80, 20)
      .slice(8, 11)
      .map((line) => line.replace(/^\S+/, 'TIME'))
    expect(told).toEqual(['TIME  n1  n3 does not answer', 'TIME  n1  won term 12', 'TIME  n1  stands for election in term 12'])
  })

  it.each([20, 30, 40, 60, 80, 100, 120, 200].flatMap((columns) => [1, 3, 5, 8, 10, 24, 50].map((rows) => ({ columns, rows }))))(
    'fits into $columns × $rows, and shows every server that there is room for',
    ({ columns, rows }) => {
      const lines = plain(columns, rows)
      expect(lines.length).toBeLessThanOrEqual(rows)
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns)
      const named = ['n1', 'n2', 'n3'].filter((server) => lines.some((line) => line.startsWith(server, 2)))
      expect(named).toHaveLength(Math.min(3, rows - 1))
    },
  )

  it('drops columns one by one, the name and the role last', () => {
    const headings = [100, 90, 86, 70, 60, 50, 40, 30, 20].map((columns) => plain(columns, 20)[2]?.trim().replace(/ +/g, ' '))
    expect(headings).toEqual([
      'SERVER ROLE TERM LEADER COMMIT APPLIED SNAPSHOT LOG DISK HTTP',
      'SERVER ROLE TERM LEADER COMMIT APPLIED LOG DISK HTTP',
      'SERVER ROLE TERM LEADER COMMIT APPLIED LOG DISK',
      'SERVER ROLE TERM LEADER COMMIT APPLIED DISK',
      'SERVER ROLE TERM LEADER COMMIT APPLIED',
      'SERVER ROLE TERM COMMIT APPLIED',
      'SERVER ROLE COMMIT',
      'SERVER ROLE COMMIT',
      'SERVER ROLE',
    ])
  })

  it('has the same text with and without colours', () => {
    const coloured = render(busy, { columns: 100, rows: 20, colour: true }).join('\n')
    expect(coloured).toContain('\u001b[')
    // eslint-disable-next-line no-control-regex
    expect(coloured.replace(/\u001b\[[\d;]*m/g, '')).toBe(plain(100, 20).join('\n'))
  })

  it('lets nothing that a server says steer the terminal', () => {
    const lines = plain(80, 20, after(happened('n1', 'refused \u001b[2J\u0007 you')))
    expect(lines.join()).not.toContain('\u001b')
    expect(lines.join()).toContain('refused ·[2J· you')
  })
})

describe('a frame after a frame', () => {
  it('writes only the lines that differ', () => {
    expect(paint(['a', 'b', 'c'], ['a', 'x', 'c'])).toBe('\u001b[2;1H\u001b[Kx')
    expect(paint(['a'], ['a'])).toBe('')
  })

  it('clears what is below, and everything where it is unknown what is there', () => {
    expect(paint(['a', 'b'], ['a'])).toBe('\u001b[2;1H\u001b[J')
    expect(paint(null, ['a'])).toBe('\u001b[2;1H\u001b[J\u001b[1;1H\u001b[Ka')
  })
})

describe('lines of pieces', () => {
  it('are cut at the edge', () => {
    const line = [piece('abc'), piece('def', 'red')]
    expect(printLine(fit(line, 6), false)).toBe('abcdef')
    expect(printLine(fit(line, 5), false)).toBe('abcd…')
    expect(printLine(fit(line, 3), false)).toBe('ab…')
    expect(widthOf(fit(line, 1))).toBe(1)
  })
})

describe('figures', () => {
  it('are written for people', () => {
    expect([0, 999, 1_000, 1_234_567].map(count)).toEqual(['0', '999', '1,000', '1,234,567'])
    expect([0, 999, 1_000, 9_949, 9_950, 999_499, 999_500, 64e6, 3.2e15].map(size)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '9.9 kB',
      '10 kB',
      '999 kB',
      '1.0 MB',
      '64 MB',
      '3,200 TB',
    ])
    expect([0, 59_999, 60_000, 3_599_000, 3_600_000, 93_600_000].map(duration)).toEqual([
      '0 s',
      '59 s',
      '1 min 00 s',
      '59 min 59 s',
      '1 h 00 min',
      '1 d 02 h',
    ])
    expect(sparkline([0, 1, 4, 8])).toBe('·▂▅█')
    expect([-1, 0, 0.5, 1, 2].map((part) => bar(part, 4))).toEqual(['░░░░', '░░░░', '██░░', '████', '████'])
  })
})
