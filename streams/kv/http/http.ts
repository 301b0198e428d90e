import type { Observable } from 'rxjs'
import type { KvServer } from '../kvServer.js'

export interface KvHttpOptions {
  readonly server: KvServer
  /** Default 127.0.0.1. */
  readonly host?: string
  /** 0: one that is free. */
  readonly port: number
  /** The servers of the cluster and where each answers HTTP: `{ n2: 'http://127.0.0.1:7402' }`. This server may be among them. */
  readonly peers?: Readonly<Record<string, string>>
  /** How long a request waits for a leader before it gets 503. Default 4,000. */
  readonly leaderWaitMs?: number
  /** How long a request that was begun may take before it gets 504, or 503 for a read. Default 10,000. */
  readonly answerTimeoutMs?: number
}

/** An HTTP face that listens. */
export interface KvListening {
  readonly host: string
  readonly port: number
  /** `http://host:port`. */
  readonly url: string
  /** Takes no more requests, ends watches, finishes what is under way, and completes. */
  close(): Observable<never>
}

/** Why there is no HTTP face, with a sentence that says what to do. It is the error of the stream. */
export interface KvHttpError {
  readonly _tag: 'AddressInUse' | 'ListenFailed'
  readonly message: string
}

/** Subscribing listens and tells where; unsubscribing breaks every connection. Fails with a `KvHttpError`. */
export const kvHttp = (_options: KvHttpOptions): Observable<KvListening> => {
  throw new Error('The body follows.')
}
