import type { Writable } from 'node:stream'

/**
 * Writes, and waits while the reader is slower: printed text is not kept in memory. Without a reader there is nothing
 * to wait for.
 */
export const print = (stream: Writable, text: string): Promise<void> =>
  new Promise((resolve) => {
    if (stream.write(text, () => resolve())) resolve()
  })
