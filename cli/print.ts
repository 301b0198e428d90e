import { once } from 'node:events'
import type { Writable } from 'node:stream'

/** Writes, and waits where the reader is slower than we are: what is printed is not kept in memory. */
export const print = async (stream: Writable, text: string): Promise<void> => {
  if (!stream.write(text)) await once(stream, 'drain')
}
