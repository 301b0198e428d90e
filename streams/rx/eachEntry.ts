import { Observable, type OperatorFunction, type Subscription } from 'rxjs'

interface Running<V> {
  readonly value: V
  readonly subscription: Subscription
}

/**
 * Runs one stream for each entry of a map that changes, and merges what they emit.
 *
 *   maps     --{a:1}--{a:1,b:2}--{a:1,b:3}--{b:3}--|
 *   a, 1       x----x-----x----------x------!           ended when the entry vanishes
 *   b, 2              y------y------!                   ended when the value changes …
 *   b, 3                            z----z------z----   … and begun anew
 *
 * An entry with the same value again changes nothing. An error of one of the streams ends all. A stream that completes
 * by itself is not begun anew before its entry changes. The end of the maps ends no stream.
 *
 * @example
 * addresses$.pipe(eachEntry(isSameAddress, (peer, address) => calling(peer, address)))
 */
export const eachEntry =
  <K, V, A>(isSame: (a: V, b: V) => boolean, project: (key: K, value: V) => Observable<A>): OperatorFunction<ReadonlyMap<K, V>, A> =>
  (map$) =>
    new Observable<A>((subscriber) => {
      const running = new Map<K, Running<V>>()

      const end = (key: K): void => {
        const ended = running.get(key)
        running.delete(key)
        ended?.subscription.unsubscribe()
      }

      const begin = (key: K, value: V): void => {
        const subscription = project(key, value).subscribe({
          next: (a) => subscriber.next(a),
          error: (error: unknown) => subscriber.error(error),
        })
        running.set(key, { value, subscription })
        subscriber.add(subscription)
      }

      const follow = (map: ReadonlyMap<K, V>): void => {
        for (const [key, { value }] of running) if (!map.has(key) || !isSame(map.get(key)!, value)) end(key)
        for (const [key, value] of map) if (!running.has(key) && !subscriber.closed) begin(key, value)
      }

      subscriber.add(map$.subscribe({ next: follow, error: (error: unknown) => subscriber.error(error) }))
    })
