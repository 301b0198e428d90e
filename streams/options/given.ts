/** The options that were given. An option that is `undefined` is an option left out. */
export const given = <O extends object>(options: O): O =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as O

/** The options, with the default of each one that was left out. */
export const withDefaults = <D extends object, O extends object>(defaults: D, options: O): D & O => ({ ...defaults, ...given(options) })
