import { either } from 'fp-ts'
import { inLine, itemDetails, wholeOption } from '../client/values.js'
import { withClient } from '../client/withClient.js'
import type { Command } from '../command.js'
import { done, refused } from '../outcome.js'

/** `rxraft get KEY` and `rxraft get --prefix KEY`. */
export const get: Command = async (call) => {
  const {
    args: [key = ''],
    options,
    settings,
    json,
    io,
  } = call
  const revision = wholeOption(call, 'revision', undefined)
  const limit = wholeOption(call, 'limit', 10_000)
  if (either.isLeft(revision)) return revision.left
  if (either.isLeft(limit)) return limit.left
  const past = revision.right === undefined ? {} : { revision: revision.right }
  return withClient(settings, async (client) => {
    if (options['prefix'] === true) {
      const page = await client.range(key, { ...past, limit: limit.right })
      if (page.more && !json)
        io.stderr.write(`rxraft: there are more than these ${page.items.length} keys: give a longer prefix or a higher --limit\n`)
      return done(
        { revision: page.revision, items: page.items.map(itemDetails), more: page.more },
        page.items.map((item) => `${item.key}\t${inLine(item.value)}\n`).join(''),
      )
    }
    const item = await client.get(key, past)
    if (item === null) return refused('NotFound', `There is no key ${JSON.stringify(key)}.`, { key })
    return done(itemDetails(item), io.stdout.isTTY ? Buffer.concat([item.value, Buffer.from('\n')]) : item.value)
  })
}
