/** Tells of every different way to lose `count` of these messages: which are kept, and which are lost. */
export const eachLoss = (
  messages: ReadonlyArray<number>,
  count: number,
  tell: (kept: ReadonlyArray<number>, lost: ReadonlyArray<number>) => void,
): void => {
  const ordered = [...messages].sort((a, b) => a - b)
  const choose = (from: number, kept: ReadonlyArray<number>, lost: ReadonlyArray<number>): void => {
    if (lost.length === count) tell([...kept, ...ordered.slice(from)], lost)
    if (lost.length === count || from === ordered.length) return
    const message = ordered[from]!
    choose(from + 1, kept, [...lost, message])
    // Of equal ones the first are lost: to keep one is to keep all that are left.
    let equal = from + 1
    while (ordered[equal] === message) equal++
    choose(equal, [...kept, ...ordered.slice(from, equal)], lost)
  }
  choose(0, [], [])
}
