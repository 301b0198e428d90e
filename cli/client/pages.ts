import { lastValueFrom } from 'rxjs'
import { key, keyOfBytes, revision as asRevision, withPrefix } from '../../src/kv/index.js'
import { itemOf } from '../../streams/kv/client/items.js'
import { type Client, ClientError, type KvItem } from '../../streams/kv.js'

export interface Listing {
  readonly prefix: string
  /** As it was right after that one; null: as it is when the first page is read. */
  readonly revision: number | null
  /** At most so many keys in all. */
  readonly limit: number
}

export interface ListedPage {
  readonly revision: number
  readonly items: ReadonlyArray<KvItem>
  /** There are more keys than those told so far. */
  readonly more: boolean
}

/** So much is asked for at once; the server may give less. */
const maxPage = 5_000

/** The keys with a prefix, all as of one revision; the next page is asked for when the reader is done with the last. */
export async function* pagesOf(client: Client, { prefix, revision, limit }: Listing): AsyncGenerator<ListedPage, void, undefined> {
  let range = withPrefix(keyOfBytes(Buffer.from(prefix)))
  let at = revision === null ? null : asRevision(revision)
  for (let left = limit; ;) {
    const command = { _tag: 'Range', range, limit: Math.min(left, maxPage), revision: at, keysOnly: false, count: false } as const
    const outcome = await lastValueFrom(client.execute(command))
    if (outcome._tag !== 'Done') throw new ClientError(outcome)
    if (outcome.answer._tag !== 'Ranged') return
    const { kvs, more } = outcome.answer
    at ??= outcome.answer.revision
    left -= kvs.length
    yield { revision: at, items: kvs.map(itemOf), more }
    const last = kvs.at(-1)
    if (!more || left === 0 || last === undefined) return
    range = { ...range, start: key(`${last.key}\0`) }
  }
}
