import { bytes, type Codec, keyCodec, natural, struct } from './codec.js'
import { between, from, isSingle, type Key, type KeyRange, single } from './key.js'
import type { KeyValue } from './keyValue.js'

const codes = { Single: 0, Between: 1, From: 2 } as const

/** A range: most hold one key, and that is written once. */
export const keyRangeCodec: Codec<KeyRange> = {
  write: (writer, range) => {
    const kind = range.end === null ? 'From' : isSingle(range) ? 'Single' : 'Between'
    writer.byte(codes[kind])
    writer.key(range.start)
    if (kind === 'Between') writer.key(range.end as Key)
  },
  read: (reader) => {
    const code = reader.byte()
    const start = reader.key()
    if (code === codes.Single) return single(start)
    if (code === codes.From) return from(start)
    if (code !== codes.Between) reader.fail(`no range has the code ${code}`)
    const range = between(start, reader.key())
    if (isSingle(range)) reader.fail('a range of one key has a shorter encoding')
    return range
  },
}

export const keyValueCodec: Codec<KeyValue> = struct<KeyValue>({
  key: keyCodec,
  value: bytes,
  createRevision: natural(),
  modRevision: natural(),
  version: natural(),
})
