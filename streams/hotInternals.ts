import { Observable, type Subscriber } from 'rxjs'

/**
 * A hot stream for the hot path: what a `Subject` is, without what it does for subscribers that come and
 * go while a value is under way. Those who are there when `next` is called get the value, in the order in which they came.
 */
export class Hot<T> extends Observable<T> {
  private subscribers: ReadonlyArray<Subscriber<T>> = []

  constructor() {
    super((subscriber) => {
      this.subscribers = [...this.subscribers, subscriber]
      return () => {
        this.subscribers = this.subscribers.filter((other) => other !== subscriber)
      }
    })
  }

  get observed(): boolean {
    return this.subscribers.length > 0
  }

  next(value: T): void {
    const { subscribers } = this
    for (let i = 0; i < subscribers.length; i++) subscribers[i]!.next(value)
  }
}
