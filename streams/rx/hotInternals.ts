import {
  type MonoTypeOperatorFunction,
  Observable,
  type OperatorFunction,
  type Subscriber,
  type Subscription,
  type TeardownLogic,
} from 'rxjs'

/**
 * A hot stream for the hot path: what a `Subject` is, without what it does for subscribers that come and go while a
 * value is under way. Those who are there when `next` is called get the value, in the order in which they came; those
 * who come after the end get that.
 */
export class Hot<T> extends Observable<T> {
  private subscribers: ReadonlyArray<Subscriber<T>> = []
  protected ended = false

  constructor() {
    super((subscriber) => this.enter(subscriber))
  }

  get observed(): boolean {
    return this.subscribers.length > 0
  }

  next(value: T): void {
    const { subscribers } = this
    for (let i = 0; i < subscribers.length; i++) subscribers[i]!.next(value)
  }

  complete(): void {
    this.ended = true
    for (const subscriber of this.subscribers) subscriber.complete()
  }

  protected enter(subscriber: Subscriber<T>): () => void {
    if (this.ended) subscriber.complete()
    else this.subscribers = [...this.subscribers, subscriber]
    return () => {
      this.subscribers = this.subscribers.filter((other) => other !== subscriber)
    }
  }
}

/**
 * A hot stream that late comers get the last value of, as of a `BehaviorSubject`; it may have none yet. After its end
 * it gives that alone.
 */
export class Latest<T> extends Hot<T> {
  value: T | null = null

  override next(value: T): void {
    this.value = value
    super.next(value)
  }

  protected override enter(subscriber: Subscriber<T>): () => void {
    const last = this.ended ? null : this.value
    const leave = super.enter(subscriber)
    // It is there already: what the last value makes it do may lead to the next one.
    if (last !== null) subscriber.next(last)
    return leave
  }
}

/**
 * `share()` for a stream that says nothing but its end, and says that to late comers too: one object, where RxJS needs
 * a subject as well. Who leaves last takes the source along, as long as that has not ended.
 */
export class SharedEnd extends Observable<never> {
  private waiting: ReadonlyArray<Subscriber<never>> = []
  private connected = false
  private connection: Subscription | undefined
  private end: { readonly error: unknown } | 'complete' | null = null

  constructor(private readonly source$: Observable<unknown>) {
    super((subscriber) => this.enter(subscriber))
  }

  private enter(subscriber: Subscriber<never>): TeardownLogic {
    if (this.end !== null) return tell(subscriber, this.end)
    this.waiting = [...this.waiting, subscriber]
    if (!this.connected) {
      this.connected = true
      this.connection = this.source$.subscribe({
        error: (error: unknown) => this.finish({ error }),
        complete: () => this.finish('complete'),
      })
    }
    return () => {
      this.waiting = this.waiting.filter((other) => other !== subscriber)
      if (this.waiting.length === 0) this.connection?.unsubscribe()
    }
  }

  private finish(end: { readonly error: unknown } | 'complete'): void {
    this.end = end
    for (const subscriber of this.waiting) tell(subscriber, end)
  }
}

const tell = (subscriber: Subscriber<never>, end: { readonly error: unknown } | 'complete'): void => {
  if (end === 'complete') subscriber.complete()
  else subscriber.error(end.error)
}

/** `map`, and a `filter` that drops null, in one hop. */
export const filterMap =
  <A, B>(project: (value: A) => B | null): OperatorFunction<A, B> =>
  (value$) =>
    new Observable((subscriber) =>
      value$.subscribe({
        next: (value) => {
          const projected = project(value)
          if (projected !== null) subscriber.next(projected)
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    )

/** What `takeUntil` does, for the hot path: values go straight to whoever subscribed, and pass nobody on the way. */
export const endedBy =
  <T>(end$: Observable<unknown>): MonoTypeOperatorFunction<T> =>
  (source$) =>
    new Observable((subscriber) => {
      subscriber.add(end$.subscribe(() => subscriber.complete()))
      return source$.subscribe(subscriber)
    })

interface Entry<T> {
  /** Null: all. */
  readonly tags: ReadonlyArray<string> | null
  readonly subscriber: Subscriber<T>
}

/**
 * A hot stream that sorts its values by tag: `ofTag(tags)` says once, when it is subscribed to, which ones concern it.
 */
export class HotByTag<T extends { readonly _tag: string }> extends Observable<T> {
  private entries: ReadonlyArray<Entry<T>> = []
  /** Who gets the values with that tag, found when the first of them comes. */
  private readonly byTag = new Map<string, ReadonlyArray<Subscriber<T>>>()

  constructor() {
    super((subscriber) => this.enter({ tags: null, subscriber }))
  }

  ofTag(tags: ReadonlyArray<string>): Observable<T> {
    return new Observable((subscriber) => this.enter({ tags, subscriber }))
  }

  next(value: T): void {
    const subscribers = this.byTag.get(value._tag) ?? this.find(value._tag)
    for (let i = 0; i < subscribers.length; i++) subscribers[i]!.next(value)
  }

  private find(tag: string): ReadonlyArray<Subscriber<T>> {
    const found = this.entries.filter(({ tags }) => tags === null || tags.includes(tag)).map(({ subscriber }) => subscriber)
    this.byTag.set(tag, found)
    return found
  }

  private enter(entry: Entry<T>): () => void {
    this.entries = [...this.entries, entry]
    this.byTag.clear()
    return () => {
      this.entries = this.entries.filter((other) => other !== entry)
      this.byTag.clear()
    }
  }
}
