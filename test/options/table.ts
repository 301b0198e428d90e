/** What takes options, and values of all of its options that work. */
export interface Table<O extends object> {
  readonly name: string
  /** Builds only: nothing is opened. */
  readonly build: (options: O) => unknown
  /** Every option, with a value that works. The type sees to it that none is forgotten. */
  readonly works: Required<O>
  /** Options that have to be given: they have no default. */
  readonly required?: ReadonlyArray<keyof O>
  /** Options for which null means "none". */
  readonly nullable?: ReadonlyArray<keyof O>
  /** More values that cannot work, by option. */
  readonly wrong?: { readonly [Name in keyof O]?: ReadonlyArray<unknown> }
}

/** What became of each value of one option, and what should become of it. */
export interface Row {
  readonly option: string
  readonly tried: () => Readonly<Record<string, string>>
  readonly expected: Readonly<Record<string, string>>
}

/** Values of another kind than the one that works. */
const wrongKinds = (works: unknown): ReadonlyArray<unknown> => {
  if (typeof works === 'number') return ['5', Number.NaN, -1, null, {}]
  if (typeof works === 'boolean') return ['true', 1, null]
  if (typeof works === 'string') return [5, null, {}]
  return ['5', 5, null]
}

const shown = (value: unknown): string => {
  if (typeof value === 'function') return 'a function'
  return typeof value === 'object' ? JSON.stringify(value) : `${typeof value} ${String(value as unknown as number)}`
}

/** 'works', or which option is refused; an error of another kind, as it is. */
export const outcomeOf = (build: () => unknown): string => {
  try {
    build()
    return 'works'
  } catch (error) {
    const { name, option, message } = error as { readonly name: string; readonly option: string; readonly message: string }
    return name === 'InvalidOption' && /must|needed/.test(message) ? `InvalidOption ${option.split('.')[0]}` : String(error)
  }
}

export const rowsOf = <O extends object>({ name, build, works, required = [], nullable = [], wrong = {} }: Table<O>) => {
  const includes = (names: ReadonlyArray<keyof O>, option: string): boolean => (names as ReadonlyArray<unknown>).includes(option)
  const rowOf = ([option, good]: [string, unknown]): Row => {
    const refused = `InvalidOption ${option}`
    const more = (wrong as Readonly<Record<string, ReadonlyArray<unknown> | undefined>>)[option] ?? []
    const values: ReadonlyArray<readonly [unknown, string]> = [
      [good, 'works'],
      [undefined, includes(required, option) ? refused : 'works'],
      ...[...wrongKinds(good), ...more].map((value) => [value, value === null && includes(nullable, option) ? 'works' : refused] as const),
    ]
    return {
      option,
      tried: () => Object.fromEntries(values.map(([value]) => [shown(value), outcomeOf(() => build({ ...works, [option]: value }))])),
      expected: Object.fromEntries(values.map(([value, outcome]) => [shown(value), outcome])),
    }
  }
  return { name, rows: Object.entries(works).map(rowOf) }
}
