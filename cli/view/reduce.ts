import { function as F } from 'fp-ts'
import { type Draft, produce } from 'immer'
import { maxNotes, maxSeconds, type Mood, type Row, type View } from './model.js'

/** What the view is told. `at` is milliseconds since the Unix epoch. */
export type Told =
  /** Where a server stands now. */
  | { readonly _tag: 'Standing'; readonly server: string; readonly standing: Partial<Omit<Row, 'server' | 'endpoint'>> }
  | Happened
  /** A second has passed. */
  | { readonly _tag: 'Second'; readonly at: number }

/** Something worth a line. */
export interface Happened {
  readonly _tag: 'Happened'
  readonly at: number
  readonly server: string
  readonly mood: Mood
  readonly text: string
}

/** The view after `told`; unchanged means identical. */
export const reduce = (view: View, told: Told): View =>
  produce(view, (draft) => {
    switch (told._tag) {
      case 'Standing':
        return stand(draft, told.server, told.standing)
      case 'Happened':
        return note(draft, told)
      case 'Second':
        return second(draft, told.at)
      default:
        return F.absurd(told)
    }
  })

const stand = (draft: Draft<View>, server: string, standing: Partial<Row>): void => {
  const row = draft.rows.find((one) => one.server === server)
  // What it last said of itself may still be on its way when it has stopped.
  if (row !== undefined && row.role !== 'Stopped') Object.assign(row, standing)
}

const note = (draft: Draft<View>, { at, server, mood, text }: Happened): void => {
  const last = draft.notes.at(-1)
  if (last?.server === server && last.text === text) {
    last.at = at
    last.times++
    return
  }
  draft.notes.push({ at, server, mood, text, times: 1 })
  if (draft.notes.length > maxNotes) draft.notes.shift()
}

const second = (draft: Draft<View>, at: number): void => {
  draft.now = at
  draft.commits.push(Math.max(...draft.rows.map(({ commitIndex }) => commitIndex)))
  if (draft.commits.length > maxSeconds) draft.commits.shift()
}
