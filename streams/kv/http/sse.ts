/** A server-sent event, as its fields. An event without `data` only moves the position of its reader. */
export interface ServerSentEvent {
  readonly event: string
  readonly data: string
  readonly id: string | null
}

/**
 * Reads server-sent events out of pieces of text, however they are cut (HTML standard, §9.2.6); lines end in LF or
 * CRLF, comments and unknown fields are skipped. Throws where an event is longer than `maxLength` characters.
 */
export const sseReader = (maxLength: number) => {
  /** The line that has not ended, in the pieces in which it came. */
  let unended: string[] = []
  let unendedLength = 0
  let fields: { event: string; data: string[]; id: string | null; length: number } = { event: 'message', data: [], id: null, length: 0 }

  const take = (line: string): ServerSentEvent | null => {
    if (line === '') {
      const { event, data, id } = fields
      fields = { event: 'message', data: [], id: null, length: 0 }
      return data.length === 0 && id === null ? null : { event, data: data.join('\n'), id }
    }
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    fields.length += line.length
    if (name === 'event') fields.event = value
    if (name === 'data') fields.data.push(value)
    if (name === 'id') fields.id = value
    return null
  }

  return (piece: string): ReadonlyArray<ServerSentEvent> => {
    const events: ServerSentEvent[] = []
    let from = 0
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', from)) {
      const line = unended.join('') + piece.slice(from, end)
      const event = take(line.endsWith('\r') ? line.slice(0, -1) : line)
      if (event !== null) events.push(event)
      unended = []
      unendedLength = 0
      from = end + 1
    }
    unended.push(piece.slice(from))
    unendedLength += piece.length - from
    if (unendedLength + fields.length > maxLength) throw new RangeError(`an event is longer than ${maxLength} characters`)
    return events
  }
}
