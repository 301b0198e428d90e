/** Traces: any run as lines of JSON, checked against Figure 2, recorded and run again (docs/traces.md). */
export { actionsOf } from './actions.js'
export { acceptsTrace, type TraceAccepted, type TraceRejected, traceChecker } from './figure2/accepts.js'
export {
  fromNdjson,
  type NoTrace,
  toNdjson,
  type TraceConfiguration,
  type TraceEntry,
  type TraceEvent,
  type TraceEventOf,
  type TraceLine,
  type TraceMessage,
  type TraceMessageOf,
  type TraceRecovered,
  type TraceSnapshot,
  type TraceState,
} from './line.js'
export { lineOf } from './lineOf.js'
export * from './recording.js'
export { trace } from './trace.js'
