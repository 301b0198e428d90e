import { either } from 'fp-ts'
import { pagesOf } from '../client/pages.js'
import { inLine, itemDetails, wholeOption } from '../client/values.js'
import { withClient } from '../client/withClient.js'
import type { CommandCall, Command } from '../command.js'
import { type Details, done, type Outcome, refused } from '../outcome.js'
import { print } from '../print.js'
import type { Client } from '../../streams/kv.js'

/** `rxraft get KEY` and `rxraft get --prefix KEY`. */
export const get: Command = async (call) => {
  const revision = wholeOption(call, 'revision', null)
  // One line of JSON has to fit in somebody's memory.
  const limit = wholeOption(call, 'limit', call.json ? 10_000 : Infinity)
  if (either.isLeft(revision)) return revision.left
  if (either.isLeft(limit)) return limit.left
  return withClient(call.settings, (client) =>
    call.options['prefix'] === true ? list(client, revision.right, limit.right, call) : getOne(client, revision.right, call),
  )
}

const getOne = async (client: Client, revision: number | null, { args: [key = ''], io }: CommandCall): Promise<Outcome> => {
  const item = await client.get(key, revision === null ? {} : { revision })
  if (item === null) return refused('NotFound', `There is no key ${JSON.stringify(key)}.`, { key })
  return done(itemDetails(item), io.stdout.isTTY ? Buffer.concat([item.value, Buffer.from('\n')]) : item.value)
}

const list = async (
  client: Client,
  revision: number | null,
  limit: number,
  { args: [prefix = ''], json, io }: CommandCall,
): Promise<Outcome> => {
  const items: Details[] = []
  let last: { readonly revision: number | null; readonly more: boolean } = { revision, more: false }
  for await (const page of pagesOf(client, { prefix, revision, limit })) {
    last = page
    if (json) items.push(...page.items.map(itemDetails))
    else await print(io.stdout, page.items.map(({ key, value }) => `${key}\t${inLine(value)}\n`).join(''))
  }
  if (last.more && !json) await print(io.stderr, 'rxraft: there are more keys: give a longer prefix or a higher --limit\n')
  return done({ revision: last.revision, items, more: last.more })
}
